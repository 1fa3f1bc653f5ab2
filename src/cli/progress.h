/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line per layer (or other part), redrawn in place on a terminal. Where the output is no terminal, or with --quiet, nothing is
 * drawn. Not for use from several threads at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

#define PROGRESS_LINES_MAX 128
#define PROGRESS_LABEL_MAX 32
#define PROGRESS_STATE_MAX 48

struct progress_line {
    char label[PROGRESS_LABEL_MAX + 1];
    char state[PROGRESS_STATE_MAX + 1]; /* "Downloading", "Pull complete" */
    uint64_t done, total;               /* bytes; total 0: no bar */
};

struct progress {
    FILE *out;
    bool shown;
    unsigned width;
    size_t count;
    size_t drawn;       /* lines on the terminal */
    int64_t last_drawn; /* clock_monotonic */
    struct progress_line lines[PROGRESS_LINES_MAX];
};

void progress_start(struct progress *p, FILE *out, bool quiet);

/* Sets line `index` (lines are made up to it) and redraws, at most every 50 ms unless the state has changed. Label and state are cut to fit;
 * label may be NULL: kept. */
void progress_set(struct progress *p, size_t index, const char *label, const char *state, uint64_t done,
                  uint64_t total);

/* Draws the last state. What is printed next comes below. */
void progress_finish(struct progress *p);
