/* SPDX-License-Identifier: Apache-2.0 */
/* casemate exec: another command in a running container. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/imagerules.h"
#include "cli/containers.h"
#include "cli/run_setters.h"
#include "cli/session.h"
#include "engine/exec.h"

#define AT(member) offsetof(struct run_options, member)

/* A part of the options of run, with the same meaning. */
static const struct option_entry options[] = {
    {"detach", 'd', OPTION_BOOL, NULL, "Do not wait for the command", AT(detach)},
    {"detach-keys", 0, OPTION_STRING, "KEYS", "Keys that leave the command running (ctrl-p,ctrl-q)",
     AT(detach_keys)},
    {"env", 'e', OPTION_LIST, "NAME[=VALUE]", "Set a variable; without a value, from the environment",
     AT(env)},
    {"env-file", 0, OPTION_LIST, "FILE", "Read variables from a file", AT(env_files), .complete = "files"},
    {"interactive", 'i', OPTION_BOOL, NULL, "Keep stdin open", AT(plan.open_stdin)},
    {"privileged", 0, OPTION_CUSTOM, NULL, "Refused: the command gets what its container has", 0,
     run_set_privileged},
    {"tty", 't', OPTION_BOOL, NULL, "Give the command a terminal", AT(plan.tty)},
    {"user", 'u', OPTION_CUSTOM, "USER[:GROUP]", "User to run as: name or number", AT(plan.user),
     run_set_user},
    {"workdir", 'w', OPTION_CUSTOM, "DIRECTORY", "Working directory", AT(plan.working_dir),
     run_set_working_dir},
    {0},
};

static int read_options(const struct invocation *in, struct run_options *o, struct err *e)
{
    plan_init(&o->plan);
    int r = options_apply(in, o, e);
    if (r == 0)
        r = run_read_env(o, e);
    if (r == 0)
        r = session_check_keys(o->detach_keys, e);
    for (size_t i = 1; i < in->argument_count && r == 0; i++) {
        r = image_rule_argument(in->arguments[i], e);
        if (r == 0)
            r = str_list_add(&o->plan.command, in->arguments[i], e);
    }
    return r;
}

/* Runs the command and relays its streams; the exit status. */
static int execute(const struct store *s, struct container *c, const struct run_options *o, struct err *e)
{
    const struct exec_request request = {.command = o->plan.command,
                                         .env = o->plan.env,
                                         .user = o->plan.user,
                                         .working_dir = o->plan.working_dir,
                                         .tty = o->plan.tty,
                                         .open_stdin = o->plan.open_stdin,
                                         .detach = o->detach};
    struct exec_session x = EXEC_SESSION_INIT;
    int r = exec_start(s, c, &request, &x, e);
    if (r < 0) {
        verbs_complain(e);
        return r == -ESRCH || r == -EBUSY ? EXIT_FAILURE
                                          : x.fail_status; /* not running, paused: Docker's status */
    }
    const struct session_options session = {
        .tty = o->plan.tty, .streams = o->plan.open_stdin ? RUN_STDIN : 0U, .detach_keys = o->detach_keys};
    r = o->detach ? EXIT_SUCCESS : session_exec(&x, &session, e);
    if (x.waited)
        exec_note_end(s, c, &x, r);
    exec_session_close(&x);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    _cleanup_run_options_ struct run_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_container_ struct container c = CONTAINER_INIT;
    int r = read_options(in, &o, e);
    if (r < 0) {
        verbs_complain(e);
        return CLI_ENGINE_ERROR;
    }
    if (o.plan.tty && o.plan.open_stdin && !o.detach && !isatty(STDIN_FILENO))
        return err_set(e, ENOTTY, "the input device is not a TTY");
    r = containers_open(&s, in->arguments[0], &c, e);
    return r < 0 ? r : execute(&s, &c, &o, e);
}

const struct verb verb_exec = {
    .name = "exec",
    .aliases = "container exec",
    .group = VERB_CONTAINERS,
    .flags = VERB_STOPS,
    .usage = "CONTAINER COMMAND [ARG...]",
    .summary = "Run a command in a running container",
    .arguments_min = 2,
    .arguments_max = VERB_MANY,
    .complete = "containers",
    .options = {options},
    .run = run,
};
