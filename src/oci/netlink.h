/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few requests to rtnetlink(7) that moving an interface takes. A socket speaks of the network namespace in which it was made, wherever
 * its owner goes.
 */
#pragma once

#include <linux/if_addr.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define NETLINK_ADDRESSES_MAX 256 /* of one interface */
#define NETLINK_ADDRESS_SIZE 16   /* of the longest family's */

struct netlink_address {
    uint8_t family, prefix, scope;
    uint8_t length;                          /* bytes of each of the following */
    bool has_local, has_peer, has_broadcast; /* IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST */
    unsigned char local[NETLINK_ADDRESS_SIZE], peer[NETLINK_ADDRESS_SIZE], broadcast[NETLINK_ADDRESS_SIZE];
    char label[IFNAMSIZ]; /* "" when there is none */
    uint32_t flags;       /* IFA_F_* */
    uint32_t priority;    /* of its route, 0: the kernel's */
};

struct netlink_addresses {
    unsigned n;
    struct netlink_address list[NETLINK_ADDRESSES_MAX];
};

/* A socket in the caller's network namespace. */
int netlink_open(struct err *e);

/* Number and IFF_* of an interface. -ENODEV when there is none of that name. */
int netlink_find(int s, const char *name, int *ret_index, unsigned *ret_flags, struct err *e);

/* Takes an interface up or down. */
int netlink_set_up(int s, int index, bool up, struct err *e);

/* Moves an interface to another namespace, where it has that name. The kernel takes it down and forgets its addresses. */
int netlink_move(int s, int index, int netns, const char *name, struct err *e);

/* All addresses of an interface. -E2BIG for more than NETLINK_ADDRESSES_MAX. */
int netlink_read_addresses(int s, int index, struct netlink_addresses *ret, struct err *e);

int netlink_add_address(int s, int index, const struct netlink_address *a, struct err *e);
