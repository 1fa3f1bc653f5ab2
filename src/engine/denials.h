/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container was refused while it ran, as its shim's notice process has counted it (base/shimproto.h), and what would allow it. The
 * record is written without privileges, and the names in it are what processes of the container call themselves: it is read with suspicion.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/shimproto.h"

enum denial_kind {
    DENIAL_CALL,
    DENIAL_OTHERS, /* calls that the record had no line for */
    DENIAL_PIDS,   /* processes that the limit did not allow */
};

struct denial {
    enum denial_kind kind;
    int number;     /* DENIAL_CALL: of the system call */
    uint64_t count; /* DENIAL_PIDS: 0 when it is only known that the limit was reached */
    char process[SHIM_DENIAL_NAME_MAX + 1]; /* which was refused first, printable ASCII; "" */
};

struct denials {
    struct denial items[SHIM_DENIALS_MAX];
    size_t count;
};

/* The text of the record. Fails when no shim would have written it. */
int denials_parse(const char *text, size_t length, struct denials *ret, struct err *e);

/* Reads the record of the last run; there is none: *ret is empty. */
int denials_read(int shim_dir_fd, struct denials *ret, struct err *e);

/* Removes the record before a new run; 0 or -1 and errno. */
int denials_forget(int shim_dir_fd);

/* After the end: 1 when the record has not been taken yet, and from now on counts as taken. 0: it has been, or there is none. */
int denials_take(int shim_dir_fd);

/* Name of the call, "system call 999", "other system calls", "new processes". At least DENIAL_TEXT bytes. */
#define DENIAL_TEXT 64
const char *denial_text(const struct denial *d, char *buffer);
