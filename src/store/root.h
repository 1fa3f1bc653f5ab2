/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data root: where everything that outlives a command is kept (ARCHITECTURE.md, "Where things are on disk").
 * Opening makes what is missing, checks owner and mode, and refuses a format version it does not know.
 */
#pragma once

#include "base/err.h"

#define STORE_FORMAT 1

struct store {
    int root;       /* data root */
    int layers;     /* layers/ */
    int images;     /* images/ */
    int containers; /* containers/ */
    int names;      /* names/ */
    int volumes;    /* volumes/ */
    int staging;    /* staging/: half-made things; each entry is locked (flock) by its maker while alive */
    int cache;      /* cache/: compiled filters; may be removed at any time */
    int run;        /* the run directory (not below the data root) */
};

#define STORE_INIT                         \
    {                                      \
        -1, -1, -1, -1, -1, -1, -1, -1, -1 \
    }

/* Opens and, when needed, makes the data root and the run directory. */
int store_open(struct store *ret_store, struct err *e);
void store_close(struct store *s);

/* The owners and modes that opening insists on, judged anew: -EPERM says what is wrong and how to mend it. */
int store_check(const struct store *s, struct err *e);
#define _cleanup_store_ _cleanup_(store_close)

/* Makes a fresh directory in staging/ and returns its locked descriptor; ret_name holds STORE_STAGING_NAME_MAX bytes. */
#define STORE_STAGING_NAME_MAX 72
int store_staging_make(const struct store *s, char *ret_name, struct err *e);

/* Removes what killed commands have left in staging/ (entries whose lock nobody holds). */
int store_staging_sweep(const struct store *s, struct err *e);
