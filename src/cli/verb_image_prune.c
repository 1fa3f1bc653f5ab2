/* SPDX-License-Identifier: Apache-2.0 */
/* casemate image prune: images without a name, or that no container is of go. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/confirm.h"
#include "cli/prune.h"
#include "cli/verbs.h"
#include "engine/mend.h"

struct prune_options {
    bool all, force;
    struct str_list filters;
};

static const struct option_entry options[] = {
    {"all", 'a', OPTION_BOOL, NULL, "Every image that no container is of, not only those without a name",
     offsetof(struct prune_options, all)},
    {"filter", 0, OPTION_LIST, "KEY=VALUE", "Remove those that match: until, label, label!",
     offsetof(struct prune_options, filters)},
    {"force", 'f', OPTION_BOOL, NULL, "Do not ask", offsetof(struct prune_options, force)},
    {0},
};

static int prune(const struct prune_options *o, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    struct prune_filter f;
    uint64_t bytes = 0;
    int r = prune_filter_read(&o->filters, clock_now(), &f, e);
    if (r < 0)
        return r;
    if (!o->force &&
        !confirm(o->all ? "This will remove all images without at least one container associated to them."
                        : "This will remove all dangling images."))
        return err_set(e, ECANCELED, "image prune has been cancelled");
    r = store_open(&s, e);
    if (r < 0)
        return r;
    mend_ended(&s);
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

const struct verb verb_image_prune = {
    .name = "image prune",
    .group = VERB_IMAGES,
    .usage = "",
    .summary = "Remove images without a name, or that no container is of",
    .options = {options},
    .run = run,
};
