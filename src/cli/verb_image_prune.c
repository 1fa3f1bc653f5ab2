/* SPDX-License-Identifier: Apache-2.0 */
/* casemate image prune: images without a name, or that no container is of go. */
#include <stdio.h>

#include "cli/prune.h"

static const struct option_entry options[] = {
    {"all", 'a', OPTION_BOOL, NULL, "Every image that no container is of, not only those without a name",
     offsetof(struct prune_options, all)},
    {"filter", 0, OPTION_LIST, "KEY=VALUE", "Remove those that match: until, label, label!",
     offsetof(struct prune_options, filters)},
    PRUNE_FORCE,
    {0},
};

static void ask(const struct prune_options *o, char *question)
{
    (void)snprintf(question, PRUNE_QUESTION_MAX, "This will remove all %s.",
                   o->all ? "images without at least one container associated to them" : "dangling images");
}

static int prune(const struct store *s, const struct prune_options *o, const struct prune_filter *f,
                 uint64_t *bytes, struct err *e)
{
    return prune_images(s, o->all, f, bytes, e);
}

static int run(const struct invocation *in, struct err *e)
{
    static const struct prune_command command = {.name = "image prune", .ask = ask, .prune = prune};
    return prune_run(in, &command, e);
}

const struct verb verb_image_prune = {
    .name = "image prune",
    .group = VERB_IMAGES,
    .usage = "",
    .summary = "Remove images without a name, or that no container is of",
    .options = {options},
    .run = run,
};
