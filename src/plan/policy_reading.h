/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of casemate.conf, one table for each purpose, and what their setters share. Internal to src/plan. */
#pragma once

#include "plan/conf.h"
#include "plan/policy.h"

/* Where the reader is. */
struct policy_reading {
    struct policy *policy;
    struct policy_grant *grant;       /* of the section we are in, or NULL */
    struct policy_registry *registry; /* likewise */
};

typedef int (*policy_key_setter)(struct policy_reading *r, const struct conf_entry *entry, struct err *e);

struct policy_key {
    const char *section;
    const char
        *argument; /* NULL: the section takes any argument, or none when it is "casemate" or "runtime" */
    const char *name;
    policy_key_setter set;
};

/* Each ends with a row without a section. */
extern const struct policy_key policy_keys_general[]; /* profiles, images, files, users, registries */
extern const struct policy_key policy_keys_limits[];  /* numbers of practice 4 */
extern const struct policy_key policy_keys_rights[];  /* what may be asked for, or is given */
extern const struct policy_key policy_keys_runtime[]; /* the OCI runtime */

/* yes or no */
int policy_value_bool(const char *value, bool *ret, struct err *e);

/* "policy: FILE:LINE" */
int policy_value_source(const struct conf_entry *entry, char *text, size_t size, struct err *e);

/* N% or what `plain` reads, more than 0. */
int policy_value_share(const char *value, int (*plain)(const char *, uint64_t *, struct err *),
                       struct policy_share *ret, struct err *e);

/* A size of more than 0. */
int policy_value_size(const char *value, uint64_t *ret, struct err *e);

/* A right of the section that the reader is in. */
int policy_reading_right(struct policy_reading *r, const struct conf_entry *entry,
                         enum policy_right_kind kind, const char *value, struct err *e);
