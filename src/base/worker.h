/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a worker from the engine, and the shape of its conversation: one request, progress, one result.
 *
 * What the engine does between fork and exec: own namespaces, ids, no supplementary groups, no capabilities, rlimits,
 * no_new_privs, death with the parent, an empty environment, "/" as working directory, every descriptor closed but 0-2
 * (0 is /dev/null) and 3 (the socket). The rest of the sandbox (Landlock, system calls) the worker puts on itself
 * before it reads its first message: sandbox.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ipc.h"

#define WORKER_SOCKET 3

struct worker_profile {
    const char *program; /* file name in dirs_libexec() */
    uid_t uid;           /* uid and gid to run as; with `neutral_userns` 0 inside */
    bool
        neutral_userns; /* own user namespace that maps 0..65535 to the neutral range; caps inside until the worker drops them */
    const int *
        user_namespace; /* or NULL: joins this one, as its uid 0 with all capabilities there until it drops them */
    bool keep_ids;      /* runs with the ids and groups of the caller */
    bool keep_network;      /* else an empty network namespace */
    uint64_t memory_max;    /* RLIMIT_AS in bytes; 0: none */
    uint64_t cpu_seconds;   /* RLIMIT_CPU; 0: none */
    uint64_t files_max;     /* RLIMIT_NOFILE */
    uint64_t file_size_max; /* RLIMIT_FSIZE in bytes; 0: none */
};

struct worker {
    const char *program;
    pid_t pid;
    int pidfd;
    int socket; /* the engine's end */
};

#define WORKER_INIT                          \
    {                                        \
        .pid = -1, .pidfd = -1, .socket = -1 \
    }

int worker_start(const struct worker_profile *profile, struct worker *ret_worker, struct err *e);

/* Receives one message. MESSAGE_FAILED becomes the error it carries (neutralised, prefixed with the program's name). End of
 * file becomes "PROGRAM ended unexpectedly (signal N / status N)". Progress messages are handed to `progress` (may be NULL). */
int worker_receive(struct worker *w, struct ipc_message *m,
                   void (*progress)(uint64_t done, uint64_t total, void *context), void *context,
                   struct err *e);

/* Kills the worker if it still runs, reaps it, closes descriptors. Safe on an unstarted worker; call it always. */
void worker_stop(struct worker *w);
#define _cleanup_worker_ _cleanup_(worker_stop)

/* Worker side: sends MESSAGE_FAILED with e and exits with status 1. */
_Noreturn void worker_fail(const struct err *e);
/* Worker side: sends progress; a lost engine ends the worker. */
void worker_progress(uint64_t done, uint64_t total);
