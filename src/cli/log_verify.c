/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying logs of containers (log_verify.h): one line for each, and each is judged whatever the one before was. */
#include "cli/log_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/shimproto.h"
#include "engine/container.h"
#include "engine/logs_anchor.h"
#include "engine/logs_removed.h"

static void print_summary(const char *name, const struct logs_summary *sum, size_t anchors)
{
    if (sum->last == 0)
        printf("%s: 0 records: intact", name);
    else
        printf("%s: %llu record%s, %llu to %llu: intact", name, 1ULL + sum->last - sum->first,
               sum->last == sum->first ? "" : "s", (unsigned long long)sum->first,
               (unsigned long long)sum->last);
    if (anchors > 0)
        printf(", as the audit log has them");
    if (sum->unchained > 0)
        printf("; %llu older lines have no chain", (unsigned long long)sum->unchained);
    if (sum->lost > 0)
        printf("; %llu bytes were left out when they were written", (unsigned long long)sum->lost);
    if (sum->torn)
        printf("; half a record at the end");
    printf("\n");
}

/* `dir`: the directory of the log. `all`: what the audit log has of all of them, when that was read already. */
static int verify_dir(const struct store *s, const struct logs_anchors *all, int dir, const char *id,
                      const char *name, struct err *e)
{
    _cleanup_free_ struct logs_anchor *anchors = NULL;
    struct logs_summary sum = {0};
    size_t count = 0;
    int r =
        all ? logs_anchors_of(all, id, &anchors, &count, e) : logs_anchors_read(s, id, &anchors, &count, e);
    if (r == 0)
        r = logs_verify(dir, id, anchors, count, &sum, e);
    if (r < 0)
        return err_wrap(e, "the log of %s", name);
    print_summary(name, &sum, count);
    return 0;
}

static int verify_container(const struct store *s, const struct logs_anchors *all, const struct container *c,
                            const char *name, struct err *e)
{
    _cleanup_close_ int dir =
        openat(c->shim_dir, SHIM_LOG_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 && errno != ENOENT)
        return err_errno(e, "open the log of %s", name);
    if (dir >= 0)
        return verify_dir(s, all, dir, c->id, name, e);
    printf("%s: 0 records: intact\n", name);
    return 0;
}

/* What is kept of a removed one. */
static int verify_removed(const struct store *s, const char *word, struct err *e)
{
    _cleanup_logs_removed_ struct logs_removed removed = {.id = ""};
    _cleanup_close_ int dir = -1;
    int r = logs_removed_find(s, word, &removed, &dir, e);
    return r < 0 ? r : verify_dir(s, NULL, dir, removed.id, word, e);
}

static int complain(struct err *failed)
{
    (void)fflush(stdout);
    verbs_complain(failed);
    return EXIT_FAILURE;
}

int log_verify_named(const struct store *s, char *const *names, size_t count, struct err *e)
{
    int status = EXIT_SUCCESS;
    (void)e;
    for (size_t i = 0; i < count; i++) {
        _cleanup_container_ struct container c = CONTAINER_INIT;
        struct err failed = {0};
        int r = container_find(s, names[i], &c, &failed);
        struct err absent = {0};
        if (r == 0)
            r = verify_container(s, NULL, &c, names[i], &failed);
        else if (r == -ENOENT && (r = verify_removed(s, names[i], &absent)) < 0 && r != -ENOENT)
            failed = absent;
        if (r < 0)
            status = complain(&failed);
    }
    return status;
}

struct verdict {
    const struct store *store;
    int status;
    struct logs_anchors anchors;
};

static int visit_container(struct container *c, void *context, struct err *e)
{
    struct verdict *v = context;
    struct err failed = {0};
    (void)e;
    if (verify_container(v->store, &v->anchors, c, c->plan.name, &failed) < 0)
        v->status = complain(&failed);
    return 0;
}

static int visit_removed(const struct logs_removed *r, int dir, void *context, struct err *e)
{
    struct verdict *v = context;
    struct err failed = {0};
    (void)e;
    if (verify_dir(v->store, &v->anchors, dir, r->id, r->name ? r->name : r->id, &failed) < 0)
        v->status = complain(&failed);
    return 0;
}

int log_verify_all(const struct store *s, struct err *e)
{
    struct verdict v = {.store = s, .status = EXIT_SUCCESS};
    int r = logs_anchors_read_all(s, &v.anchors, e);
    if (r == 0)
        r = container_for_each(s, visit_container, &v, e);
    if (r == 0)
        r = logs_removed_for_each(s, visit_removed, &v, e);
    logs_anchors_clear(&v.anchors);
    return r < 0 ? r : v.status;
}
