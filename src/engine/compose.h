/* SPDX-License-Identifier: Apache-2.0 */
/* From a plan (what was decided) to a spec (what the kernel is asked for): opens what is mounted, turns names into numbers. */
#pragma once

#include "engine/container.h"
#include "runtime/cgroup.h"
#include "runtime/spec.h"

/* `block` is the id block that this start holds. */
int compose_spec(const struct store *s, const struct container *c, unsigned block, struct spec *ret_spec,
                 struct err *e);

/* The part that exec shares with the first process: privileges, filters, limits. args, cwd and user are filled from the plan. */
int compose_process(const struct store *s, const struct container *c, struct spec_process *ret,
                    struct err *e);

/* For a group that cannot limit what the plan limits (an ordinary user to whom nothing is delegated): limits of each process instead. */
void compose_stand_in(const struct plan *p, const struct cgroup *group, struct spec_process *ret);

/* Where a read-only root may be written (for Landlock): targets of writable mounts. */
int compose_writable(const struct plan *p, struct str_list *ret, struct err *e);
