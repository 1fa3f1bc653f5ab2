/* SPDX-License-Identifier: Apache-2.0 */
/* casemate start: containers that were created, or have ended. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/containers.h"
#include "cli/denials_tell.h"
#include "cli/run_options.h"
#include "cli/session.h"
#include "engine/lifecycle.h"

struct start_options {
    bool attach, interactive;
    const char *detach_keys;
};

static const struct option_entry options[] = {
    {"attach", 'a', OPTION_BOOL, NULL, "Connect to its output, and exit with its status",
     offsetof(struct start_options, attach)},
    {"detach-keys", 0, OPTION_STRING, "KEYS", "Keys that leave the container running (ctrl-p,ctrl-q)",
     offsetof(struct start_options, detach_keys)},
    {"interactive", 'i', OPTION_BOOL, NULL, "Connect to its standard input",
     offsetof(struct start_options, interactive)},
    {"checkpoint", 0, OPTION_UNSUPPORTED, "NAME", ": there are no checkpoints"},
    {"checkpoint-dir", 0, OPTION_UNSUPPORTED, "DIR", ": there are no checkpoints"},
    {0},
};

/* One that runs already is what was asked for. */
static int start_one(const struct store *s, struct container *c, const char *word, void *context,
                     struct err *e)
{
    struct lifecycle_start started = {.attach = -1};
    (void)context;
    int r = lifecycle_start(s, c, 0, &started, e);
    if (r < 0 && r != -EALREADY)
        return r;
    printf("%s\n", word);
    return 0;
}

/* Connected from the first byte on, or to one that runs already. */
static int start_attached(const struct store *s, struct container *c, const struct start_options *o,
                          struct err *e)
{
    bool input = o->interactive && c->plan.open_stdin;
    const struct session_options session = {
        .tty = c->plan.tty,
        .streams = RUN_STDOUT | RUN_STDERR | (input ? RUN_STDIN : 0U),
        .sig_proxy = !c->plan.tty,
        .detach_keys = o->detach_keys,
    };
    struct lifecycle_start started = {.attach = -1};
    if (input && c->plan.tty && !isatty(STDIN_FILENO))
        return err_set(e, ENOTTY, "the input device is not a TTY");
    if (c->status == CONTAINER_RUNNING)
        return session_attach(s, c, &session, e);
    int r = lifecycle_start(s, c, session.streams, &started, e);
    if (r < 0) {
        verbs_complain(e);
        return started.fail_status;
    }
    r = session_watch(s, c, &session, &started.attach, e);
    denials_tell(c);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct start_options o = {0};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = session_check_keys(o.detach_keys, e);
    if (r < 0)
        return r;
    if (!o.attach && !o.interactive)
        return containers_each(in, false, start_one, NULL, e);
    if (in->argument_count > 1)
        return err_set(e, EINVAL, "you cannot start and attach multiple containers at once");
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_container_ struct container c = CONTAINER_INIT;
    r = containers_open(&s, in->arguments[0], &c, e);
    return r < 0 ? r : start_attached(&s, &c, &o, e);
}

const struct verb verb_start = {
    .name = "start",
    .aliases = "container start",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER [CONTAINER...]",
    .summary = "Start containers that were created or have ended",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "containers",
    .options = {options},
    .run = run,
};
