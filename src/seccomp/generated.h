/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the build tool gen_filters writes. Internal to src/seccomp.
 */
#pragma once

#include <stddef.h>

#include "seccomp/tables.h"

struct filter_entry {
    const char *name;
    struct filter filter;
};

extern const struct filter_entry filter_table[];
extern const size_t filter_table_len;
