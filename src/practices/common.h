/* SPDX-License-Identifier: Apache-2.0 */
/* What practices judge of the engine's containers and of the OCI runtime's alike. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/capname.h"

/* linux/capability.h: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot, mknod,
 * audit_write, setfcap. What Docker gives by default: they act on the container's own ids and namespaces only. */
#define PRACTICE_COMMON_CAPABILITIES                                                                         \
    (CAP_BIT(0) | CAP_BIT(1) | CAP_BIT(3) | CAP_BIT(4) | CAP_BIT(5) | CAP_BIT(6) | CAP_BIT(7) | CAP_BIT(8) | \
     CAP_BIT(10) | CAP_BIT(13) | CAP_BIT(18) | CAP_BIT(27) | CAP_BIT(29) | CAP_BIT(31))

/* A device that acts on nothing but the container, or on one thing that somebody has plugged in. type: 'c' or 'b'. */
bool practice_device_is_harmless(char type, uint32_t major_number, uint32_t minor_number);
