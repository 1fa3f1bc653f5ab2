/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's standard streams connected to those of a container, until it ends or the detach keys are typed. */
#pragma once

#include "engine/container.h"
#include "engine/exec.h"
#include "store/root.h"

struct session_options {
    bool tty;         /* the container has a terminal */
    unsigned streams; /* enum run_stream */
    bool sig_proxy;   /* signals of the command go to the container */
    bool owned; /* the command has started the container: when nobody reads our output any more, it ends */
    const char *detach_keys; /* NULL: ctrl-p,ctrl-q */
};

/* NULL is fine; else "ctrl-a,d". */
int session_check_keys(const char *keys, struct err *e);

/* Watches a container over a connection of lifecycle_start, which it closes. The exit status for the user: that of the container,
 * or 0 after the detach keys. */
int session_watch(const struct store *s, struct container *c, const struct session_options *o, int *socket,
                  struct err *e);

/* Connects to a running container, then the same. */
int session_attach(const struct store *s, struct container *c, const struct session_options *o,
                   struct err *e);

/* The same for a command of exec: its streams are those that it was started with. */
int session_exec(struct exec_session *x, const struct session_options *o, struct err *e);
