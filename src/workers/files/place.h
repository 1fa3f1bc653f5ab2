/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar archive -> files below an existing directory. The archive is hostile, and so may be whoever else writes to that directory
 * meanwhile: no entry goes through a symbolic link or "..", an existing link is replaced, not followed, and a directory never makes way
 * for something else. Device nodes are left out and counted.
 */
#pragma once

#include "base/messages.h"

int place_archive(int root_fd, const struct message_files_place *request, int in_fd,
                  struct message_files_counts *ret_counts, struct err *e);
