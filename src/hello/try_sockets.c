/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens sockets of every family (try_sockets.h). Each is closed at once and none is bound or connected, but for the one datagram
 * socket that asks for a route. On a host without a filter the kernel may load the module of a family, as for any user who asks.
 */
#include "hello/try_sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FAMILIES_MAX 46
#define NETLINK_PROTOCOLS_MAX 23
#define METADATA_ADDRESS 0xa9fea9feU /* 169.254.169.254 */
#define HTTP_PORT 80

static const char *const family_names[FAMILIES_MAX] = {
    [1] = "UNIX",       [2] = "INET",
    [3] = "AX25",       [4] = "IPX",
    [5] = "APPLETALK",  [6] = "NETROM",
    [7] = "BRIDGE",     [8] = "ATMPVC",
    [9] = "X25",        [10] = "INET6",
    [11] = "ROSE",      [12] = "DECNET",
    [15] = "KEY",       [AF_NETLINK] = "NETLINK",
    [17] = "PACKET",    [20] = "ATMSVC",
    [21] = "RDS",       [23] = "IRDA",
    [24] = "PPPOX",     [26] = "LLC",
    [27] = "IB",        [28] = "MPLS",
    [29] = "CAN",       [30] = "TIPC",
    [31] = "BLUETOOTH", [32] = "IUCV",
    [33] = "RXRPC",     [34] = "ISDN",
    [35] = "PHONET",    [36] = "IEEE802154",
    [37] = "CAIF",      [38] = "ALG",
    [39] = "NFC",       [40] = "VSOCK",
    [41] = "KCM",       [42] = "QIPCRTR",
    [43] = "SMC",       [44] = "XDP",
    [45] = "MCTP",
};

static const char *const netlink_names[NETLINK_PROTOCOLS_MAX] = {
    [0] = "ROUTE",          [2] = "USERSOCK",   [4] = "SOCK_DIAG",       [6] = "XFRM",
    [7] = "SELINUX",        [8] = "ISCSI",      [9] = "AUDIT",           [10] = "FIB_LOOKUP",
    [11] = "CONNECTOR",     [12] = "NETFILTER", [15] = "KOBJECT_UEVENT", [16] = "GENERIC",
    [18] = "SCSITRANSPORT", [20] = "RDMA",      [21] = "CRYPTO",         [22] = "SMC",
};

static bool socket_opens(int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

static bool netlink_opens(int protocol)
{
    return socket_opens(AF_NETLINK, SOCK_RAW, protocol);
}

static bool netlink_beyond_route(void)
{
    for (int protocol = 1; protocol < NETLINK_PROTOCOLS_MAX; protocol++)
        if (netlink_opens(protocol))
            return true;
    return false;
}

static bool family_opens(int family)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW};
    if (family == AF_NETLINK)
        return netlink_beyond_route();
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (socket_opens(family, types[i], 0))
            return true;
        if (errno == EAFNOSUPPORT)
            return false; /* no type of it; each try may cost the kernel a look for a module */
    }
    return false;
}

void try_socket_families(struct names *families)
{
    for (int family = 1; family < FAMILIES_MAX; family++) {
        if (!family_opens(family))
            continue;
        if (family_names[family])
            names_add(families, family_names[family]);
        else
            names_add_format(families, "AF_%d", family);
    }
}

void try_netlink_protocols(struct names *protocols)
{
    for (int protocol = 0; protocol < NETLINK_PROTOCOLS_MAX; protocol++) {
        if (!netlink_opens(protocol))
            continue;
        if (netlink_names[protocol])
            names_add(protocols, netlink_names[protocol]);
        else
            names_add_format(protocols, "NETLINK_%d", protocol);
    }
}

bool try_metadata_route(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(HTTP_PORT), .sin_addr.s_addr = htonl(METADATA_ADDRESS)};
    _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}
