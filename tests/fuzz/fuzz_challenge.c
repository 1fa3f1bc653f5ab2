/* SPDX-License-Identifier: Apache-2.0 */
/* workers/fetch: challenges and URLs of a registry, and the variables of a proxy. What is accepted is printable, names a realm, and leads to http or https only. */
#include "workers/fetch/fetch.h"

#include "base/cleanup.h"
#include "fuzz.h"

static void check_text(const char *text, size_t size)
{
    MUST(strnlen(text, size) < size);
    for (; *text; text++)
        MUST((unsigned char)*text >= 0x20);
}

static void check_challenge(const char *text)
{
    static struct challenge c;
    struct err e = {0};
    memset(&c, 'x', sizeof(c));
    if (auth_parse_challenge(text, &c, &e) < 0) {
        MUST(e.code > 0 && e.text[0]);
        return;
    }
    check_text(c.realm, sizeof(c.realm));
    check_text(c.service, sizeof(c.service));
    check_text(c.scope, sizeof(c.scope));
    MUST(c.bearer == (c.realm[0] != '\0'));
}

static void check_url(const char *text)
{
    struct session plain = {.settings = {.plain_http = true}};
    struct session strict = {0};
    struct url_parts u = {0};
    struct err e = {0};
    if (url_parse(text, &u, &e) < 0) {
        MUST(e.code > 0 && e.text[0]);
        return;
    }
    MUST(u.host[0] && !strpbrk(u.host, "/@ ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
    MUST((url_allowed(&strict, &u, &e) == 0) == u.https);
    if (!u.https && url_allowed(&plain, &u, &e) == 0)
        MUST(strncmp(u.host, "127.", 4) == 0 ||
             (strncmp(u.host, "localhost", 9) == 0 && (!u.host[9] || u.host[9] == ':')) ||
             strncmp(u.host, "[::1]", 5) == 0);
}

/* Where there is a proxy, loopback never goes there, and what is listed word for word does not. */
static void check_proxy(const char *text)
{
    char shown[MESSAGE_HOST_MAX];
    struct err e = {0};
    struct url_parts u = {.https = true, .host = "localhost"};
    MUST(!proxy_applies(text, &u));
    if (url_parse(text, &u, &e) == 0) {
        (void)proxy_applies(text, &u);
        MUST(strpbrk(u.host, ",/[") || strchr(".*", u.host[0]) || !proxy_applies(u.host, &u));
    }
    if (proxy_read(text, shown, sizeof(shown), &e) == 0)
        MUST(shown[0] && !strpbrk(shown, "@/ "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = fuzz_text(data, size);
    check_challenge(text);
    check_url(text);
    check_proxy(text);
    return 0;
}
