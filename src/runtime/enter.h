/* SPDX-License-Identifier: Apache-2.0 */
/* Another process in a running container: joins its namespaces and control group, then the same last steps as the first process. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "runtime/cgroup.h"
#include "runtime/spec.h"

struct runtime_enter {
    const struct spec_process *process;
    const struct str_list *writable; /* for Landlock with a read-only root */
    int target;                      /* pidfd of the container's first process */
    const struct cgroup *cgroup;
    uid_t block_first;
    int oom_score_adj;
    int stdio[3]; /* not used with a terminal */
    int report_fd;
};

/* *ret_pidfd is a child of the caller; *ret_terminal the pty master or -1. How it went is said on the report pipe. */
int runtime_enter(const struct runtime_enter *enter, int *ret_pidfd, int *ret_terminal, struct err *e);
