/* SPDX-License-Identifier: Apache-2.0 */
/* casemate kill: a signal to the first process. */
#include <signal.h>
#include <stdio.h>

#include "base/imagerules.h"
#include "cli/containers.h"
#include "engine/lifecycle.h"

struct kill_options {
    const char *signal;
};

static const struct option_entry options[] = {
    {"signal", 's', OPTION_STRING, "SIGNAL", "Signal to send (default SIGKILL)",
     offsetof(struct kill_options, signal)},
    {0},
};

static int kill_one(const struct store *s, struct container *c, const char *word, void *context,
                    struct err *e)
{
    int signal = *(const int *)context;
    int r = lifecycle_kill(s, c, signal, e);
    if (r < 0)
        return err_wrap(e, "Cannot kill container: %s", word);
    /* What SIGKILL ends is gone when the command returns. */
    if (signal == SIGKILL)
        r = lifecycle_wait(s, c, e);
    if (r == 0)
        printf("%s\n", word);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct kill_options o = {0};
    int signal = SIGKILL;
    char clean[IMAGE_RULE_SIGNAL_TEXT];
    int r = options_apply(in, &o, e);
    if (r == 0 && o.signal) {
        r = image_rule_signal(o.signal, clean, e);
        signal = r == 0 ? image_rule_signal_number(clean) : signal;
    }
    return r < 0 ? r : containers_each(in, false, kill_one, &signal, e);
}

const struct verb verb_kill = {
    .name = "kill",
    .aliases = "container kill",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER [CONTAINER...]",
    .summary = "Send a signal to containers (SIGKILL)",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "containers",
    .options = {options},
    .run = run,
};
