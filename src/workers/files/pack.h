/* SPDX-License-Identifier: Apache-2.0 */
/* A file or tree -> a tar archive, in byte order of names. Device nodes and sockets are left out and counted. */
#pragma once

#include "base/messages.h"

int pack_path(int root_fd, const struct message_files_pack *request, int out_fd,
              struct message_files_counts *ret_counts, struct err *e);

/* What the engine itself makes in the writable layer so that it can mount on it: an empty directory or file there is none of the container's. */
struct walk_entry;
bool pack_is_mount_point(const struct walk_entry *entry);
