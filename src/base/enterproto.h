/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between `casemate oci` and casemate-enter, the static program that a container's process is until it becomes the user's. Needs libc only.
 *
 * It is executed inside the container's namespaces and root, by descriptor: `casemate-enter JOB`, where JOB is the number of a sealed memory
 * file that begins with struct enter_job. All offsets are bytes from the start of that file; 0 is "nothing". Both programs come from one
 * build: a job of another version is refused.
 *
 * Over job.sync (SOCK_SEQPACKET), from casemate-enter: packets of one struct enter_report. Over job.start (a listening SOCK_SEQPACKET
 * socket), when there is one: whoever connects starts the program, and gets one report when that fails, or the end of the connection
 * when the program runs.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#define ENTER_VERSION 2
#define ENTER_MAGIC 0x43454e54 /* "CENT" */
#define ENTER_TEXT_MAX 512
#define ENTER_JOB_MAX (32U << 20)

enum enter_flags {
    ENTER_NO_NEW_PRIVS = 1,
    ENTER_NEW_KEYRING = 2,
    ENTER_SET_GROUPS = 4, /* setgroups(2) is allowed: not in an unprivileged user namespace */
    ENTER_CAPABILITIES = 8,
    ENTER_SECCOMP = 16,
    ENTER_LISTENER = 32, /* the filter has a listener: ENTER_NOTIFIES */
    ENTER_SCHEDULER = 64,
    ENTER_IO_PRIORITY = 128,
    ENTER_PERSONALITY = 256,
    ENTER_AFFINITY = 512,
    ENTER_UMASK = 1024,
};

/* struct sched_attr of Linux 5.3 (sched_setattr(2)); Debian 12's C library does not have it. */
struct enter_scheduler {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};

struct enter_rlimit {
    uint32_t resource;
    uint32_t pad;
    uint64_t soft, hard;
};

/* Strings one after the other, each with its NUL. */
struct enter_strings {
    uint32_t offset;
    uint32_t count;
};

struct enter_hook {
    uint32_t path;    /* offset of a string */
    uint32_t timeout; /* seconds, 0: none */
    struct enter_strings args, env;
};

struct enter_job {
    uint32_t magic, version;
    uint32_t size; /* of the whole file */
    uint32_t flags;
    int32_t sync, start; /* descriptors; start is -1 when the program runs at once */
    uint32_t uid, gid, umask;
    uint32_t group_offset, group_count; /* uint32_t each */
    uint32_t keep_fds;                  /* descriptors from 3 on that the program gets */
    uint64_t bounding, effective, permitted, inheritable, ambient;
    uint32_t rlimit_offset, rlimit_count; /* struct enter_rlimit */
    uint32_t filter_offset, filter_count; /* struct sock_filter */
    uint32_t filter_flags;                /* SECCOMP_FILTER_FLAG_* */
    uint32_t io_priority;                 /* ioprio_set(2) */
    uint64_t personality;
    uint32_t affinity_offset, affinity_size; /* a cpu_set_t of that many bytes */
    struct enter_scheduler scheduler;
    uint32_t cwd;               /* offset of a string */
    uint32_t label_file, label; /* what is written to that file below /proc/thread-self, for the exec */
    uint32_t keyring;           /* name of the session keyring */
    struct enter_strings args, env;
    uint32_t hook_offset, hook_count; /* struct enter_hook: before the program, in the container */
    uint32_t state, state_end; /* JSON text for the hooks' standard input, before and after the process id */
};

enum enter_step {
    ENTER_READY = 1,  /* everything but the program itself is in place */
    ENTER_FAILED = 2, /* the process has ended or is about to */
    ENTER_NOTIFIES =
        3, /* `status` is the listener's number in the process, to be taken from there; answered by one byte */
    /* Before casemate-enter, from the same process while it is still a copy of the runtime; each answered by one byte: */
    ENTER_BUILT =
        16, /* the file system is there, the root is still the host's: hooks of the runtime's namespace may run */
    ENTER_TERMINAL = 17, /* brings the pty master */
};

struct enter_report {
    uint32_t step;  /* enum enter_step */
    int32_t code;   /* positive errno */
    int32_t status; /* of ENTER_FAILED as a shell's: 126 cannot be executed, 127 not found, else 1 */
    char text[ENTER_TEXT_MAX];
};

/* The report of a failure; `text` is cut at what a report holds. */
static inline struct enter_report enter_report_failure(int code, int status, const char *text)
{
    struct enter_report r = {.step = ENTER_FAILED, .code = code, .status = status};
    size_t n = strnlen(text, sizeof(r.text) - 1);
    memcpy(r.text, text, n);
    return r;
}
