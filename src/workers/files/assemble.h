/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the tar of a layer together again from its skeleton and its files (workers/unpack/skeleton.h). */
#pragma once

#include "base/messages.h"

/* root_fd: the layer's directory. The skeleton may be hostile: it can bring out nothing but its own bytes and those of the layer's files. */
int assemble_layer(int root_fd, int skeleton_fd, int out_fd, struct message_files_counts *ret_counts,
                   struct err *e);
