/* SPDX-License-Identifier: Apache-2.0 */
/* image/reference: a name that is accepted reads back as itself from both of its printed forms. */
#include "image/reference.h"

#include "base/cleanup.h"
#include "fuzz.h"

static void check_same(const struct reference *r, const char *text)
{
    struct err e = {0};
    struct reference again = {0};
    MUST(strlen(text) <= REFERENCE_TEXT_MAX);
    MUST(reference_parse(text, &again, &e) >= 0);
    MUST(strcmp(r->host, again.host) == 0 && strcmp(r->path, again.path) == 0 &&
         strcmp(r->tag, again.tag) == 0);
    MUST(r->has_digest == again.has_digest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    struct reference r = {0};
    char out[REFERENCE_TEXT_MAX + 1], host[REFERENCE_NAME_MAX + 1];
    _cleanup_free_ char *text = fuzz_text(data, size);
    if (reference_parse_host(text, host, &e) >= 0)
        MUST(host[0] && !strchr(host, '/'));
    if (reference_parse(text, &r, &e) < 0) {
        MUST(e.code > 0 && e.text[0]);
        return 0;
    }
    MUST(!strstr(r.path, "..") && r.path[0] != '/');
    reference_format(&r, out);
    check_same(&r, out);
    reference_format_familiar(&r, out);
    check_same(&r, out);
    return 0;
}
