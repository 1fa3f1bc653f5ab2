/* SPDX-License-Identifier: Apache-2.0 */
/* A pseudo terminal of the container's own devpts. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* Opens a new pair: the master is returned, *ret_slave the slave, owned by `owner`; *ret_number names it in /dev/pts. pts_fd must be
 * the root of a devpts mount (checked). */
int terminal_open(int pts_fd, uid_t owner, int *ret_slave, unsigned *ret_number, struct err *e);

/* Makes the slave the controlling terminal and standard streams of the calling session leader. */
int terminal_take(int slave, struct err *e);
