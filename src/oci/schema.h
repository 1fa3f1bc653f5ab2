/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a JSON document into structures, by tables: each field has a name, a kind, where it goes and what is allowed. There is one
 * reader for all fields, so that every error names the field in full ("process.rlimits[2].type: ...").
 *
 * Members that no table has are ignored, as the runtime specification wants. `null` counts as absent.
 * Strings are borrowed from the document, which must live as long as the structure; lists are allocated (schema_clear).
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SCHEMA_PATH_MAX 256   /* of a field's full name; what is longer is cut at the front */
#define SCHEMA_ITEMS_MAX 4096 /* of a list or a map, unless a field says less */

enum schema_kind {
    SCHEMA_STRING,  /* const char *; absent: NULL */
    SCHEMA_BOOL,    /* bool */
    SCHEMA_NUMBER,  /* struct schema_number */
    SCHEMA_OBJECT,  /* the structure itself; `set` of it, a bool at offset 0, tells whether it was there */
    SCHEMA_LIST,    /* struct schema_list of structures */
    SCHEMA_STRINGS, /* struct schema_list of const char *, with a NULL behind the last */
    SCHEMA_NUMBERS, /* struct schema_list of int64_t */
    SCHEMA_MAP,     /* struct schema_list of structures, whose first member is the key: const char * */
    SCHEMA_CHOICE,  /* int; absent: as it was (schema_choice) */
    SCHEMA_FLAGS,   /* uint64_t: the values of all choices that a list names */
    SCHEMA_JSON,    /* struct json_object *, borrowed: an object that somebody else reads */
};

struct schema_number {
    bool set;
    int64_t
        value; /* numbers above INT64_MAX are taken as INT64_MAX: no field of the specification tells them apart */
};

struct schema_list {
    size_t count;
    void *items;
};

/* A word and what it stands for. Ended by a NULL name. */
struct schema_choice {
    const char *name;
    int64_t value;
};

enum schema_rule {
    SCHEMA_OPTIONAL = 0,
    SCHEMA_REQUIRED = 1 << 0,
    SCHEMA_NOT_EMPTY = 1 << 1, /* a string or a list that is there has something in it */
    SCHEMA_ABSOLUTE = 1 << 2,  /* a path from the root */
};

struct schema {
    const char *name; /* NULL ends the table */
    enum schema_kind kind;
    unsigned rules; /* enum schema_rule */
    size_t offset;
    int64_t min, max;            /* SCHEMA_NUMBER(S): the range; lists: `max` items, 0 is SCHEMA_ITEMS_MAX */
    const struct schema *fields; /* SCHEMA_OBJECT, SCHEMA_LIST, SCHEMA_MAP: of the structure */
    size_t size;                 /* SCHEMA_LIST, SCHEMA_MAP: of the structure */
    const struct schema_choice *choices; /* SCHEMA_CHOICE, SCHEMA_FLAGS */
};

/* Reads `object` into `target`, which is zeroed. `name` is what the object is called in errors ("" for the document itself). Afterwards,
 * also on failure, schema_clear(fields, target). */
int schema_read(const struct schema *fields, struct json_object *object, const char *name, void *target,
                struct err *e);

/* Frees the lists. */
void schema_clear(const struct schema *fields, void *target);

/* The name of a value, NULL when there is none. */
const char *schema_choice_name(const struct schema_choice *choices, int64_t value);
