/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages between the engine and its workers: the whole trust boundary in one place.
 *
 * The engine is trusted. A worker may be subverted by the bytes it parses, from its first byte on. So:
 *  - the engine starts a worker with one socket (descriptor 3), tells it what to do with one request message that also
 *    brings every descriptor it may use, and then only listens;
 *  - payloads are the fixed structs below; type and exact length are checked before a field is read;
 *  - text in a payload is NUL-terminated inside its array (message_text_ok) and is content, never a path or a format;
 *  - what does not fit a payload goes through a sealed memory file or a pipe whose size is limited by the receiver;
 *  - a message that breaks a rule ends the worker and fails the operation, nothing else.
 *
 * Numbers: type = 0xWWNN, WW the worker (01 any, 02 fetch, 03 parse, 04 unpack, 05 seccomp).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

enum message_type {
    MESSAGE_FAILED = 0x0101,   /* worker -> engine: struct message_failed; the worker exits */
    MESSAGE_PROGRESS = 0x0102, /* worker -> engine: struct message_progress; any number of times */
    MESSAGE_DONE = 0x0103,     /* worker -> engine: empty; for requests without a richer result */
};

struct message_failed {
    int32_t code;             /* positive errno */
    char text[ERR_TEXT_MAX];  /* what failed; the engine neutralises it and puts context in front */
};

struct message_progress {
    uint64_t done;  /* bytes */
    uint64_t total; /* bytes; 0 when not known */
};

/* True when the array holds a NUL. */
static inline bool message_text_ok(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}
