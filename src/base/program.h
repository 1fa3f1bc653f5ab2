/* SPDX-License-Identifier: Apache-2.0 */
/* Helper programs of Casemate: opened, to be executed by that descriptor. */
#pragma once

#include "base/err.h"

/* O_PATH descriptor of LIBEXECDIR/NAME, its number at least `lowest`. -EPERM when it could have been changed by others than the
 * administrator: owner and mode of the file and of its directory. */
int program_open(const char *name, int lowest, struct err *e);

/* The same judgement of one opened file or directory; `path` is how it is called. */
int program_check(int fd, const char *path, struct err *e);
