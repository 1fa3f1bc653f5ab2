/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into a container for `debug`: one directory as records (struct message_files_entry), or the bytes of one regular file. */
#pragma once

#include "base/messages.h"

/* counts->entries: how many there are, also those beyond request->max. A path that is no directory: itself alone. */
int show_list(int root_fd, const struct message_files_show *request, int out_fd,
              struct message_files_counts *ret_counts, struct err *e);

/* counts->bytes: how many were written. */
int show_file(int root_fd, const struct message_files_show *request, int out_fd,
              struct message_files_counts *ret_counts, struct err *e);
