/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The own network namespace, read from /proc/net.
 */
#pragma once

#include "hello/names.h"

/* Names of the interfaces. */
void read_interfaces(struct names *ret_interfaces);

/* Listening TCP and bound UDP sockets: "tcp 8080", "udp6 53". */
void read_listeners(struct names *ret_listeners);
