/* SPDX-License-Identifier: Apache-2.0 */
/* The files of one container's log (base/shimproto.h). They were written by a shim: every name is opened with suspicion. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define LOGS_FILES_MAX 64           /* no log has more */
#define LOGS_LINE_MAX (128U * 1024) /* more than the shim's longest record */
#define LOGS_NAME_MAX 16            /* "log.63" */

struct logs_files {
    int fds[LOGS_FILES_MAX]; /* newest first */
    size_t count;
};

void logs_files_close(struct logs_files *f);
#define _cleanup_logs_files_ _cleanup_(logs_files_close)

/* "log" for 0, "log.N". */
void logs_file_name(unsigned number, char name[LOGS_NAME_MAX]);

/* Opens one: -ENOENT, without e, when there is none. */
int logs_file_open(int log_dir, unsigned number, struct err *e);

/* Opens all, newest first: one that is rotated meanwhile is met again, never missed. */
int logs_files_open(int log_dir, struct logs_files *ret, struct err *e);

bool logs_same_file(int a, int b);
