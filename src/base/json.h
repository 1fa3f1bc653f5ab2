/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON with json-c: strict parsing with limits and typed access with errors that name the field. Writing uses
 * json-c directly. In the engine only for files that the engine wrote itself or the caller named; foreign documents are
 * parsed in workers.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define JSON_DEPTH_MAX 32
/* Of a whole document. An object without members takes three bytes of text and a kilobyte of memory. */
#define JSON_STRUCTURES_MAX 65536U /* objects and arrays */
#define JSON_VALUES_MAX 262144U

static inline void json_putp(struct json_object **o)
{
    if (*o)
        json_object_put(*o);
}
#define _cleanup_json_ _cleanup_(json_putp)

/* Strict RFC 8259 text, UTF-8, nothing behind it, nesting at most JSON_DEPTH_MAX, not more values than said above (-E2BIG). *ret_object may be NULL for `null`.
 * A key that occurs twice in one object is an error. */
int json_parse(const char *text, size_t length, struct json_object **ret_object, struct err *e);

/* Typed members of an object. Absent or null: `*ret` is left as it is and 0 is returned; 1 when it was set; a value of
 * another type is -EINVAL naming the key. Strings are borrowed from the object and hold no NUL. */
int json_get_string(struct json_object *o, const char *key, const char **ret, struct err *e);
int json_get_u64(struct json_object *o, const char *key, uint64_t *ret, struct err *e);
int json_get_i64(struct json_object *o, const char *key, int64_t *ret, struct err *e);
int json_get_bool(struct json_object *o, const char *key, bool *ret, struct err *e);
int json_get_object(struct json_object *o, const char *key, struct json_object **ret, struct err *e);
int json_get_array(struct json_object *o, const char *key, struct json_object **ret, struct err *e);
/* An array of strings is appended to the list. */
int json_get_strings(struct json_object *o, const char *key, size_t max, struct str_list *list,
                     struct err *e);
/* An object of strings is appended to the list as KEY=VALUE. */
int json_get_string_map(struct json_object *o, const char *key, size_t max, struct str_list *list,
                        struct err *e);

/* Adds members; NULL or empty values are left out where said. -ENOMEM on failure. */
int json_add_string(struct json_object *o, const char *key, const char *value,
                    struct err *e); /* NULL left out */
int json_add_u64(struct json_object *o, const char *key, uint64_t value, struct err *e);
int json_add_bool(struct json_object *o, const char *key, bool value, struct err *e);
int json_add_strings(struct json_object *o, const char *key, const struct str_list *list,
                     struct err *e); /* empty left out */
/* Takes ownership of value, also on failure. */
int json_add_object(struct json_object *o, const char *key, struct json_object *value, struct err *e);
