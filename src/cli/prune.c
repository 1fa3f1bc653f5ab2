/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what nothing uses (prune.h). What is used by now, or gone, is passed over. */
#include "cli/prune.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/confirm.h"
#include "cli/human.h"
#include "engine/audit_log.h"
#include "engine/disk_usage.h"
#include "engine/events.h"
#include "engine/lifecycle.h"
#include "engine/mend.h"
#include "engine/volume.h"
#include "image/image.h"

struct prune {
    const struct store *s;
    const struct prune_filter *filter;
    bool all;
    size_t count;
    uint64_t *bytes;
};

static int read_filter(const struct prune_command *command, const struct str_list *filters,
                       struct prune_filter *ret, struct err *e)
{
    static const char *const usual[] = {"until", "label", "label!", NULL};
    *ret = (struct prune_filter){.filters = filters};
    int r = filters_check(filters, command->keys ? command->keys : usual, e);
    return r == 0 ? filters_time(filters, "until", clock_now(), &ret->until, e) : r;
}

static bool matches(const struct prune_filter *f, const struct str_list *labels, int64_t created)
{
    return (!f->until || created < f->until) && filters_labels(f->filters, labels);
}

static int visit_container(struct container *c, void *context, struct err *e)
{
    struct prune *p = context;
    struct disk_usage usage = {0};
    struct err used = {0};
    (void)e;
    if (c->status == CONTAINER_RUNNING || c->status == CONTAINER_RESTARTING ||
        !matches(p->filter, &c->plan.labels, c->plan.created))
        return 0;
    (void)disk_usage_container(c, &usage, &used);
    if (lifecycle_remove(p->s, c, false, true, &used) < 0)
        return 0;
    if (p->count++ == 0)
        printf("Deleted Containers:\n");
    printf("%s\n", c->id);
    *p->bytes += usage.bytes;
    return 0;
}

static void end_part(const struct prune *p)
{
    if (p->count)
        printf("\n");
}

int prune_containers(const struct store *s, const struct prune_filter *f, uint64_t *bytes, struct err *e)
{
    struct prune p = {.s = s, .filter = f, .bytes = bytes};
    int r = container_for_each(s, visit_container, &p, e);
    end_part(&p);
    return r;
}

static int visit_volume(const struct volume *v, int dir, void *context, struct err *e)
{
    struct prune *p = context;
    struct disk_usage usage = {0};
    struct err used = {0};
    (void)e;
    if ((!p->all && !v->anonymous) || !matches(p->filter, &v->labels, v->created))
        return 0;
    (void)disk_usage_volume(dir, &usage, &used);
    if (volume_remove(p->s, v->name, &used) < 0)
        return 0;
    audit_note_name(p->s, AUDIT_VOLUME_REMOVE, v->name, NULL, "pruned");
    if (p->count++ == 0)
        printf("Deleted Volumes:\n");
    printf("%s\n", v->name);
    *p->bytes += usage.bytes;
    return 0;
}

int prune_volumes(const struct store *s, bool all, const struct prune_filter *f, uint64_t *bytes,
                  struct err *e)
{
    struct prune p = {.s = s, .filter = f, .all = all, .bytes = bytes};
    int r = volume_for_each(s, visit_volume, &p, e);
    end_part(&p);
    return r;
}

/* What the filter leaves out counts as used, and so does what cannot be found out. */
static bool keeps(const struct image *i, char ret_container[DIGEST_HEX_LENGTH + 1], void *context)
{
    const struct prune *p = context;
    struct err e = {0};
    ret_container[0] = '\0';
    return !matches(p->filter, &i->labels, i->created) ||
           lifecycle_image_user(p->s, i->id, ret_container, &e) != 0;
}

static void print_names(const struct prune *p, const struct str_list *names, const char *what)
{
    bool deleted = str_equal(what, "deleted");
    for (size_t i = 0; i < names->count; i++) {
        audit_note_name(p->s, AUDIT_IMAGE_REMOVE, names->items[i], NULL, "pruned");
        events_image(p->s, deleted ? "delete" : "untag", deleted ? names->items[i] : NULL,
                     deleted ? NULL : names->items[i]);
        printf("%s: %s\n", what, names->items[i]);
    }
}

int prune_images(const struct store *s, bool all, const struct prune_filter *f, uint64_t *bytes,
                 struct err *e)
{
    struct prune p = {.s = s, .filter = f, .bytes = bytes};
    _cleanup_image_removed_ struct image_removed removed = {0};
    const struct image_remove_options o = {.in_use = keeps, .context = &p};
    uint64_t freed = 0;
    int r = image_prune(s, all, &o, &removed, &freed, e);
    if (r < 0)
        return r;
    p.count = removed.untagged.count + removed.deleted.count;
    if (p.count)
        printf("Deleted Images:\n");
    print_names(&p, &removed.untagged, "untagged");
    print_names(&p, &removed.deleted, "deleted");
    *bytes += freed;
    end_part(&p);
    return 0;
}

static int prune(const struct prune_command *command, const struct prune_options *o, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    struct prune_filter f;
    char question[PRUNE_QUESTION_MAX] = "", size[HUMAN_TEXT_MAX];
    uint64_t bytes = 0;
    int r = read_filter(command, &o->filters, &f, e);
    if (r < 0)
        return r;
    command->ask(o, question);
    if (!o->force && !confirm(question))
        return err_set(e, ECANCELED, "%s has been cancelled", command->name);
    r = store_open(&s, e);
    if (r < 0)
        return r;
    mend_all(&s);
    r = command->prune(&s, o, &f, &bytes, e);
    if (r < 0)
        return r;
    human_size(bytes, size);
    printf("Total reclaimed space: %s\n", size);
    return 0;
}

int prune_run(const struct invocation *in, const struct prune_command *command, struct err *e)
{
    struct prune_options o = {0};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = prune(command, &o, e);
    str_list_clear(&o.filters);
    return r < 0 ? r : EXIT_SUCCESS;
}
