/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a tar archive: ustar headers, with a pax header in front where a value does not fit. The same tree gives the same
 * bytes: times are whole seconds, names of users are left out, records stand in a fixed order.
 */
#pragma once

#include "workers/unpack/tar.h"

#define TAR_WRITE_BUFFER (256U << 10)

struct tar_writer {
    int fd;
    size_t used;
    uint64_t written;
    uint8_t buffer[TAR_WRITE_BUFFER];
};

void tar_writer_open(struct tar_writer *w, int fd);

/* An entry as tar.h describes it; `size` bytes of data follow for TAR_FILE. A directory's name ends in '/'. */
int tar_write_header(struct tar_writer *w, const struct tar_entry *entry, struct err *e);

/* Bytes of a file's content; after the last of `size` bytes, tar_write_padding. */
int tar_write_data(struct tar_writer *w, const void *data, size_t length, struct err *e);
int tar_write_padding(struct tar_writer *w, uint64_t size, struct err *e);

/* Everything that is still buffered. */
int tar_write_flush(struct tar_writer *w, struct err *e);

/* The two blocks of the end, and everything that is still buffered. */
int tar_write_end(struct tar_writer *w, struct err *e);
