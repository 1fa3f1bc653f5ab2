/* SPDX-License-Identifier: Apache-2.0 */
/* The small files of a container directory that say how its starts went. Written by the engine alone. */
#pragma once

#include "base/err.h"
#include "engine/container.h"

#define RECORD_STARTED "started.json"
#define RECORD_ERROR "error"

/* Replaces containers/<id>/started.json. */
int record_write_start(int dir, const struct container_start *start, struct err *e);

/* The container has never been started. */
void record_forget_start(int dir);

/* Absent: *ret is zeroed. */
int record_read_start(int dir, struct container_start *ret, struct err *e);

/* Why a start failed; "" removes it. Failure to write is not an error. */
void record_write_error(int dir, const char *text);
void record_read_error(int dir, char *ret_text, size_t size);
