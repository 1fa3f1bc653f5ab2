/* SPDX-License-Identifier: Apache-2.0 */
/* casemate attach: the streams of a container that runs. */
#include <errno.h>
#include <unistd.h>

#include "cli/containers.h"
#include "cli/run_options.h"
#include "cli/session.h"

struct attach_options {
    bool no_stdin;
    bool sig_proxy;
    const char *detach_keys;
};

static const struct option_entry options[] = {
    {"detach-keys", 0, OPTION_STRING, "KEYS", "Keys that leave the container running (ctrl-p,ctrl-q)",
     offsetof(struct attach_options, detach_keys)},
    {"no-stdin", 0, OPTION_BOOL, NULL, "Do not connect standard input",
     offsetof(struct attach_options, no_stdin)},
    {"sig-proxy", 0, OPTION_BOOL, NULL, "Pass signals on to the container (default true)",
     offsetof(struct attach_options, sig_proxy)},
    {0},
};

static int run(const struct invocation *in, struct err *e)
{
    struct attach_options o = {.sig_proxy = true};
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_container_ struct container c = CONTAINER_INIT;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = session_check_keys(o.detach_keys, e);
    if (r == 0)
        r = containers_open(&s, in->arguments[0], &c, e);
    if (r < 0)
        return r;
    if (c.status == CONTAINER_RESTARTING)
        return err_set(e, EAGAIN, "You cannot attach to a restarting container, wait until it is running: %s",
                       in->arguments[0]);
    if (c.status != CONTAINER_RUNNING)
        return err_set(e, ESRCH,
                       "You cannot attach to a stopped container, start it first: %s is not running",
                       in->arguments[0]);
    if (c.paused)
        return err_set(e, EBUSY, "You cannot attach to a paused container, unpause it first");
    bool input = !o.no_stdin && c.plan.open_stdin;
    if (input && c.plan.tty && !isatty(STDIN_FILENO))
        return err_set(e, ENOTTY, "the input device is not a TTY");
    const struct session_options session = {.tty = c.plan.tty,
                                            .streams = RUN_STDOUT | RUN_STDERR | (input ? RUN_STDIN : 0U),
                                            .sig_proxy = o.sig_proxy && !c.plan.tty,
                                            .detach_keys = o.detach_keys};
    return session_attach(&s, &c, &session, e);
}

const struct verb verb_attach = {
    .name = "attach",
    .aliases = "container attach",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER",
    .summary = "Connect to the input and output of a running container",
    .arguments_min = 1,
    .arguments_max = 1,
    .complete = "containers",
    .options = {options},
    .run = run,
};
