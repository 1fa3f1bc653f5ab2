/* SPDX-License-Identifier: Apache-2.0 */
/* What `stop` and `restart` can be told: which signal comes first, and how long it has. */
#pragma once

#include "base/imagerules.h"
#include "cli/options.h"
#include "engine/container.h"

struct stop_options {
    uint64_t timeout; /* seconds; PLAN_UNSET: the container's own */
    const char *signal;
    char clean[IMAGE_RULE_SIGNAL_TEXT]; /* the same as the rules of images have it */
};

extern const struct option_entry stop_option_table[];

/* Reads them from the command line. */
int stop_options_read(const struct invocation *in, struct stop_options *ret, struct err *e);

/* Makes the signal that of this container, for this command. */
int stop_options_give(const struct stop_options *o, struct container *c, struct err *e);
