/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of text. What is printed never holds an escape sequence: cells are neutralised. */
#pragma once

#include <stdio.h>

#include "base/str.h"

struct table {
    size_t columns;
    struct str_list cells; /* row by row, the headers first */
};

#define _cleanup_table_ _cleanup_(table_clear)
void table_clear(struct table *t);

/* Adds the next cell, headers first; t->columns must be set. */
int table_add(struct table *t, const char *cell, struct err *e);

/* Prints the rows, columns three blanks apart. `width` is that of the terminal: when lines are longer, the widest columns are cut
 * and end in "…". 0: nothing is cut. */
void table_print(const struct table *t, unsigned width, FILE *out);

/* Columns of the terminal behind fd; 0 when it is none. */
unsigned table_terminal_width(int fd);

/* How many columns UTF-8 text takes, one for each character. */
size_t table_text_width(const char *text);
