/* SPDX-License-Identifier: Apache-2.0 */
/* Another process in a running container, with exactly the restrictions of its first one. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/id.h"
#include "base/str.h"
#include "engine/container.h"

struct exec_request {
    struct str_list command;
    struct str_list env;     /* added to the container's */
    const char *user;        /* NULL: the container's */
    const char *working_dir; /* NULL: the container's */
    bool tty;
    bool open_stdin;
    bool detach;       /* standard streams are /dev/null */
    bool health_check; /* of the container's own plan: not recorded each time */
};

struct exec_session {
    int pidfd;              /* of the new process, a child of the caller; -1 */
    int terminal;           /* pty master with a tty, else -1 */
    int streams[3];         /* our ends of stdin (write), stdout, stderr (read); -1 where not used */
    int fail_status;        /* 125, 126 or 127 when the program did not run */
    bool waited;            /* exec_wait has seen its end */
    char id[ID_LENGTH + 1]; /* of this execution, for events; "" before it has begun */
};

#define EXEC_SESSION_INIT                  \
    {                                      \
        -1, -1, {-1, -1, -1}, 0, false, "" \
    }

void exec_session_close(struct exec_session *x);

/* Not running: -ESRCH. */
int exec_start(const struct store *s, struct container *c, const struct exec_request *request,
               struct exec_session *ret, struct err *e);

/* Waits for the process; Docker's exit code in *ret_code (128 + signal). */
int exec_wait(struct exec_session *x, int *ret_code, struct err *e);

/* The event of its end, which only the caller knows. */
void exec_note_end(const struct store *s, const struct container *c, const struct exec_session *x, int code);
