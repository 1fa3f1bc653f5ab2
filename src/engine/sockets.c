/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of /proc/PID/net (sockets.h). Formats: proc(5), net/ipv4/tcp_ipv4.c, net/unix/af_unix.c and net/ipv6/route.c of the kernel. */
#include "engine/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

#define UNIX_ACCEPTS 0x10000 /* __SO_ACCEPTCON */
#define ROUTE_REJECT 0x200   /* RTF_REJECT */

static const char *const tcp_states[] = {"",          "ESTABLISHED", "SYN_SENT",    "SYN_RECV",   "FIN_WAIT1",
                                         "FIN_WAIT2", "TIME_WAIT",   "CLOSE",       "CLOSE_WAIT", "LAST_ACK",
                                         "LISTEN",    "CLOSING",     "NEW_SYN_RECV"};

void sockets_clear(struct sockets *s)
{
    free(s->items);
    *s = (struct sockets){0};
}

const char *sockets_table_name(enum socket_table table)
{
    static const char *const names[] = {[SOCKETS_TCP] = "tcp",
                                        [SOCKETS_TCP6] = "tcp6",
                                        [SOCKETS_UDP] = "udp",
                                        [SOCKETS_UDP6] = "udp6",
                                        [SOCKETS_UNIX] = "unix"};
    return names[table];
}

/* Eight digits for each four bytes, each four as the processor has them. False when there are not exactly `words` of them. */
static bool parse_address(const char *hex, size_t words, char *ret, size_t size)
{
    uint32_t address[4];
    if (strlen(hex) != words * 8)
        return false;
    for (size_t i = 0; i < words; i++)
        if (sscanf(hex + 8 * i, "%8x", &address[i]) != 1)
            return false;
    return inet_ntop(words == 1 ? AF_INET : AF_INET6, address, ret, (socklen_t)size) != NULL;
}

static bool parse_end(char *text, size_t words, char *ret, unsigned *ret_port)
{
    char address[INET6_ADDRSTRLEN];
    char *colon = strchr(text, ':');
    if (!colon || sscanf(colon + 1, "%4x", ret_port) != 1)
        return false;
    *colon = '\0';
    if (!parse_address(text, words, address, sizeof(address)))
        return false;
    (void)snprintf(ret, SOCKET_TEXT_MAX, words == 1 ? "%s:%u" : "[%s]:%u", address, *ret_port);
    return true;
}

/* "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 12345 …" */
static bool parse_inet(enum socket_table table, const char *line, struct socket_item *ret)
{
    char local[64], remote[64];
    unsigned state, port;
    unsigned long long inode;
    size_t words = table == SOCKETS_TCP6 || table == SOCKETS_UDP6 ? 4 : 1;
    bool tcp = table == SOCKETS_TCP || table == SOCKETS_TCP6;
    *ret = (struct socket_item){.table = table};
    if (sscanf(line, " %*u: %63s %63s %2x %*s %*s %*s %u %*u %llu", local, remote, &state, &ret->uid,
               &inode) != 5 ||
        !parse_end(local, words, ret->local, &port) || !parse_end(remote, words, ret->remote, &port))
        return false;
    if (port == 0)
        ret->remote[0] = '\0';
    ret->inode = inode;
    ret->state = tcp    ? (state < ARRAY_SIZE(tcp_states) ? tcp_states[state] : "")
                 : port ? "CONNECTED"
                        : "BOUND";
    return true;
}

/* "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/x.sock" */
static bool parse_unix(const char *line, struct socket_item *ret)
{
    unsigned flags, state;
    unsigned long long inode;
    int name = 0;
    *ret = (struct socket_item){.table = SOCKETS_UNIX};
    if (sscanf(line, "%*x: %*x %*x %x %*x %x %llu%n", &flags, &state, &inode, &name) != 3 || name == 0)
        return false;
    line += name;
    (void)snprintf(ret->local, sizeof(ret->local), "%s", *line == ' ' ? line + 1 : "");
    str_neutralize(ret->local);
    ret->inode = inode;
    ret->state = flags & UNIX_ACCEPTS ? "LISTEN" : state == 3 ? "CONNECTED" : "UNCONNECTED";
    return true;
}

static int add(struct sockets *s, const struct socket_item *item, struct err *e)
{
    if (s->count == SOCKETS_MAX) {
        s->left_out++;
        return 0;
    }
    if ((s->count & (s->count - 1)) == 0) {
        struct socket_item *grown = reallocarray(s->items, s->count ? 2 * s->count : 1, sizeof(*grown));
        if (!grown)
            return err_oom(e);
        s->items = grown;
    }
    s->items[s->count++] = *item;
    return 0;
}

int sockets_parse(enum socket_table table, char *text, struct sockets *s, struct err *e)
{
    int r = 0;
    for (char *rest = text, *line; r == 0 && (line = strsep(&rest, "\n"));) {
        struct socket_item item;
        if (table == SOCKETS_UNIX ? parse_unix(line, &item) : parse_inet(table, line, &item))
            r = add(s, &item, e);
    }
    return r;
}

static void put_destination(struct route *r, const char *address, unsigned bits)
{
    if (bits == 0)
        (void)snprintf(r->destination, sizeof(r->destination), "default");
    else
        (void)snprintf(r->destination, sizeof(r->destination), "%s/%u", address, bits);
}

/* "eth0 00000000 0100000A 0003 0 0 0 00000000 0 0 0" */
static bool parse_route(const char *line, struct route *ret)
{
    char destination[16], gateway[16], mask[16], text[INET_ADDRSTRLEN];
    unsigned bits = 0, flags, mask_bits;
    *ret = (struct route){0};
    if (sscanf(line, "%31s %15s %15s %x %*d %*u %*d %15s", ret->interface, destination, gateway, &flags,
               mask) != 5 ||
        sscanf(mask, "%8x", &mask_bits) != 1 || (flags & ROUTE_REJECT) ||
        !parse_address(destination, 1, text, sizeof(text)))
        return false;
    for (; mask_bits; mask_bits &= mask_bits - 1)
        bits++;
    put_destination(ret, text, bits);
    if (!str_equal(gateway, "00000000") && parse_address(gateway, 1, text, sizeof(text)))
        (void)snprintf(ret->gateway, sizeof(ret->gateway), "%s", text);
    return true;
}

/* Digits of the address as one reads them. */
static bool parse_plain_v6(const char *hex, char *ret, size_t size)
{
    unsigned char address[16];
    if (strlen(hex) != 32)
        return false;
    for (size_t i = 0; i < sizeof(address); i++)
        if (sscanf(hex + 2 * i, "%2hhx", &address[i]) != 1)
            return false;
    return inet_ntop(AF_INET6, address, ret, (socklen_t)size) != NULL;
}

/* "fe80…0000 40 0000…0000 00 0000…0000 00000100 00000001 00000000 00000001 eth0" */
static bool parse_route6(const char *line, struct route *ret)
{
    char destination[40], gateway[40], text[INET6_ADDRSTRLEN];
    unsigned bits, flags;
    *ret = (struct route){0};
    if (sscanf(line, "%39s %2x %*s %*s %39s %*x %*x %*x %x %31s", destination, &bits, gateway, &flags,
               ret->interface) != 5 ||
        (flags & ROUTE_REJECT) || !parse_plain_v6(destination, text, sizeof(text)))
        return false;
    put_destination(ret, text, bits);
    if (strspn(gateway, "0") != strlen(gateway) && parse_plain_v6(gateway, text, sizeof(text)))
        (void)snprintf(ret->gateway, sizeof(ret->gateway), "%s", text);
    return true;
}

size_t routes_parse(char *text, bool v6, struct route *ret, size_t max)
{
    size_t count = 0;
    for (char *rest = text, *line; count < max && (line = strsep(&rest, "\n"));) {
        struct route *r = &ret[count];
        if (v6 ? parse_route6(line, r) : parse_route(line, r)) {
            str_neutralize(r->interface);
            count += !str_equal(r->interface, "lo");
        }
    }
    return count;
}
