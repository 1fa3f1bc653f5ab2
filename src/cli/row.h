/* SPDX-License-Identifier: Apache-2.0 */
/* A container as `ps` shows it. */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>

#include "cli/table.h"
#include "engine/container.h"

enum row_extent {
    ROW_SHOWN, /* ID, Image, Command, RunningFor, Status, Ports, Names: what the table has */
    ROW_WHOLE, /* all fields of Docker's `ps --format`: also CreatedAt, State, Labels, Mounts… */
};

int row_make(const struct container *c, int64_t now, enum row_extent extent, bool no_trunc,
             struct json_object **ret_row, struct err *e);

/* The cells of ROW_SHOWN, in that order, without an object in between. */
#define ROW_CELLS 7
int row_add_cells(const struct container *c, int64_t now, bool no_trunc, struct table *t, struct err *e);

/* "Up 3 minutes", "Exited (0) 2 hours ago", "Exited (1) 2 hours ago (setgid refused)"; owned. */
int row_status(const struct container *c, int64_t now, char **ret_text, struct err *e);

/* Measures the writable layer, for the field Size. */
int row_add_size(const struct store *s, const struct container *c, struct json_object *row, struct err *e);
