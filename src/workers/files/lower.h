/* SPDX-License-Identifier: Apache-2.0 */
/* A path in the layers below a writable layer, as overlay merges them: whiteouts and opaque directories hide what is further down. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"

struct lower {
    const int *layers; /* topmost first */
    size_t count;
};

/* 1: there; *ret_stat, and unless ret_dir is NULL the directory it is in (owned by the caller). 0: not there. */
int lower_find(const struct lower *l, const char *path, struct stat *ret_stat, int *ret_dir, struct err *e);

/* A whiteout of overlay: character device 0:0. */
bool lower_is_whiteout(const struct stat *st);

/* The directory hides what the layers below have in it. */
bool lower_is_opaque(int dir);
