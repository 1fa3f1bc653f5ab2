/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 3, API and network: no API without mutual TLS; ports on loopback; no way to the host, the metadata service or each other. */
#include <errno.h>
#include <stdio.h>

#include "practices/refuse.h"
#include "practices/registry.h"

static int apply(struct practice_run *run, struct err *e)
{
    const char *network = run->plan->network;
    if (!network || str_equal(network, "none"))
        return str_replace(&run->plan->network, "none", e);
    if (str_equal(network, "host"))
        return 0; /* practice 5 */
    return err_set(e, ENOTSUP, "--network %s: networks are not supported yet; a container has --network none",
                   network);
}

#define NET_FILE_MAX (1U << 20)
#define INTERFACES_SHOWN 256

/* Names of the interfaces, from lines "  NAME: counters" behind two of headings. */
static int list_interfaces(const struct subject *s, char *ret, size_t size, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    size_t used = 0;
    int r = subject_read(s, "net/dev", NET_FILE_MAX, &text, e);
    char *rest = text.data;
    char *line;
    ret[0] = '\0';
    while (r == 0 && (line = strsep(&rest, "\n"))) {
        char *colon = strchr(line, ':');
        if (!colon || strchr(line, '|'))
            continue;
        *colon = '\0';
        line += strspn(line, " ");
        int n = snprintf(ret + used, size - used, "%s%s", used ? ", " : "", line);
        if (n < 0 || (size_t)n >= size - used)
            return err_set(e, E2BIG, "too many interfaces");
        used += (size_t)n;
    }
    return r;
}

/* Counts routes that leave by another interface than lo. IPv4 lines begin with the interface (and the first is a heading), IPv6 lines
 * end with it. */
static int count_routes(const struct subject *s, const char *file, bool name_last, size_t *count,
                        struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = subject_read(s, file, NET_FILE_MAX, &text, e);
    char *rest = text.data;
    char *line = r == 0 && !name_last ? strsep(&rest, "\n") : NULL; /* the heading */
    while (r == 0 && (line = strsep(&rest, "\n"))) {
        line += strspn(line, " \t");
        size_t n = strlen(line);
        while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
            line[--n] = '\0';
        const char *blank = strrchr(line, ' ');
        const char *name = name_last ? (blank ? blank + 1 : line) : line;
        size_t length = strcspn(name, " \t");
        *count += n > 0 && !(length == 2 && strncmp(name, "lo", 2) == 0);
    }
    return r;
}

static int explain(const struct subject *s, struct evidence *ret, struct err *e)
{
    char interfaces[INTERFACES_SHOWN];
    char source[SUBJECT_SOURCE];
    size_t routes = 0;
    int r = list_interfaces(s, interfaces, sizeof(interfaces), e);
    if (r == 0 && plan_shares_network(s->plan))
        return evidence_add(ret, 3, EVIDENCE_GRANTED, "interfaces", subject_source(s, "net/dev", source), e,
                            "the host's: %s", interfaces);
    if (r == 0)
        r = evidence_add(ret, 3, EVIDENCE_HOLDS, "interfaces", subject_source(s, "net/dev", source), e, "%s",
                         interfaces);
    if (r == 0)
        r = count_routes(s, "net/route", false, &routes, e);
    struct err absent = {0};
    if (r == 0 && (r = count_routes(s, "net/ipv6_route", true, &routes, &absent)) < 0)
        r = absent.code == ENOENT ? 0
                                  : err_set(e, absent.code, "%s", absent.text); /* a kernel without IPv6 */
    if (r < 0)
        return r;
    return routes == 0
               ? evidence_add(ret, 3, EVIDENCE_HOLDS, "routes", subject_source(s, "net/route", source), e,
                              "none but loopback")
               : evidence_add(ret, 3, EVIDENCE_BROKEN, "routes", subject_source(s, "net/route", source), e,
                              "%zu that leave the container", routes);
}

const struct practice practice_network = {
    .number = 3,
    .id = "network",
    .title = "API and network",
    .what = "has no open API and gives a container no way to the host, the metadata service or others",
    .missing = "there is no API to protect and no network but loopback",
    .apply = apply,
    .explain = explain,
};
