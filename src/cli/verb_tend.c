/* SPDX-License-Identifier: Apache-2.0 */
/* casemate tend: what keeps containers alive while no command runs (engine/tend.h). */
#include <errno.h>
#include <stdlib.h>

#include "cli/verbs.h"
#include "engine/state_alert.h"
#include "engine/tend.h"

struct tend_options {
    bool once, boot, keep, shutdown, forget_alerts;
};

static const struct option_entry options[] = {
    {"boot", 0, OPTION_BOOL, NULL, "Start what is to run after the machine has booted, then return",
     offsetof(struct tend_options, boot)},
    {"forget-alerts", 0, OPTION_BOOL, NULL,
     "What 'info' says of the engine's own files has been looked at; then return",
     offsetof(struct tend_options, forget_alerts)},
    {"keep", 0, OPTION_BOOL, NULL, "Stay when there is nothing to do (for a service manager)",
     offsetof(struct tend_options, keep)},
    {"once", 0, OPTION_BOOL, NULL, "Restart, mend and expire what is due, then return",
     offsetof(struct tend_options, once)},
    {"shutdown", 0, OPTION_BOOL, NULL, "Stop all containers until the next boot, then return",
     offsetof(struct tend_options, shutdown)},
    {0},
};

static int run(const struct invocation *in, struct err *e)
{
    struct tend_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    int r = options_apply(in, &o, e);
    if (r == 0 && o.once + o.boot + o.keep + o.shutdown + o.forget_alerts > 1)
        return err_set(e, EINVAL,
                       "--once, --boot, --keep, --shutdown and --forget-alerts exclude each other");
    if (r == 0)
        r = store_open(&s, e);
    if (r < 0)
        return r;
    if (o.forget_alerts)
        state_alert_forget(&s);
    else if (o.shutdown)
        r = tend_shutdown(&s, verbs_complain, e);
    else if (o.once || o.boot)
        r = tend_once(&s, o.boot, verbs_complain, e);
    else
        r = tend_run(&s, o.keep, e);
    return r < 0 ? r : r > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct verb verb_tend = {
    .name = "tend",
    .group = VERB_SYSTEM,
    .usage = "",
    .summary = "Restart containers and check their health, as their policies say",
    .options = {options},
    .run = run,
};
