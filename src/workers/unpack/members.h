/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the members of an image archive are, without unpacking it: no name that the archive gives ever becomes the name of a
 * file. The archive is used in place when it is a plain tar in a regular file; else it is decompressed into one file.
 */
#pragma once

#include "base/messages.h"

/* Writes struct message_unpack_member, in the archive's order, to `answer`. */
int members_find(int archive, bool seekable, int spool, int answer,
                 struct message_unpack_index_done *ret_done, struct err *e);
