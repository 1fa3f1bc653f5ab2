/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which proxy a request goes through (fetch.h). The variables are the user's own and mean what they mean to Docker: NO_PROXY is a list of names
 * (which stand for what is below them, too), names that begin with a dot (only what is below), addresses and networks, each
 * but the last with a port if wanted, and `*`. Loopback is always reached directly. Host names come from the network, too.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "base/str.h"
#include "workers/fetch/fetch.h"

#define ENTRY_MAX MESSAGE_HOST_MAX
#define ADDRESS_BYTES 16

struct place {
    char host[ENTRY_MAX]; /* without brackets */
    char port[8];         /* "" in an entry: any */
    int family;           /* AF_UNSPEC: a name */
    unsigned char address[ADDRESS_BYTES];
};

static void read_address(struct place *p)
{
    p->family = inet_pton(AF_INET, p->host, p->address) == 1    ? AF_INET
                : inet_pton(AF_INET6, p->host, p->address) == 1 ? AF_INET6
                                                                : AF_UNSPEC;
}

/* HOST, HOST:PORT, [ADDRESS], [ADDRESS]:PORT or a bare address with colons. False: none of them. */
static bool read_place(const char *text, struct place *ret)
{
    size_t length = strcspn(text, "]");
    const char *colon = strchr(text, ':');
    *ret = (struct place){0};
    if (text[0] == '[') {
        if (!text[length] || (text[length + 1] && text[length + 1] != ':'))
            return false;
        colon = text[length + 1] ? text + length + 1 : NULL;
        text++;
        length--;
    } else {
        if (colon && strchr(colon + 1, ':'))
            colon = NULL;
        length = colon ? (size_t)(colon - text) : strlen(text);
    }
    if (length == 0 || length >= sizeof(ret->host) || (colon && strlen(colon + 1) >= sizeof(ret->port)))
        return false;
    memcpy(ret->host, text, length);
    if (colon)
        (void)snprintf(ret->port, sizeof(ret->port), "%.7s", colon + 1);
    read_address(ret);
    return true;
}

static bool in_network(const char *text, const struct place *p)
{
    struct place network = {0};
    struct err ignored = {0};
    uint64_t bits = 0;
    size_t length = strcspn(text, "/");
    if (length >= sizeof(network.host))
        return false;
    memcpy(network.host, text, length);
    read_address(&network);
    unsigned whole = network.family == AF_INET ? 32 : 128;
    if (network.family == AF_UNSPEC || network.family != p->family ||
        num_parse_u64(text + length + 1, whole, &bits, &ignored) < 0)
        return false;
    if (memcmp(network.address, p->address, bits / 8) != 0)
        return false;
    unsigned rest = 0xffU << (8 - bits % 8) & 0xffU;
    return bits % 8 == 0 || ((network.address[bits / 8] ^ p->address[bits / 8]) & rest) == 0;
}

/* `suffix` begins with a dot. */
static bool is_below(const char *host, const char *suffix)
{
    size_t h = strlen(host);
    size_t s = strlen(suffix);
    return h > s && str_equal(host + h - s, suffix);
}

static bool name_matches(const char *entry, const char *host)
{
    char suffix[ENTRY_MAX + 1];
    entry += entry[0] == '*' && entry[1] == '.';
    if (entry[0] == '.')
        return is_below(host, entry);
    (void)snprintf(suffix, sizeof(suffix), ".%s", entry);
    return str_equal(host, entry) || is_below(host, suffix);
}

static bool entry_matches(const char *entry, const struct place *p)
{
    struct place listed;
    if (str_equal(entry, "*"))
        return true;
    if (strchr(entry, '/'))
        return in_network(entry, p);
    if (!read_place(entry, &listed) || (listed.port[0] && !str_equal(listed.port, p->port)))
        return false;
    if (listed.family == AF_UNSPEC)
        return p->family == AF_UNSPEC && name_matches(listed.host, p->host);
    return listed.family == p->family &&
           memcmp(listed.address, p->address, listed.family == AF_INET ? 4 : ADDRESS_BYTES) == 0;
}

static bool is_loopback(const struct place *p)
{
    static const unsigned char six[ADDRESS_BYTES] = {[ADDRESS_BYTES - 1] = 1};
    if (p->family == AF_UNSPEC)
        return str_equal(p->host, "localhost");
    return p->family == AF_INET ? p->address[0] == 127 : memcmp(p->address, six, sizeof(six)) == 0;
}

bool proxy_applies(const char *no_proxy, const struct url_parts *place)
{
    char entry[ENTRY_MAX];
    struct place p;
    if (!read_place(place->host, &p) || is_loopback(&p))
        return false;
    if (!p.port[0])
        (void)snprintf(p.port, sizeof(p.port), "%s", place->https ? "443" : "80");
    while (*no_proxy) {
        size_t length = strcspn(no_proxy, ",");
        size_t from = 0;
        size_t to = length;
        while (from < to && isspace((unsigned char)no_proxy[from]))
            from++;
        while (to > from && isspace((unsigned char)no_proxy[to - 1]))
            to--;
        if (to > from && to - from < sizeof(entry)) {
            for (size_t i = from; i < to; i++)
                entry[i - from] = (char)tolower((unsigned char)no_proxy[i]);
            entry[to - from] = '\0';
            if (entry_matches(entry, &p))
                return false;
        }
        no_proxy += length + (no_proxy[length] == ',');
    }
    return true;
}

static bool scheme_is_known(const char *proxy, size_t length)
{
    static const char *const known[] = {"http", "https", "socks5", "socks5h"};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strlen(known[i]) == length && strncasecmp(proxy, known[i], length) == 0)
            return true;
    return false;
}

int proxy_read(const char *proxy, char *ret_shown, size_t size, struct err *e)
{
    const char *after = strstr(proxy, "://");
    if (after && !scheme_is_known(proxy, (size_t)(after - proxy)))
        return err_set(e, EINVAL, "the proxy's URL begins with neither http://, https:// nor socks5://");
    const char *authority = after ? after + 3 : proxy;
    size_t length = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', length);
    const char *host = at ? at + 1 : authority;
    struct place p;
    int n = snprintf(ret_shown, size, "%.*s", (int)(length - (size_t)(host - authority)), host);
    if (n < 0 || (size_t)n >= size || !read_place(ret_shown, &p) ||
        strspn(p.port, "0123456789") != strlen(p.port) || strpbrk(ret_shown, " \t\"'<>\\^`{|}"))
        return err_set(e, EINVAL, "the proxy's URL is not of the form [http://][USER:PASSWORD@]HOST[:PORT]");
    return 0;
}
