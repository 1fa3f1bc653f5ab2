/* SPDX-License-Identifier: Apache-2.0 */
/* -o FILE of verbs that write an archive: the file is there when it is complete, and a killed command leaves nothing. */
#pragma once

#include "base/err.h"

struct output_file {
    const char *path; /* NULL: standard output */
    int fd;
    int dir; /* of the path; -1: the file is written in place */
};

#define OUTPUT_FILE_INIT \
    {                    \
        NULL, -1, -1     \
    }

void output_file_close(struct output_file *o);
#define _cleanup_output_file_ _cleanup_(output_file_close)

/* path NULL: standard output, which must not be a terminal. Devices and pipes are written in place. */
int output_file_open(const char *path, struct output_file *ret, struct err *e);

/* Gives the file its name. */
int output_file_finish(struct output_file *o, struct err *e);
