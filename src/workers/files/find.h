/* SPDX-License-Identifier: Apache-2.0 */
/* What stands at a path of the root. Resolved by the kernel inside the root: links of a container lead nowhere else. */
#pragma once

#include "base/messages.h"

int find_path(int root_fd, const struct message_files_path *request, struct message_files_found *ret_found,
              struct err *e);
