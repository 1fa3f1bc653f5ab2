/* SPDX-License-Identifier: Apache-2.0 */
/* Subordinate ids of an ordinary user: subuid(5), subgid(5). */
#pragma once

#include <stdint.h>

#include "base/err.h"

#define SUBID_NAME_MAX 256

struct subid_range {
    uint32_t first;
    uint32_t count;
};

/* The largest range that a text in the form of subuid(5) gives to a user, by name or by number. {0, 0}: none. Lines that are
 * malformed are passed over, as newuidmap(1) does. */
struct subid_range subid_find(const char *text, const char *name, uint32_t uid);

/* Reads /etc/subuid and /etc/subgid for the user who calls. -ENOENT when one gives nothing, with the command that mends it; -ERANGE when
 * it is too small. ret_name gets the user's name. */
int subid_read(struct subid_range *ret_uids, struct subid_range *ret_gids, char ret_name[SUBID_NAME_MAX],
               struct err *e);
