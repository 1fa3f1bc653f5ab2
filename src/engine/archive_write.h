/* SPDX-License-Identifier: Apache-2.0 */
/* The archive that `save` writes: a tar of few members with short names of ours. Members of layers come from elsewhere as bytes. */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct archive_writer {
    int fd;
    uint64_t size; /* of the member that is being written */
};

/* name: at most 100 bytes; a directory's ends in '/'. */
int archive_write_begin(struct archive_writer *w, const char *name, uint64_t size, struct err *e);
int archive_write_data(struct archive_writer *w, const void *data, size_t length, struct err *e);
int archive_write_end(struct archive_writer *w, struct err *e);

/* A whole member. */
int archive_write_member(struct archive_writer *w, const char *name, const void *data, size_t length,
                         struct err *e);

/* The end of the archive. */
int archive_write_finish(struct archive_writer *w, struct err *e);
