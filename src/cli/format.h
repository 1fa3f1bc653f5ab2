/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --format: `{{.Field}}`, `{{.Field.Field}}` and `{{json .Field}}` within literal text, on JSON objects. Other constructs of
 * Go's templates are an error that says so.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

#define FORMAT_PARTS_MAX 64

struct format_part {
    const char *text; /* literal text, or the path: ".State.Pid", "." */
    size_t length;
    bool field;
    bool json; /* print as JSON */
};

/* Borrows the text it was parsed from. */
struct format {
    struct format_part parts[FORMAT_PARTS_MAX];
    size_t count;
};

int format_parse(const char *text, struct format *ret_format, struct err *e);

/* The member that a path (".A.B") of this length names; borrowed, *ret may be NULL (null). Absent: -ENOENT. */
int format_lookup(struct json_object *o, const char *path, size_t length, struct json_object **ret,
                  struct err *e);

/* One part as text, control characters made visible; owned. */
int format_part_text(const struct format_part *part, struct json_object *o, char **ret_text, struct err *e);

/* All parts and a newline. `escapes`: \t and \n in the literal text stand for themselves (as in lists, not in inspect). */
int format_print(const struct format *f, struct json_object *o, bool escapes, FILE *out, struct err *e);

/* Prints literal text, with \t and \n replaced when `escapes`. */
void format_print_literal(const char *text, size_t length, bool escapes, FILE *out);
