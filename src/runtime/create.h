/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container's first process. Called in the supervisor: a fork of the engine with all its privileges, which later gives
 * them up and becomes casemate-shim, still the parent of that process.
 *
 * The supervisor does on the host what needs the host's rights, and nothing that touches a path of the container; the first
 * process does the rest inside, without any right outside.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "runtime/cgroup.h"
#include "runtime/spec.h"

struct runtime_start {
    const struct spec *spec;
    const struct cgroup *cgroup;
    int stdio[3];  /* the container's ends; not used with a terminal */
    int report_fd; /* write end of the report pipe (runtime/report.h) */
    bool announce; /* the first process says when its file system is complete: runtime_await_ready */
};

struct runtime_process {
    pid_t pid;
    int pidfd;
    int terminal; /* pty master, -1 without a terminal */
    int sync;     /* socket to the first process */
    int listener; /* runtime_go: who holds it sees what the filter refuses (notice.h); -1: there is none */
};

#define RUNTIME_PROCESS_INIT \
    {                        \
        -1, -1, -1, -1, -1   \
    }

/* On success the first process has what it needs and waits for runtime_go before it executes the program. On failure nothing is
 * left, and either e or (when the first process failed) the report pipe says why. Afterwards the caller keeps its capabilities whatever
 * ids it takes. */
int runtime_create(const struct runtime_start *start, struct runtime_process *ret, struct err *e);

/* Waits until the first process has done everything but execute the program. Without this its root may still be that of the host. */
int runtime_await_ready(const struct runtime_process *p, struct err *e);

/* Lets the first process execute the program, and takes the listener from it. One that fails instead reports why by itself. */
int runtime_go(struct runtime_process *p, struct err *e);

/* Keeps capabilities across changes of ids in this process (SECBIT_NO_SETUID_FIXUP). Done by runtime_create; here for exec. */
int runtime_keep_capabilities(struct err *e);

/* Gives pipes among the container's standard streams to its root (host id `owner`), which hands them on to its user. */
int runtime_give_stdio(const int stdio[3], uid_t owner, struct err *e);
