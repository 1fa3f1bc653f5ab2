/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image archive, opened: the names of its members and where they are. casemate-unpack has looked for them; nothing of what
 * it says can do more than point at other bytes of the same archive.
 */
#pragma once

#include "base/buf.h"
#include "base/messages.h"
#include "image/load.h"

struct archive {
    int fd;        /* where the members are: the archive itself or `spool` */
    int spool_dir; /* our directory in staging/, or -1 */
    char spool_name[STORE_STAGING_NAME_MAX];
    uint64_t size; /* of fd */
    struct message_unpack_member *members;
    size_t count;
};

#define ARCHIVE_INIT               \
    {                              \
        .fd = -1, .spool_dir = -1, \
    }

int archive_open(const struct store *s, int archive_fd, struct archive *ret_archive, struct err *e);
void archive_close(const struct store *s, struct archive *a);

/* NULL when there is no such member. The last of its name counts. */
const struct message_unpack_member *archive_find(const struct archive *a, const char *name);

/* The content of a member, at most `max` bytes. */
int archive_read(const struct archive *a, const struct message_unpack_member *m, size_t max,
                 struct buf *ret_data, struct err *e);

/* A descriptor with a position of its own, at the first byte of the member. */
int archive_member_fd(const struct archive *a, const struct message_unpack_member *m, struct err *e);
