/* SPDX-License-Identifier: Apache-2.0 */
/* engine/sockets: no table of a network namespace crashes the reader, and nothing in it reaches a terminal. The first byte says which. */
#include "engine/sockets.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void check_text(const char *text, size_t size)
{
    MUST(memchr(text, '\0', size) != NULL);
    for (; *text; text++)
        MUST((unsigned char)*text >= 0x20 && (unsigned char)*text != 0x7f);
}

static void try_routes(char *text, bool v6)
{
    static struct route routes[ROUTES_MAX];
    size_t n = routes_parse(text, v6, routes, ROUTES_MAX);
    MUST(n <= ROUTES_MAX);
    for (size_t i = 0; i < n; i++) {
        check_text(routes[i].destination, sizeof(routes[i].destination));
        check_text(routes[i].gateway, sizeof(routes[i].gateway));
        check_text(routes[i].interface, sizeof(routes[i].interface));
    }
}

static void try_sockets(char *text, enum socket_table table)
{
    struct err e = {0};
    struct sockets s = {0};
    MUST(sockets_parse(table, text, &s, &e) == 0);
    MUST(s.count <= SOCKETS_MAX && (s.left_out == 0 || s.count == SOCKETS_MAX));
    for (size_t i = 0; i < s.count; i++) {
        check_text(s.items[i].local, sizeof(s.items[i].local));
        check_text(s.items[i].remote, sizeof(s.items[i].remote));
        MUST(s.items[i].state != NULL && s.items[i].table == table);
    }
    sockets_clear(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = malloc(size);
    MUST(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    unsigned which = data[0] % (SOCKETS_TABLES + 2);
    if (which >= SOCKETS_TABLES)
        try_routes(text, which == SOCKETS_TABLES + 1);
    else
        try_sockets(text, (enum socket_table)which);
    free(text);
    return 0;
}
