/* SPDX-License-Identifier: Apache-2.0 */
/* What a container's shim says: whether it lives, and how the container ended. The shim has no privileges; its file is read with
 * suspicion. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct exit_record {
    int code;      /* Docker's: 0..255, 128 + signal */
    int signal;    /* 0 when it exited by itself */
    bool oom;      /* the kernel killed something in the container for memory */
    int64_t time;  /* ns since the epoch */
    uint64_t lost; /* bytes of output that could not be logged */
};

/* Reads shim/exit: 1, or 0 when there is none. A file that no shim would write is -EINVAL. */
int exit_record_read(int shim_dir_fd, struct exit_record *ret, struct err *e);

/* The same from the text of the file. */
int exit_record_parse(const char *text, struct exit_record *ret, struct err *e);

/* 1 while a shim holds its lock, 0 when none does, or a negative errno. */
int shim_alive(int shim_dir_fd);

/* The same of a container by its id, in the directory of all. */
int shim_alive_in(int containers_fd, const char *id);

/* Blocks until no shim holds the lock. */
int shim_wait(int shim_dir_fd, struct err *e);
