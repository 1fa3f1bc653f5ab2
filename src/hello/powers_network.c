/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Powers over the network (contract: try_powers.h). Sockets are opened and closed, nothing is sent.
 */
#include "hello/try_powers.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

#define RESERVED_PORT 1

static bool socket_opens(int family, int type, int protocol)
{
    _cleanup_close_ int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    return fd >= 0;
}

static long try_raw_socket(const void *unused)
{
    (void)unused;
    return socket_opens(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static long try_packet_socket(const void *unused)
{
    (void)unused;
    return socket_opens(AF_PACKET, SOCK_RAW, 0);
}

/* Bound, never listening. */
static long try_reserved_port(const void *unused)
{
    (void)unused;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(RESERVED_PORT)};
    _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    return bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 || errno == EADDRINUSE;
}

/* Changes an interface that does not exist. */
static long try_net_admin(const void *unused)
{
    (void)unused;
    struct ifreq request = {.ifr_name = "casemate-none"};
    _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) < 0 && errno == ENODEV;
}

struct powers powers_network(void)
{
    static const struct power list[] = {
        {"raw_socket", try_raw_socket},
        {"packet_socket", try_packet_socket},
        {"port_below_1024", try_reserved_port},
        {"net_admin", try_net_admin},
    };
    return (struct powers){list, ARRAY_SIZE(list)};
}
