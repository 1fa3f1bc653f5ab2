/* SPDX-License-Identifier: Apache-2.0 */
/* --format for verbs that print objects: "json", or a template (template.h). Lists go through listing.h. */
#pragma once

#include <json-c/json.h>

#include "base/err.h"

/* Each object of the array by the template and a newline, to stdout; "json": each as JSON on a line of its own. A template that is wrong
 * prints nothing. */
int format_print_all(const char *format, struct json_object *array, struct err *e);

/* The same for one object. */
int format_print(const char *format, struct json_object *object, struct err *e);
