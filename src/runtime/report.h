/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the processes of a start tell each other. Trusted on both sides until the container's process executes the user's
 * program: the sockets are closed by that exec.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* Over the report pipe, to the command that waits: at most one of a failure; end of file without one means that the program runs. The
 * supervisor of a container says before it becomes the shim that it has come so far (status 0): if it is killed, nobody reports. */
struct runtime_report {
    int32_t code; /* positive errno */
    int32_t
        status; /* exit status for the user: 125 the engine failed, 126 cannot be executed, 127 not found */
    char text[ERR_TEXT_MAX];
};

#define RUNTIME_STATUS_ENGINE 125
#define RUNTIME_STATUS_NOT_EXECUTABLE 126
#define RUNTIME_STATUS_NOT_FOUND 127

/* Over the socket pair between supervisor and first process (base/ipc.h). */
enum report_type {
    REPORT_GO = 1, /* supervisor: ids and cgroup are in place */
    REPORT_IDENTITY =
        2, /* first process: struct report_identity; answered by REPORT_BINDS when there are binds by owner */
    REPORT_BINDS = 3,    /* supervisor: up to IPC_FDS_MAX detached mounts; repeated until all have come */
    REPORT_TERMINAL = 4, /* first process: the pty master */
    REPORT_READY = 6,    /* first process, when the start announces: everything is in place */
    REPORT_FILLED = 7,   /* first process: volumes that get the image's files have them */
    REPORT_EXEC = 5,     /* supervisor: everything is recorded, run the program */
    REPORT_LISTENER = 8, /* first process: the listener of its filter, or no descriptor where there is none */
};

struct report_identity {
    uint32_t uid;
    uint32_t gid;
};

/* Writes e to the report pipe. Ignores failure: the reader is gone then. */
void report_send(int report_fd, int status, const struct err *e);

/* The supervisor is about to become the shim. */
void report_send_begun(int report_fd);

/* For the start of a container: reads until end of file. 0: the program runs; 1: *ret holds the report of a failure. -ECHILD: whoever should
 * have reported was killed. */
int report_await_start(int report_fd, struct runtime_report *ret, struct err *e);

/* Reads until end of file. 0: nothing was reported; 1: *ret holds the report. */
int report_receive(int report_fd, struct runtime_report *ret, struct err *e);
