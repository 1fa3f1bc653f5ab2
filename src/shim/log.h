/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's log: shim/log/log and its older files log.1, log.2 …, at most `files` of at most `size_max` bytes (one line
 * may exceed it). Its records are chained (base/logchain.h) over files and starts; shim/log/head says where the log ends.
 * Nothing is dropped while the container lives: when the disk refuses, log_add refuses, and whoever calls it stops
 * reading the container's output, or counts a gap.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/logchain.h"
#include "shim/encode.h"

#define LOG_LINE_MAX (ENCODE_ESCAPED_MAX + ENCODE_TAIL_MAX + LOGCHAIN_HEAD_LENGTH + LOGCHAIN_MEMBER_MAX)
#define LOG_BUFFER (LOG_LINE_MAX + 131072)

/* The tail of the record before, which the next one has too when stream and time are the same. */
struct log_tail {
    const char *stream; /* NULL: none in this file */
    int64_t time;
    size_t length;
    char text[ENCODE_TAIL_MAX];
};

struct log {
    int dir;           /* shim/log */
    int fd;            /* -1 while a new file could not be made */
    int head;          /* shim/log/head */
    uint64_t size_max; /* 0: never rotated */
    unsigned files;
    uint64_t size;     /* of the file, with what is pending */
    bool failing;      /* the disk refused the last attempt */
    bool given_up;     /* what comes now is counted in `lost` instead of written */
    uint64_t lost;     /* bytes that are not in the log */
    uint64_t gap;      /* bytes that were left out since the last record (log_skip) */
    const char *attrs; /* JSON object of each record, "" for none */
    struct logchain chain;
    struct logchain_state state; /* as it is on the disk */
    struct log_tail tail;
    size_t start; /* pending: buffer[start .. end) */
    size_t end;
    char buffer[LOG_BUFFER];
};

/* Opens or makes the directory, the newest file and the head, and finds where the chain goes on. `id` and `attrs` are borrowed.
 * 0 or a negative errno. */
int log_open(struct log *l, int shim_dir, const char *id);

/* Adds one line (at most ENCODE_TEXT_MAX bytes). False: it cannot be taken now, nothing was changed. */
bool log_add(struct log *l, const unsigned char *data, size_t length, const char *stream, int64_t now);

/* Instead of log_add: these bytes are left out on purpose. The record behind says how many. */
void log_skip(struct log *l, size_t length);

/* Adds a record that says that the journal or syslog has not got so many bytes. False: the disk refuses. */
bool log_tell_unsent(struct log *l, uint64_t length, const char *stream, int64_t now);

/* At the end: gaps that no record has told of yet. */
void log_finish(struct log *l, const char *stream, int64_t now);

/* Writes what is pending. True when nothing is left. */
bool log_flush(struct log *l);

/* Stops trying: what is pending and all that comes is counted as lost. */
void log_give_up(struct log *l);

/* log_files.c, for log.c. Name of file `number`, 0: the newest. */
#define LOG_NAME_MAX 24
void log_file_name(unsigned number, char name[LOG_NAME_MAX]);

/* Opens the newest file; half a line at its end, which a killed shim has left, goes. */
int log_open_newest(struct log *l);

/* Begins a new file; called with nothing pending. The oldest goes when there are `files`. */
bool log_rotate(struct log *l);

/* log_head.c: finds out where the chain goes on; and writes l->state. */
int log_head_open(struct log *l, const char *id);
bool log_head_write(struct log *l);
/* The chain member at the end of the last line of a file. 1, or 0 when there is none. */
int log_last_chain(int fd, uint64_t size, struct logchain *ret);
