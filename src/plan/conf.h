/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration files: lines of `key = value` in sections `[name]` or `[name "argument"]`; `#` and `;` begin a comment line.
 * Nothing is ever cut short: what does not fit or is not understood is an error with file and line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CONF_FILE_MAX (1U << 20)
#define CONF_LINE_MAX 4096

struct conf_entry {
    const char *file; /* last component of the path, for messages */
    unsigned line;    /* from 1 */
    const char *section;
    const char *argument; /* NULL when the section has none */
    const char *key;      /* NULL: the section's own line */
    const char *value;    /* without blanks around it; may be "" */
};

/* Called for each section line and each key. A negative result ends the reading; FILE:LINE is put in front of e. */
typedef int (*conf_visit)(const struct conf_entry *entry, void *context, struct err *e);

int conf_parse(const char *file, const char *text, size_t length, conf_visit visit, void *context,
               struct err *e);

/* Reads a file. Absent: nothing is visited and 0 is returned. `trusted_owner`: the file must be a regular file of root that
 * nobody else may write. */
int conf_read(const char *path, bool trusted_owner, conf_visit visit, void *context, struct err *e);
