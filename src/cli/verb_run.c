/* SPDX-License-Identifier: Apache-2.0 */
/* casemate run: a new container, watched until it ends, or left in the background. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/create_container.h"
#include "cli/denials_tell.h"
#include "cli/run_options.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "engine/lifecycle.h"

/* What the command is connected to: -a, or output and error, and with -i input. */
static unsigned streams_of(const struct run_options *o)
{
    if (o->detach)
        return 0;
    if (o->attach)
        return o->attach;
    return RUN_STDOUT | RUN_STDERR | (o->plan.open_stdin ? RUN_STDIN : 0);
}

static int check_terminal(const struct run_options *o, struct err *e)
{
    if (o->plan.tty && streams_of(o) & RUN_STDIN && !isatty(STDIN_FILENO))
        return err_set(e, ENOTTY, "the input device is not a TTY");
    return 0;
}

/* Watches a started container to its end; the exit status. */
static int watch(const struct store *s, struct container *c, const struct run_options *o, int *socket,
                 struct err *e)
{
    const struct session_options options = {.tty = o->plan.tty,
                                            .streams = streams_of(o),
                                            .sig_proxy = o->sig_proxy && !o->plan.tty,
                                            .owned = o->sig_proxy,
                                            .detach_keys = o->detach_keys};
    int r = session_watch(s, c, &options, socket, e);
    if (r >= 0) {
        struct err kept = {0};
        denials_tell(c);
        if (denials_offer(c, &kept) < 0)
            verbs_complain(&kept);
    }
    return r;
}

static int start(const struct store *s, struct container *c, const struct run_options *o, struct err *e)
{
    struct lifecycle_start started = {.attach = -1};
    int r = lifecycle_start(s, c, streams_of(o), &started, e);
    if (r < 0) {
        verbs_complain(e);
        return started.fail_status;
    }
    if (!o->detach)
        return watch(s, c, o, &started.attach, e);
    printf("%s\n", c->id);
    return EXIT_SUCCESS;
}

static int run_container(const struct store *s, struct run_options *o, struct err *e)
{
    _cleanup_container_ struct container c = CONTAINER_INIT;
    _cleanup_close_ int waiter = -1;
    int r = create_container(s, o, &waiter, e);
    if (r == 0)
        r = container_open_unread(s, o->plan.id, &c, e);
    if (r < 0)
        return r;
    c.waiter = steal_fd(&waiter);
    return start(s, &c, o, e);
}

static int run(const struct invocation *in, struct err *e)
{
    _cleanup_run_options_ struct run_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    int r = run_options_read(in, &o, e);
    if (r == 0)
        r = check_terminal(&o, e);
    if (r == 0)
        r = session_check_keys(o.detach_keys, e);
    if (r == 0)
        r = store_open(&s, e);
    return r < 0 ? r : run_container(&s, &o, e);
}

const struct verb verb_run = {
    .name = "run",
    .aliases = "container run",
    .group = VERB_CONTAINERS,
    .flags = VERB_STOPS | VERB_RUNS,
    .usage = "IMAGE [COMMAND] [ARG...]",
    .summary = "Run a command in a new container",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "images",
    .options = {run_shared_options, run_resource_options, run_host_options, run_only_options,
                run_unsupported_options},
    .run = run,
};
