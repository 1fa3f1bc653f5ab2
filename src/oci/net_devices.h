/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.netDevices: interfaces of the runtime's network namespace that the container gets, with their addresses (config-linux.md,
 * "Network Devices"). Where they go when the container ends is the kernel's: those of hardware come back, others end with the namespace.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "oci/config.h"

/* Names that interfaces can have. -EINVAL names the field. */
int oci_net_devices_check(const struct schema_list *devices, struct err *e);

/* Where one of them went. */
struct oci_net_given {
    bool moved, was_up;
    char name[IFNAMSIZ]; /* there */
};

/* Moves them into the network namespace of a process that waits, and takes them up there. *ret_given: as many as there are devices, the
 * caller's to free. On failure those that were moved are back. */
int oci_net_devices_give(const struct schema_list *devices, pid_t pid, struct oci_net_given **ret_given,
                         struct err *e);

/* Takes them back while the process still lives: the creation has failed later. `given` may be NULL. */
void oci_net_devices_take_back(const struct schema_list *devices, const struct oci_net_given *given,
                               pid_t pid);
