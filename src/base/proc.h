/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about a process of the host, from /proc. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Start time in clock ticks since boot (proc(5), stat field 22): with the pid it names a process for good. -ESRCH when there is none. */
int proc_start_time(pid_t pid, uint64_t *ret_ticks, struct err *e);

/* 1: the process has executed a program since it was forked; 0: it is still a copy of its maker. -ESRCH when there is none. */
int proc_has_executed(pid_t pid, struct err *e);

/* A pidfd of the process that had this pid and start time; -ESRCH when it is gone. */
int proc_open(pid_t pid, uint64_t start_ticks, struct err *e);

/* The process id, as this process sees it, behind a pidfd (/proc/self/fdinfo). -ESRCH when it has ended or is not visible here. */
int proc_of_pidfd(int pidfd, pid_t *ret_pid, struct err *e);
