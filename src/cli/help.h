/* SPDX-License-Identifier: Apache-2.0 */
/* --help, from the tables. */
#pragma once

#include <stdio.h>

#include "cli/verbs.h"

#define HELP_WIDTH 80

/* The grouped list of verbs. */
void help_print_all(FILE *out);
/* The verbs of a group, as "casemate container --help" prints them. */
void help_print_group(const char *group, FILE *out);
void help_print_verb(const struct verb *verb, FILE *out);

/* {"version": 1, "verbs": [{"name", "aliases", "usage", "summary", "group", "options": [{"name", "letter", "value", "help",
 * "supported"}…]}…]} on one line. */
int help_print_json(FILE *out, struct err *e);
