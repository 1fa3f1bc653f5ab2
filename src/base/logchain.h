/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of a container's log (docs/logs.md): what the shim writes into each record and what verification computes
 * anew. Needs libc only.
 *
 * A record is a line
 *
 *   {"log":"TEXT","stream":"stdout","time":"…","chain":"NUMBER:HASH"}
 *            ^text ^tail                      ^
 *
 * HASH is SHA-256 whose initial value is the hash of the record before, over TEXT as it stands in the file, followed by
 * the tail unless that is byte for byte the tail of the record before in the same file. TEXT has no quotation mark that is
 * not escaped and the tail begins with one, so no two records have the same input. The first record follows
 * logchain_begin().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LOGCHAIN_HEX 64
#define LOGCHAIN_HEAD "{\"log\":\"" /* how each line begins */
#define LOGCHAIN_HEAD_LENGTH 8
#define LOGCHAIN_OPEN ",\"chain\":\""
#define LOGCHAIN_OPEN_LENGTH 10
#define LOGCHAIN_CLOSE "\"}\n"
#define LOGCHAIN_CLOSE_LENGTH 3
/* Longest member: a number of 20 digits, a colon, the hash. */
#define LOGCHAIN_MEMBER_MAX (LOGCHAIN_OPEN_LENGTH + 20 + 1 + LOGCHAIN_HEX + LOGCHAIN_CLOSE_LENGTH)

struct logchain {
    uint64_t number;   /* of the last record; 0: there is none */
    uint32_t state[8]; /* its hash, as words */
};

/* In front of the first record: SHA-256 of the container's id, so that no log passes for another container's. */
void logchain_begin(struct logchain *c, const char *id);

/* Moves on by one record with these bytes. */
void logchain_add(struct logchain *c, const void *data, size_t length);

/* The same; writes up to LOGCHAIN_PADDING bytes behind the data. */
#define LOGCHAIN_PADDING 72
void logchain_add_in_place(struct logchain *c, void *data, size_t length);

/* The hash as LOGCHAIN_HEX digits, not terminated; and back: 0, or -1 when `hex` is no hash. */
void logchain_format(const struct logchain *c, char *ret_hex);
int logchain_parse(const char *hex, struct logchain *c);

/* Appends ,"chain":"NUMBER:HASH"} and a newline; `out` has LOGCHAIN_MEMBER_MAX bytes. Returns the length. */
size_t logchain_put(const struct logchain *c, char *out);

/* The member at the end of a line (its newline included). Returns its length, or 0 when there is none. */
size_t logchain_parse_member(const char *line, size_t length, struct logchain *ret);

/* One log's state on the disk, in shim/log/head: a text of LOGCHAIN_STATE_SIZE bytes, replaced by one pwrite(2). */
#define LOGCHAIN_STATE_FILE "head"
#define LOGCHAIN_STATE_SIZE 192

enum logchain_origin {
    LOGCHAIN_WHOLE,     /* chained from the first record on */
    LOGCHAIN_UNCHAINED, /* in front of record 1 there are lines of a version without a chain */
    LOGCHAIN_HEAD_LOST, /* this file was gone or unreadable when there were records */
};

struct logchain_state {
    struct logchain
        before;           /* the record in front of the oldest that is kept: what a removed file ended with */
    struct logchain last; /* the newest record */
    enum logchain_origin origin;
};

void logchain_state_format(const struct logchain_state *s, char ret_text[LOGCHAIN_STATE_SIZE]);
int logchain_state_parse(const char text[LOGCHAIN_STATE_SIZE], struct logchain_state *ret);
