/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which sockets open, and whether the metadata address of clouds has a route.
 */
#pragma once

#include <stdbool.h>

#include "hello/names.h"

/* Families of which at least one type opens. AF_NETLINK counts when a protocol other than ROUTE opens: C libraries list interfaces and
 * addresses through ROUTE, which shows the own network namespace only. */
void try_socket_families(struct names *families);

/* The netlink protocols that open, ROUTE included. */
void try_netlink_protocols(struct names *protocols);

/* Is there a route to 169.254.169.254? Connects a datagram socket; nothing is sent. */
bool try_metadata_route(void);
