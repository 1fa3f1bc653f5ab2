/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --format: Go's text templates (pkg.go.dev/text/template) as Docker's command line offers them, on JSON values.
 *
 *   {{.A.B}}  {{index .M "key" 0}}  {{range $i, $v := .L}} … {{else}} … {{end}}  {{if}} {{else if}} {{with}} {{break}} {{continue}}
 *   and or not eq ne lt le gt ge len index slice print printf println, json join split lower upper title pad truncate
 *   variables, pipelines, parentheses, comments, {{- trimming -}}
 *
 * {{define}}, {{template}} and {{block}} are an error that says so. The text comes from the caller, the values may be content of images
 * and containers: what an action prints has no control characters but newline and tab.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

#define TEMPLATE_SOURCE_MAX 65536       /* bytes of a template */
#define TEMPLATE_NODES_MAX 8192         /* parts of one */
#define TEMPLATE_DEPTH_MAX 48           /* blocks and parentheses in each other */
#define TEMPLATE_STEPS_MAX 4000000      /* parts evaluated in one execution */
#define TEMPLATE_OUTPUT_MAX (16U << 20) /* bytes printed in one execution, and of any value */

struct template;

enum template_flags {
    TEMPLATE_ESCAPES =
        1, /* \t and \n in the literal text stand for tab and newline (as in lists, not in inspect) */
    TEMPLATE_ONE_LINE = 2, /* newlines and tabs in texts of the value are printed as '?' */
    TEMPLATE_HEADER = 4,   /* the value holds headings: functions that change a text leave it as it is */
};

/* Errors: "template parsing error: template: :LINE: why", -EINVAL. The template keeps a copy of the text. */
int template_parse(const char *text, unsigned flags, struct template **ret_template, struct err *e);
void template_free(struct template *t);
DEFINE_CLEANUP(struct template *, template_free);
#define _cleanup_template_ _cleanup_(template_freep)

/* Adds what the template makes of the value to `out`. Errors are -EINVAL and name line and column; out then holds what was made so far. */
int template_execute(const struct template *t, struct json_object *value, struct buf *out, struct err *e);

/* From now on the object is a map and not a structure: a member that it lacks prints "<no value>" and is no error. */
void template_mark_map(struct json_object *object);

/* {{.Label "key"}} of this object looks into `labels` (taken over, also on failure). */
int template_set_labels(struct json_object *object, struct json_object *labels, struct err *e);
