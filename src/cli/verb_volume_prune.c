/* SPDX-License-Identifier: Apache-2.0 */
/* casemate volume prune: volumes that no container uses go. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/confirm.h"
#include "cli/human.h"
#include "cli/volumes.h"
#include "engine/audit_log.h"
#include "engine/disk_usage.h"

struct prune_options {
    bool all, force;
    struct str_list filters;
};

static const struct option_entry options[] = {
    {"all", 'a', OPTION_BOOL, NULL, "Named volumes too, not only those without a name of their own",
     offsetof(struct prune_options, all)},
    {"filter", 0, OPTION_LIST, "KEY=VALUE", "Remove those that match: all, label, label!",
     offsetof(struct prune_options, filters)},
    {"force", 'f', OPTION_BOOL, NULL, "Do not ask", offsetof(struct prune_options, force)},
    {0},
};

static const char *const keys[] = {"all", "label", "label!", NULL};

struct prune {
    const struct store *store;
    struct volumes_filter filter;
    bool all;
    uint64_t bytes;
    size_t count;
};

/* What is used by now, or gone, is passed over. */
static int visit(const struct volume *v, int dir, void *context, struct err *e)
{
    struct prune *p = context;
    struct disk_usage usage = {0};
    struct err used = {0};
    if (!p->all && !v->anonymous)
        return 0;
    int r = volumes_filter_match(&p->filter, p->store, v, dir, e);
    if (r <= 0)
        return r;
    (void)disk_usage_volume(dir, &usage, &used);
    if (volume_remove(p->store, v->name, &used) < 0)
        return 0;
    audit_note_name(p->store, AUDIT_VOLUME_REMOVE, v->name, NULL, "pruned");
    if (p->count++ == 0)
        printf("Deleted Volumes:\n");
    printf("%s\n", v->name);
    p->bytes += usage.bytes;
    return 0;
}

static bool wants_all(const struct prune_options *o)
{
    return o->all || str_list_has(&o->filters, "all=true") || str_list_has(&o->filters, "all=1");
}

static int prune_volumes(const struct prune_options *o, struct err *e)
{
    char size[HUMAN_TEXT_MAX];
    _cleanup_store_ struct store s = STORE_INIT;
    struct prune p = {.store = &s, .filter = {&o->filters, keys}, .all = wants_all(o)};
    int r = volumes_filter_check(&p.filter, e);
    if (r == 0 && !o->force &&
        !confirm(p.all ? "This will remove all local volumes not used by at least one container."
                       : "This will remove anonymous local volumes not used by at least one container."))
        return err_set(e, ECANCELED, "volume prune has been cancelled");
    if (r == 0)
        r = store_open(&s, e);
    if (r == 0)
        r = volume_for_each(&s, visit, &p, e);
    if (r < 0)
        return r;
    human_size(p.bytes, size);
    printf("%sTotal reclaimed space: %s\n", p.count ? "\n" : "", size);
    return 0;
}

static int run(const struct invocation *in, struct err *e)
{
    struct prune_options o = {0};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = prune_volumes(&o, e);
    str_list_clear(&o.filters);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_volume_prune = {
    .name = "volume prune",
    .group = VERB_VOLUMES,
    .usage = "",
    .summary = "Remove volumes that no container uses",
    .options = {options},
    .run = run,
};
