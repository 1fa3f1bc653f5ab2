/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a process in a container is: a user string against the container's own /etc/passwd and /etc/group.
 *
 * These files are hostile. They are read by the container's process itself, after it has lost every power over the host and
 * before it is given to the user's program, with bounds on size, line and count. Numbers are numbers: an all-digit text
 * is never looked up as a name (CVE-2016-3697), and nothing above 65,533 exists in a container's id block.
 */
#pragma once

#include <limits.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

#define USER_FILE_MAX (4U << 20) /* bytes of passwd or group that are read */
#define USER_LINE_MAX 65536
#define USER_GROUPS_MAX 256
#define USER_ID_MAX 65533U

struct user_identity {
    uid_t uid;
    gid_t gid;
    gid_t groups[USER_GROUPS_MAX]; /* supplementary, exact, without duplicates */
    size_t group_count;
    char home[PATH_MAX]; /* absolute; "/" when unknown */
};

/* `user` is "" (uid 0), NAME or UID with optional :GROUP or :GID. `groups` are added. root_fd is the container's root. */
int user_resolve(int root_fd, const char *user, const struct str_list *groups, struct user_identity *ret,
                 struct err *e);
