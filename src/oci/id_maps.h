/* SPDX-License-Identifier: Apache-2.0 */
/* linux.uidMappings and gidMappings of a process in a user namespace of its own. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "oci/config.h"

/* Writes them: as root oneself; as an ordinary user oneself when it is the user's own id alone, else newuidmap(1) and newgidmap(1) do. */
int oci_id_maps_write(const struct oci_linux *l, pid_t pid, struct err *e);

/* True when a process there may set its groups afterwards: a user that has mapped itself may not. */
bool oci_id_maps_allow_groups(const struct oci_linux *l);
