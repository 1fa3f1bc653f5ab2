/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writable layer of a container has that its image has not: added, changed, deleted (docker-diff(1)). The answer goes to a stream:
 * for each path a letter, the absolute path, and NUL, sorted, a directory in front of what is in it.
 */
#pragma once

#include "base/messages.h"

/* upper: the upper directory of an overlay mounted with userxattr; lower: its layers, topmost first. */
int changes_write(int upper, const int *lower, size_t lower_count,
                  const struct message_files_changes *request, int out_fd,
                  struct message_files_counts *ret_counts, struct err *e);
