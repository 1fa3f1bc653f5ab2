/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last steps before a user's program, the same for a container's first process and for exec: working directory, ids, capabilities,
 * Landlock, LSM, filters, exec. There is one such function, so that exec can never be weaker than run.
 */
#pragma once

#include "base/err.h"
#include "runtime/spec.h"
#include "runtime/user.h"

struct process_context {
    const struct spec_process *process;
    const struct user_identity *identity;
    int root_fd;                     /* the container's root */
    const struct str_list *writable; /* for Landlock with a read-only root */
    bool ends_with_parent;           /* the first process does not outlive its supervisor */
    int notice;    /* socket that takes the filter's listener (REPORT_LISTENER); -1: nobody does */
    int report_fd; /* O_CLOEXEC; reports failure, or by its end that the program runs */
};

/* Hard limits of the caller that are lower than asked for are raised, as far as the kernel lets it: what it forks can then take its own. */
void process_raise_rlimits(const struct spec_process *p);

/* Takes the limits but that of processes, which process_become sets; what the kernel refuses to raise is set as high as it goes. */
int process_set_rlimits(const struct spec_process *p, struct err *e);

/* Keeps only `keep` in the bounding set and clears the ambient set. Needs CAP_SETPCAP. */
int process_bound_capabilities(uint64_t keep, struct err *e);

/* Sets effective and permitted to `set`, inheritable to none. */
int process_set_capabilities(uint64_t set, struct err *e);

/* Makes three descriptors the standard streams; pipes among them are given to the user, so that /dev/stdout can be opened again. */
int process_take_pipes(const int stdio[3], const struct user_identity *who, struct err *e);

/* Does not return: becomes the program, or reports and exits with 125, 126 or 127. */
_Noreturn void process_become(const struct process_context *c);
