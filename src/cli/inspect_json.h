/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a JSON object, one after the other: after a failure nothing more is done, and `failed` says that there was one. */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct members {
    struct json_object *object;
    bool failed;
};

/* All keep going on failure; text may be NULL, which is "". */
void members_text(struct members *m, const char *key, const char *text);
void members_bool(struct members *m, const char *key, bool value);
void members_number(struct members *m, const char *key, int64_t value);
/* null in JSON, in templates an empty list. */
void members_null(struct members *m, const char *key);
/* The same, an empty map. */
void members_null_map(struct members *m, const char *key);
/* An array; `null_when_empty`: null in JSON instead of []. */
void members_list(struct members *m, const char *key, const struct str_list *list, bool null_when_empty);
/* KEY=VALUE entries as members of the object itself. */
void members_entries(struct members *m, const struct str_list *entries);
/* KEY=VALUE entries as an object. */
void members_map(struct members *m, const char *key, const struct str_list *entries);
/* RFC 3339; 0 is Docker's "0001-01-01T00:00:00Z". */
void members_time(struct members *m, const char *key, int64_t ns);
/* A new object or array as a member, owned by the parent; its failure is for the caller to hand up with members_join. */
struct members members_object(struct members *m, const char *key);
/* An object whose keys are not fixed: in templates a missing one is no error. */
struct members members_new_map(struct members *m, const char *key);
struct members members_array(struct members *m, const char *key);
/* A new object at the end of an array. */
struct members members_item(struct members *array);
static inline void members_join(struct members *m, const struct members *child)
{
    m->failed = m->failed || child->failed;
}
