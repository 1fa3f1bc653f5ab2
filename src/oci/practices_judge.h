/* SPDX-License-Identifier: Apache-2.0 */
/* Between the judge of a configuration (practices.c), what it refuses (practices_refuse.c) and what it tightens (practices_tighten.c). */
#pragma once

#include "oci/practices.h"

struct judge {
    struct oci_config *c;
    const struct policy *policy;
    struct oci_findings *found;
    bool enforce;
    bool changed; /* the document is not what c was read from any more */
};

/* Adds a finding; what is beyond OCI_FINDINGS_MAX is counted by the last one. */
void judge_find(struct judge *j, enum oci_finding_kind kind, int practice, const char *source,
                const char *what);

/* 1 when the container may have `value` of `grant`: its annotation says so and the policy allows that. Then it is found. */
int judge_granted(struct judge *j, int practice, const char *grant, const char *value, const char *what);

/* What cannot be had without a grant: -EPERM under enforce, else found. */
int judge_refuse(struct judge *j, int practice, const char *grant, const char *value, const char *what,
                 struct err *e);

/* True when it is to be tightened now; found in any case. */
bool judge_tightens(struct judge *j, int practice, const char *grant, const char *value, const char *what);

/* A right of the policy that needs no annotation; found when it is there. */
bool judge_has_right(struct judge *j, int practice, enum policy_right_kind kind, const char *value,
                     const char *what);

/* Which are refused; each by itself. */
int judge_namespaces(struct judge *j, struct err *e);
int judge_capabilities(struct judge *j, struct err *e);
int judge_devices(struct judge *j, struct err *e);
int judge_mounts(struct judge *j, struct err *e);
int judge_root(struct judge *j, struct err *e);

/* Which are tightened. */
int judge_privileges(struct judge *j, struct err *e);
int judge_paths(struct judge *j, struct err *e);
int judge_limits(struct judge *j, struct err *e);
int judge_filter(struct judge *j, struct err *e);
int judge_read_only(struct judge *j, struct err *e);

/* Takes a capability out of all sets of the document. */
int judge_drop_capability(struct judge *j, const char *name, struct err *e);
