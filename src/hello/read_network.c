/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interfaces and listeners (read_network.h).
 */
#include "hello/read_network.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define LINE_LENGTH_MAX 512
#define TCP_LISTEN 0x0a
#define UDP_BOUND 0x07
#define DEV_HEADING_LINES 2

void read_interfaces(struct names *ret_interfaces)
{
    char line[LINE_LENGTH_MAX];
    _cleanup_fclose_ FILE *f = fopen("/proc/net/dev", "re");
    for (int n = 0; f && fgets(line, sizeof(line), f); n++) {
        const char *name = line + strspn(line, " ");
        size_t length = strcspn(name, ":");
        if (n >= DEV_HEADING_LINES && name[length] == ':')
            names_add_format(ret_interfaces, "%.*s", (int)length, name);
    }
}

static void table_read(const char *protocol, unsigned listening, struct names *ret_listeners)
{
    char path[64], line[LINE_LENGTH_MAX];
    (void)snprintf(path, sizeof(path), "/proc/net/%s", protocol);
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f)) {
        unsigned port, state;
        if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &port, &state) == 2 &&
            state == listening)
            names_add_format(ret_listeners, "%s %u", protocol, port);
    }
}

void read_listeners(struct names *ret_listeners)
{
    table_read("tcp", TCP_LISTEN, ret_listeners);
    table_read("tcp6", TCP_LISTEN, ret_listeners);
    table_read("udp", UDP_BOUND, ret_listeners);
    table_read("udp6", UDP_BOUND, ret_listeners);
}
