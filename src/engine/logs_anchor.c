/* SPDX-License-Identifier: Apache-2.0 */
/* Ends of logs in the audit log (logs_anchor.h). The head that is recorded was written by the shim: it is a claim until verified. */
#include "engine/logs_anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/io.h"
#include "base/json.h"
#include "base/num.h"
#include "base/shimproto.h"
#include "engine/audit_log.h"
#include "engine/audit_read.h"

#define ANCHORED "log-recorded" /* in the container's directory */
#define ANCHORED_MAX 24
#define WORDS 5 /* "records 7 to 200: HASH" */
#define ANCHORS_MAX 65536

void logs_anchor_end(const struct store *s, const struct container *c)
{
    struct logchain_state state;
    struct err ignored = {0};
    char hex[LOGCHAIN_HEX + 1] = {0};
    char what[LOGCHAIN_HEX + 64];
    _cleanup_close_ int log =
        openat(c->shim_dir, SHIM_LOG_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (log < 0 || logs_read_state(log, &state, &ignored) != 1 || state.last.number == 0)
        return;
    logchain_format(&state.last, hex);
    (void)snprintf(what, sizeof(what), "records %llu to %llu: %s",
                   (unsigned long long)state.before.number + 1, (unsigned long long)state.last.number, hex);
    audit_note_container(s, AUDIT_CONTAINER_LOG, &c->plan, what);
}

static int parse_anchor(const char *what, struct logs_anchor *ret)
{
    _cleanup_str_list_ struct str_list words = {0};
    struct logs_anchor a = {0};
    struct err ignored = {0};
    if (str_list_split(what, ' ', WORDS, &words, &ignored) < 0 || words.count != WORDS ||
        strlen(words.items[4]) != LOGCHAIN_HEX || !str_ends_with(words.items[3], ":"))
        return -EBADMSG;
    words.items[3][strlen(words.items[3]) - 1] = '\0';
    if (num_parse_u64(words.items[1], INT64_MAX, &a.before, &ignored) < 0 || a.before == 0 ||
        num_parse_u64(words.items[3], INT64_MAX, &a.last.number, &ignored) < 0 ||
        logchain_parse(words.items[4], &a.last) < 0)
        return -EBADMSG;
    a.before--;
    *ret = a;
    return 0;
}

struct search {
    const char *id;
    struct logs_anchor *items;
    size_t count;
};

static int visit(const struct audit_record *r, void *context, struct err *e)
{
    struct search *search = context;
    const char *container = NULL;
    const char *what = NULL;
    struct err ignored = {0};
    struct logs_anchor anchor;
    if (!str_equal(r->event, audit_kind_name(AUDIT_CONTAINER_LOG)) ||
        json_get_string(r->json, "container", &container, &ignored) != 1 ||
        !str_equal(container, search->id) || json_get_string(r->json, "what", &what, &ignored) != 1 ||
        parse_anchor(what, &anchor) < 0 || search->count >= ANCHORS_MAX)
        return 0;
    struct logs_anchor *grown = reallocarray(search->items, search->count + 1, sizeof(*grown));
    if (!grown)
        return err_oom(e);
    search->items = grown;
    grown[search->count++] = anchor;
    return 0;
}

int logs_anchors_read(const struct store *s, const char *id, struct logs_anchor **ret_anchors,
                      size_t *ret_count, struct err *e)
{
    struct search search = {.id = id};
    uint64_t skipped = 0;
    int r = audit_for_each(s, visit, &search, &skipped, e);
    _cleanup_free_ struct logs_anchor *items = search.items;
    if (r < 0)
        return err_wrap(e, "audit log");
    *ret_anchors = steal_ptr(items);
    *ret_count = search.count;
    return 0;
}

static int visit_all(const struct audit_record *r, void *context, struct err *e)
{
    struct logs_anchors *all = context;
    const char *container = NULL;
    const char *what = NULL;
    struct err ignored = {0};
    struct logs_anchor anchor;
    if (!str_equal(r->event, audit_kind_name(AUDIT_CONTAINER_LOG)) ||
        json_get_string(r->json, "container", &container, &ignored) != 1 || !id_valid(container) ||
        json_get_string(r->json, "what", &what, &ignored) != 1 || parse_anchor(what, &anchor) < 0)
        return 0;
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? all->capacity * 2 : 64;
        struct logs_anchor_of *grown = reallocarray(all->items, capacity, sizeof(*grown));
        if (!grown)
            return err_oom(e);
        all->items = grown;
        all->capacity = capacity;
    }
    struct logs_anchor_of *x = &all->items[all->count++];
    x->anchor = anchor;
    memcpy(x->id, container, sizeof(x->id));
    return 0;
}

int logs_anchors_read_all(const struct store *s, struct logs_anchors *ret, struct err *e)
{
    _cleanup_logs_anchors_ struct logs_anchors all = {0};
    uint64_t skipped = 0;
    int r = audit_for_each(s, visit_all, &all, &skipped, e);
    if (r < 0)
        return err_wrap(e, "audit log");
    *ret = all;
    all = (struct logs_anchors){0};
    return 0;
}

void logs_anchors_clear(struct logs_anchors *all)
{
    free(all->items);
    *all = (struct logs_anchors){0};
}

int logs_anchors_of(const struct logs_anchors *all, const char *id, struct logs_anchor **ret_anchors,
                    size_t *ret_count, struct err *e)
{
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        count += str_equal(all->items[i].id, id);
    if (count > ANCHORS_MAX)
        count = ANCHORS_MAX;
    struct logs_anchor *items = calloc(count ? count : 1, sizeof(*items));
    if (!items)
        return err_oom(e);
    for (size_t i = 0, n = 0; i < all->count && n < count; i++)
        if (str_equal(all->items[i].id, id))
            items[n++] = all->items[i].anchor;
    *ret_anchors = items;
    *ret_count = count;
    return 0;
}

/* Number of the last record that was recorded for a running container; 0: none. */
static uint64_t read_anchored(const struct container *c)
{
    _cleanup_buf_ struct buf text = {0};
    struct err ignored = {0};
    uint64_t number = 0;
    if (io_read_file_at(c->dir, ANCHORED, ANCHORED_MAX, &text, &ignored) < 0 || !text.data ||
        num_parse_u64(text.data, UINT64_MAX, &number, &ignored) < 0)
        return 0;
    return number;
}

void logs_anchor_now(const struct store *s, const struct container *c)
{
    struct logchain_state state;
    struct err ignored = {0};
    char text[ANCHORED_MAX];
    _cleanup_close_ int log =
        openat(c->shim_dir, SHIM_LOG_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (c->status != CONTAINER_RUNNING || log < 0 || logs_read_state(log, &state, &ignored) != 1 ||
        state.last.number <= read_anchored(c))
        return;
    logs_anchor_end(s, c);
    int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)state.last.number);
    (void)io_replace_file_at(c->dir, ANCHORED, text, (size_t)n, 0600, false, &ignored);
}
