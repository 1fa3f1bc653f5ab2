/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container has written: shim/log/log and its older files (base/shimproto.h). The files belong to the shim, which has no
 * privileges: lines that are no entries, or longer than any entry, are left out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LOGS_ALL UINT64_MAX

struct logs_entry {
    const char *text; /* not terminated; ends with a newline unless the line goes on in the next entry */
    size_t length;
    bool from_stderr;
    int64_t time;      /* ns since the epoch */
    const char *attrs; /* JSON object of labels and variables; NULL: none */
    uint64_t lost;     /* the entry has no text, but says that so many bytes were left out here */
};

struct logs_options {
    uint64_t tail;                  /* LOGS_ALL, or how many of the last entries */
    int64_t since;                  /* ns; entries before are left out; 0: none are */
    int64_t until;                  /* ns; entries after are left out; 0: none are */
    bool follow;                    /* go on until no shim holds the lock … */
    bool (*returns)(void *context); /* … and this, if not NULL, says that none will soon */
    /* A negative result ends the reading with e. */
    int (*visit)(const struct logs_entry *entry, void *context, struct err *e);
    void *context;
};

/* Entries in the order in which they were written. No log at all: none. */
int logs_read(int shim_dir_fd, const struct logs_options *options, struct err *e);

/* The same of a directory of log files alone, which no shim writes any more. */
int logs_read_kept(int log_dir_fd, const struct logs_options *options, struct err *e);
