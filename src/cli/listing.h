/* SPDX-License-Identifier: Apache-2.0 */
/* Lists as `ps` and `images` print them: a table, or what --format asks for. */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>

#include "base/err.h"

struct listing_column {
    const char *field; /* name in the row objects and in --format */
    const char *header;
    bool shown; /* in the table that is printed without --format */
};

/*
 * Prints rows (an array of objects, all with the same members, mostly strings) to stdout.
 *   format NULL or "table"  the shown columns, cut to the terminal unless no_trunc
 *   "json"                  one object per line
 *   "table TEMPLATE"        what the template makes of each row, cells divided by \t, under headings
 *   TEMPLATE                (template.h) one line per row
 * columns ends with a NULL field.
 */
int listing_print(const struct listing_column *columns, struct json_object *rows, const char *format,
                  bool no_trunc, struct err *e);
