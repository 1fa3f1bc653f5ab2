/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that leave a container running: recognised in what is typed, and held back until it is clear that they are meant. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define DETACH_KEYS_MAX 16
#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"

struct detach_keys {
    unsigned char keys[DETACH_KEYS_MAX];
    size_t count;   /* 0: none, nothing ever matches */
    size_t matched; /* typed so far */
};

/* "ctrl-p,ctrl-q": letters and ctrl-a … ctrl-z, ctrl-@ ctrl-[ ctrl-\ ctrl-] ctrl-^ ctrl-_, divided by commas. NULL: the default; "": none. */
int detach_keys_parse(const char *text, struct detach_keys *ret_keys, struct err *e);

/* Takes typed bytes and writes those that go on to the container (room for length + DETACH_KEYS_MAX). True when the keys were typed: what
 * follows them is dropped. */
bool detach_keys_feed(struct detach_keys *k, const unsigned char *typed, size_t length,
                      unsigned char *ret_pass, size_t *ret_length);
