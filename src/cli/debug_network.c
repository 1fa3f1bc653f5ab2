/* SPDX-License-Identifier: Apache-2.0 */
/* The section `network` of `debug` (debug.h): the network namespace of the first process through /proc/PID/net, without joining it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/io.h"
#include "cli/debug.h"
#include "engine/sockets.h"

static int read_table(const struct debug *d, const char *name, struct buf *ret)
{
    char path[64];
    struct err ignored = {0};
    (void)snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)d->c->start.pid, name);
    int r = io_read_path(path, NET_TEXT_MAX, ret, &ignored);
    return r < 0 || !ret->data ? -1 : 0;
}

/* "  eth0: BYTES PACKETS ERRORS DROPPED … (8 columns) BYTES PACKETS ERRORS DROPPED …" */
static void add_interfaces(const struct debug *d, struct members *m)
{
    _cleanup_buf_ struct buf text = {0};
    if (read_table(d, "dev", &text) < 0)
        return;
    struct members array = members_array(m, "Interfaces");
    for (char *rest = text.data, *line; (line = strsep(&rest, "\n"));) {
        unsigned long long in, in_bad, in_lost, out, out_bad, out_lost;
        char *name = line + strspn(line, " ");
        char *colon = strchr(name, ':');
        if (!colon || sscanf(colon + 1, "%llu %*u %llu %llu %*u %*u %*u %*u %llu %*u %llu %llu", &in, &in_bad,
                             &in_lost, &out, &out_bad, &out_lost) != 6)
            continue;
        *colon = '\0';
        str_neutralize(name);
        struct members row = members_item(&array);
        members_text(&row, "Name", name);
        members_number(&row, "ReceivedBytes", (int64_t)in);
        members_number(&row, "ReceivedErrors", (int64_t)(in_bad + in_lost));
        members_number(&row, "SentBytes", (int64_t)out);
        members_number(&row, "SentErrors", (int64_t)(out_bad + out_lost));
        members_join(&array, &row);
    }
    members_join(m, &array);
}

static void add_sockets(const struct debug *d, struct members *m)
{
    struct err e = {0};
    _cleanup_sockets_ struct sockets s = {0};
    for (int table = 0; table < SOCKETS_TABLES && !m->failed; table++) {
        _cleanup_buf_ struct buf text = {0};
        if (read_table(d, sockets_table_name((enum socket_table)table), &text) == 0)
            m->failed = sockets_parse((enum socket_table)table, text.data, &s, &e) < 0;
    }
    struct members array = members_array(m, "Sockets");
    for (size_t i = 0; i < s.count && i < DEBUG_ROWS_MAX; i++) {
        const struct socket_item *item = &s.items[i];
        struct members row = members_item(&array);
        members_text(&row, "Kind", sockets_table_name(item->table));
        members_text(&row, "State", item->state);
        members_text(&row, "Local", item->local);
        members_text(&row, "Remote", item->remote);
        members_number(&row, "Inode", (int64_t)item->inode);
        members_join(&array, &row);
    }
    members_join(m, &array);
    if (s.count + s.left_out > DEBUG_ROWS_MAX)
        members_number(m, "MoreSockets", (int64_t)(s.count + s.left_out - DEBUG_ROWS_MAX));
}

static void add_routes(const struct debug *d, struct members *m)
{
    struct members array = members_array(m, "Routes");
    _cleanup_free_ struct route *routes = calloc(ROUTES_MAX, sizeof(*routes));
    m->failed = m->failed || !routes;
    for (int v6 = 0; v6 < 2 && routes; v6++) {
        _cleanup_buf_ struct buf text = {0};
        if (read_table(d, v6 ? "ipv6_route" : "route", &text) < 0)
            continue;
        size_t n = routes_parse(text.data, v6, routes, ROUTES_MAX);
        for (size_t i = 0; i < n; i++) {
            struct members row = members_item(&array);
            members_text(&row, "Destination", routes[i].destination);
            members_text(&row, "Gateway", routes[i].gateway);
            members_text(&row, "Interface", routes[i].interface);
            members_join(&array, &row);
        }
    }
    members_join(m, &array);
}

void debug_network(struct debug *d, struct members *m)
{
    if (d->why[0]) {
        debug_unavailable(m, d->why);
        return;
    }
    if (plan_shares_network(&d->c->plan)) {
        debug_unavailable(m, "it has the host's network");
        return;
    }
    add_interfaces(d, m);
    add_sockets(d, m);
    add_routes(d, m);
}
