/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fourteen security practices. Each is one file, NN_id.c, that exports one `struct practice`; registry.c is the only list of them.
 *
 * `apply` tightens the plan of a container to the practice's default or refuses it, before anything runs: what the user asked for beyond
 * the default is either an explicit flag (then it is recorded as a grant of the plan) or needs a line of the policy (then the line is
 * the grant's source, and without it the refusal names that line). `explain` reads from the kernel what holds for a running container.
 * Mechanism lives elsewhere (runtime/, engine/ …); nothing here mounts, forks or writes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "image/image.h"
#include "plan/plan.h"
#include "plan/policy.h"
#include "practices/evidence.h"
#include "practices/subject.h"

/* One container on its way through the fourteen. */
struct practice_run {
    struct plan *plan;
    const struct image *image; /* NULL: not known (tests of single practices) */
    const struct policy *policy;
    struct policy_rights
        rights; /* that hold for this image: the policy's and those of its [grant] sections */
};

struct practice {
    int number;        /* 1..14 */
    const char *id;    /* one word, lower case: argument of [practice "…"] in the policy */
    const char *title; /* two or three words, for tables */
    const char *what;  /* one sentence: what it does without being asked */
    /* What of it has no mechanism yet, one sentence, shown as "not enforced yet"; NULL: nothing. */
    const char *missing;
    /* Tightens or refuses. NULL: nothing to decide before a container runs. */
    int (*apply)(struct practice_run *run, struct err *e);
    /* Adds lines of evidence about a running container. NULL: there is no mechanism, only `missing` is shown. */
    int (*explain)(const struct subject *subject, struct evidence *ret, struct err *e);
};

/* Number 1..14. */
const struct practice *practice_find(int number);

/* Settles the profile, then lets the fourteen tighten the plan, in order. The first refusal ends it: -EPERM with e->practice set, or
 * -EINVAL for a value that makes no sense. On failure the plan is half done and of no use. */
int practices_apply_all(struct plan *plan, const struct image *image, const struct policy *policy,
                        struct err *e);

/* Practice 4 alone, on the limits of a plan that has been through all: what was raised since is judged and recorded as then. */
int practices_apply_limits(struct plan *plan, const struct image *image, const struct policy *policy,
                           struct err *e);

/* What is explained: a container's plan and its first process on the host. */
struct explain_request {
    const struct plan *plan;
    pid_t pid;          /* 0: it does not run; then only plan and grants can be shown */
    uint64_t pid_start; /* proc(5), field 22: tells a reused pid */
};

/* Evidence of all fourteen, in order of the practices; each has at least one line. `*ret` is empty before. */
int practices_explain(const struct explain_request *request, struct evidence *ret, struct err *e);
