/* SPDX-License-Identifier: Apache-2.0 */
/* casemate system prune: containers that do not run, images and volumes that nothing uses go. */
#include <errno.h>
#include <stdio.h>

#include "cli/prune.h"

static const struct option_entry options[] = {
    {"all", 'a', OPTION_BOOL, NULL, "Every image that no container is of, not only those without a name",
     offsetof(struct prune_options, all)},
    {"filter", 0, OPTION_LIST, "KEY=VALUE", "Remove what matches: until, label, label!",
     offsetof(struct prune_options, filters)},
    PRUNE_FORCE,
    {"volumes", 0, OPTION_BOOL, NULL, "Anonymous volumes too", offsetof(struct prune_options, volumes)},
    {0},
};

static void ask(const struct prune_options *o, char *question)
{
    (void)snprintf(question, PRUNE_QUESTION_MAX, "This will remove:\n  - all stopped containers\n%s  - %s\n",
                   o->volumes ? "  - all anonymous volumes not used by at least one container\n" : "",
                   o->all ? "all images without at least one container associated to them"
                          : "all dangling images");
}

static int prune(const struct store *s, const struct prune_options *o, const struct prune_filter *f,
                 uint64_t *bytes, struct err *e)
{
    int r = prune_containers(s, f, bytes, e);
    if (r == 0 && o->volumes)
        r = prune_volumes(s, false, f, bytes, e);
    return r < 0 ? r : prune_images(s, o->all, f, bytes, e);
}

static int run(const struct invocation *in, struct err *e)
{
    static const char *const without_until[] = {"label", "label!", NULL};
    struct prune_command command = {.name = "system prune", .ask = ask, .prune = prune};
    if (options_given(in, "volumes"))
        command.keys = without_until;
    return prune_run(in, &command, e);
}

const struct verb verb_system_prune = {
    .name = "system prune",
    .group = VERB_SYSTEM,
    .usage = "",
    .summary = "Remove what is stored here and nothing uses",
    .options = {options},
    .run = run,
};
