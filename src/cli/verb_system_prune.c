/* SPDX-License-Identifier: Apache-2.0 */
/* casemate system prune: containers that do not run, images and volumes that nothing uses go. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/confirm.h"
#include "cli/prune.h"
#include "cli/verbs.h"
#include "engine/mend.h"

#define WARNING_MAX 512

struct prune_options {
    bool all, volumes, force;
    struct str_list filters;
};

static const struct option_entry options[] = {
    {"all", 'a', OPTION_BOOL, NULL, "Every image that no container is of, not only those without a name",
     offsetof(struct prune_options, all)},
    {"filter", 0, OPTION_LIST, "KEY=VALUE", "Remove what matches: until, label, label!",
     offsetof(struct prune_options, filters)},
    {"force", 'f', OPTION_BOOL, NULL, "Do not ask", offsetof(struct prune_options, force)},
    {"volumes", 0, OPTION_BOOL, NULL, "Anonymous volumes too", offsetof(struct prune_options, volumes)},
    {0},
};

static bool is_wanted(const struct prune_options *o)
{
    char warning[WARNING_MAX];
    (void)snprintf(warning, sizeof(warning), "This will remove:\n  - all stopped containers\n%s  - %s\n",
                   o->volumes ? "  - all anonymous volumes not used by at least one container\n" : "",
                   o->all ? "all images without at least one container associated to them"
                          : "all dangling images");
    return o->force || confirm(warning);
}

static int prune(const struct prune_options *o, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    struct prune_filter f;
    uint64_t bytes = 0;
    int r = prune_filter_read(&o->filters, clock_now(), &f, e);
    if (r == 0 && o->volumes && filters_given(&o->filters, "until"))
        r = err_set(e, EINVAL, "The \"until\" filter is not supported with \"--volumes\"");
    if (r == 0 && !is_wanted(o))
        r = err_set(e, ECANCELED, "system prune has been cancelled");
    if (r == 0)
        r = store_open(&s, e);
    if (r < 0)
        return r;
    mend_all(&s);
    r = prune_containers(&s, &f, &bytes, e);
    if (r == 0 && o->volumes)
        r = prune_volumes(&s, false, &f, &bytes, e);
    if (r == 0)
        r = prune_images(&s, o->all, &f, &bytes, e);
    if (r == 0)
        prune_print_total(bytes);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct prune_options o = {0};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = prune(&o, e);
    str_list_clear(&o.filters);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_system_prune = {
    .name = "system prune",
    .group = VERB_SYSTEM,
    .usage = "",
    .summary = "Remove what is stored here and nothing uses",
    .options = {options},
    .run = run,
};
