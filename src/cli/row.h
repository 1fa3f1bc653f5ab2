/* SPDX-License-Identifier: Apache-2.0 */
/* A container as `ps` shows it. */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>

#include "engine/container.h"

/* An object with the fields of Docker's `ps --format`: ID, Image, Command, CreatedAt, RunningFor, State, Status, Names, Labels, Mounts… */
int row_make(const struct container *c, int64_t now, bool no_trunc, struct json_object **ret_row,
             struct err *e);

/* "Up 3 minutes", "Exited (0) 2 hours ago", "Exited (1) 2 hours ago (setgid refused)"; owned. */
int row_status(const struct container *c, int64_t now, char **ret_text, struct err *e);

/* Measures the writable layer, for the field Size. */
int row_add_size(const struct store *s, const struct container *c, struct json_object *row, struct err *e);
