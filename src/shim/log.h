/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's log: shim/log/log and its older files log.1, log.2 …, at most `files` of at most `size_max` bytes (one line
 * may exceed it). Nothing is dropped while the container lives: when the disk refuses, log_add refuses, and whoever
 * calls it stops reading the container's output.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/encode.h"

#define LOG_BUFFER (ENCODE_LINE_MAX + 32768)

struct log {
    int dir;           /* shim/log */
    int fd;            /* -1 while a new file could not be made */
    uint64_t size_max; /* 0: never rotated */
    unsigned files;
    uint64_t size; /* of the file, with what is pending */
    bool failing;  /* the disk refused the last attempt */
    bool given_up; /* what comes now is counted in `lost` instead of written */
    uint64_t lost; /* bytes that are not in the log */
    size_t start;  /* pending: buffer[start .. end) */
    size_t end;
    char buffer[LOG_BUFFER];
};

/* Opens or makes the directory and the newest file. 0 or a negative errno. */
int log_open(struct log *l, int shim_dir, uint64_t size_max, unsigned files);

/* Adds one line (at most ENCODE_TEXT_MAX bytes). False: it cannot be taken now, nothing was changed. */
bool log_add(struct log *l, const unsigned char *data, size_t length, const char *stream, int64_t now);

/* Writes what is pending. True when nothing is left. */
bool log_flush(struct log *l);

/* Stops trying: what is pending and all that comes is counted as lost. */
void log_give_up(struct log *l);
