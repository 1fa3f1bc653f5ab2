/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies what the image has at a place into the volume that will cover it. Runs in the container's first process: with the rights and ids
 * of the container's root and none outside, on trees that may be hostile. Every name is one component below a descriptor; links are
 * copied, never followed.
 *
 * A file appears with all its bytes or not at all, and what is there already stays: a copy that was interrupted is finished by
 * doing it again.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define FILL_DEPTH_MAX 200 /* directories below each other; each takes two descriptors */
#define FILL_HARD_LINKS_MAX \
    4096 /* files with several names that are known at a time; one more is copied for each name */
#define FILL_XATTRS_MAX 65536 /* bytes: XATTR_LIST_MAX and XATTR_SIZE_MAX of the kernel */

struct fill_request {
    int from;  /* directory of the image, readable */
    int to;    /* of the volume */
    int proc;  /* /proc of the container: files get their names through it */
    bool sync; /* wait until it is on the disk */
};

/* Files, directories, symbolic links, fifos and sockets with owner, mode, times, hard links and extended attributes (user.*,
 * security.capability, ACLs). Devices are left out. The directory `to` itself is not changed. */
int fill_tree(const struct fill_request *request, struct err *e);
