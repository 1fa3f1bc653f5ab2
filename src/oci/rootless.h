/* SPDX-License-Identifier: Apache-2.0 */
/* Callers without the rights of the host's root. */
#pragma once

#include <stdbool.h>

/* True for an ordinary user, also for one that is root in a user namespace of its own (as Podman's). */
bool oci_is_rootless(void);
