/* SPDX-License-Identifier: Apache-2.0 */
/* Container directories (container.h). */
#include "engine/container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/path.h"
#include "engine/changed_limits.h"
#include "engine/exit_record.h"
#include "engine/mark.h"
#include "engine/names.h"
#include "engine/pause.h"
#include "engine/record.h"
#include "engine/rename.h"
#include "engine/restarting.h"
#include "runtime/report.h"

#define PLAN_FILE_MAX (8U << 20)

void container_close(struct container *c)
{
    close_fd(&c->dir);
    close_fd(&c->shim_dir);
    close_fd(&c->waiter);
    plan_clear(&c->plan);
}

const char *container_status_name(enum container_status status)
{
    static const char *const names[] = {[CONTAINER_CREATED] = "created",
                                        [CONTAINER_RUNNING] = "running",
                                        [CONTAINER_EXITED] = "exited",
                                        [CONTAINER_RESTARTING] = "restarting",
                                        [CONTAINER_DEAD] = "dead"};
    return names[status];
}

const char *container_state_name(const struct container *c)
{
    return c->paused ? "paused" : container_status_name(c->status);
}

static int read_plan(struct container *c, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_json_ struct json_object *o = NULL;
    int r = io_read_file_at(c->dir, "plan.json", PLAN_FILE_MAX, &text, e);
    if (r == 0)
        r = json_parse(text.data ? text.data : "", text.length, &o, e);
    if (r == 0)
        r = plan_from_json(o, &c->plan, e);
    return r < 0 ? r : rename_read(c->dir, &c->plan, e);
}

/* Of one that does not run, when its records are read. */
static void read_end(struct container *c)
{
    struct exit_record exit = {0};
    struct err unreadable = {0};
    if (c->start.time == 0) {
        /* The last restart by its policy failed, or was cut short, and has left no start. */
        c->status = c->live.attempt ? CONTAINER_EXITED : CONTAINER_CREATED;
        c->exit_code = c->live.attempt ? RUNTIME_STATUS_ENGINE : 0;
    } else if (exit_record_read(c->shim_dir, &exit, &unreadable) == 1) {
        c->status = CONTAINER_EXITED;
        c->exit_code = exit.code;
        c->exit_signal = exit.signal;
        c->oom_killed = exit.oom;
        c->finished = exit.time;
    } else {
        c->status = CONTAINER_DEAD;
        c->lost = true;
    }
    if (restarting_failed(c)) {
        c->exit_code = c->live.fail_status;
        c->finished = c->live.failed;
    }
    if (c->tended && restarting_wanted(c, false))
        c->status = CONTAINER_RESTARTING;
}

int container_refresh(struct container *c, struct err *e)
{
    c->lost = false;
    c->exit_code = c->exit_signal = 0;
    c->oom_killed = c->paused = false;
    c->finished = 0;
    struct err unreadable = {0};
    bool alive = shim_alive(c->shim_dir) > 0;
    int r = record_read_start(c->dir, &c->start, e);
    if (r < 0)
        return r;
    r = limits_read(c->dir, &c->plan, e);
    if (r == 0)
        r = live_read(c->dir, &c->plan, &c->live, e);
    if (r < 0)
        return r;
    record_read_error(c->dir, c->error, sizeof(c->error));
    c->denials.count = 0;
    if (c->start.time != 0)
        (void)denials_read(c->shim_dir, &c->denials, &unreadable); /* it is being written, or says nothing */
    if (c->start.time != 0 && alive)
        c->status = CONTAINER_RUNNING;
    else
        read_end(c);
    c->paused = c->status == CONTAINER_RUNNING && pause_holds(c);
    return 0;
}

int container_open_unread(const struct store *s, const char *id, struct container *ret, struct err *e)
{
    _cleanup_container_ struct container c = CONTAINER_INIT;
    plan_init(&c.plan);
    if (!id_valid(id))
        return err_set(e, ENOENT, "No such container: %s", id);
    memcpy(c.id, id, sizeof(c.id));
    c.tended = mark_exists(s, MARK_TENDED, id);
    c.dir = openat(s->containers, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (c.dir < 0)
        return errno == ENOENT ? err_set(e, ENOENT, "No such container: %s", id)
                               : err_errno(e, "open container %.12s", id);
    c.shim_dir = path_open_dir_at(c.dir, "shim", e);
    int r = c.shim_dir < 0 ? c.shim_dir : read_plan(&c, e);
    if (r < 0)
        return err_wrap(e, "container %.12s", id);
    *ret = c;
    c = (struct container)CONTAINER_INIT;
    plan_init(&c.plan);
    return 0;
}

int container_open(const struct store *s, const char *id, struct container *ret, struct err *e)
{
    _cleanup_container_ struct container c = CONTAINER_INIT;
    plan_init(&c.plan);
    int r = container_open_unread(s, id, &c, e);
    if (r < 0)
        return r;
    if (container_refresh(&c, e) < 0)
        return err_wrap(e, "container %.12s", id);
    *ret = c;
    c = (struct container)CONTAINER_INIT;
    plan_init(&c.plan);
    return 0;
}

/* The one id that starts with `prefix`: 1 and ret_id, 0 when none does. */
static int find_prefix(const struct store *s, const char *prefix, char *ret_id, struct err *e)
{
    int found = 0;
    _cleanup_close_ int dir = openat(s->containers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = dir < 0 ? NULL : fdopendir(dir);
    if (!d)
        return err_errno(e, "read the containers");
    (void)steal_fd(&dir);
    for (struct dirent *entry; (entry = readdir(d));) {
        if (!id_valid(entry->d_name) || !str_after(entry->d_name, prefix))
            continue;
        if (found++)
            return err_set(e, EEXIST, "Multiple IDs found with provided prefix: %s", prefix);
        memcpy(ret_id, entry->d_name, ID_LENGTH + 1);
    }
    return found;
}

int container_find(const struct store *s, const char *name, struct container *ret, struct err *e)
{
    char id[ID_LENGTH + 1];
    const char *plain = name[0] == '/' ? name + 1 : name;
    int r = 0;
    if (id_valid(plain))
        return container_open(s, plain, ret, e);
    r = names_find(s, plain, id, e);
    bool by_name = r == 1;
    if (r == 0 && id_valid_prefix(plain))
        r = find_prefix(s, plain, id, e);
    if (r < 0)
        return r;
    if (r == 0)
        return err_set(e, ENOENT, "No such container: %s", name);
    r = container_open(s, id, ret, e);
    if (r == 0 && by_name && !str_equal(ret->plan.name, plain)) { /* names_stale */
        container_close(ret);
        *ret = (struct container)CONTAINER_INIT;
        plan_init(&ret->plan);
        r = -ENOENT;
    }
    return r == -ENOENT ? err_set(e, ENOENT, "No such container: %s", name) : r;
}

struct listed {
    char id[ID_LENGTH + 1];
    int64_t created;
};

static int newest_first(const void *a, const void *b)
{
    int64_t x = ((const struct listed *)a)->created;
    int64_t y = ((const struct listed *)b)->created;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* All ids with the time of their directory's plan, which is written once. */
static int list_ids(const struct store *s, struct listed **ret_items, size_t *ret_count, struct err *e)
{
    _cleanup_free_ struct listed *items = NULL;
    size_t count = 0;
    _cleanup_close_ int dir = openat(s->containers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = dir < 0 ? NULL : fdopendir(dir);
    if (!d)
        return err_errno(e, "read the containers");
    (void)steal_fd(&dir);
    for (struct dirent *entry; (entry = readdir(d));) {
        char plan[NAME_MAX + sizeof("/plan.json")];
        struct stat st;
        if (!id_valid(entry->d_name))
            continue;
        (void)snprintf(plan, sizeof(plan), "%s/plan.json", entry->d_name);
        if (fstatat(s->containers, plan, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if ((count & (count - 1)) == 0) {
            struct listed *grown = reallocarray(items, count ? count * 2 : 1, sizeof(*grown));
            if (!grown)
                return err_oom(e);
            items = grown;
        }
        memcpy(items[count].id, entry->d_name, sizeof(items[count].id));
        items[count++].created = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
    }
    if (count > 0)
        qsort(items, count, sizeof(*items), newest_first);
    *ret_items = steal_ptr(items);
    *ret_count = count;
    return 0;
}

int container_for_each(const struct store *s, int (*visit)(struct container *c, void *context, struct err *e),
                       void *context, struct err *e)
{
    _cleanup_free_ struct listed *items = NULL;
    size_t count = 0;
    int r = list_ids(s, &items, &count, e);
    for (size_t i = 0; i < count && r == 0; i++) {
        _cleanup_container_ struct container c = CONTAINER_INIT;
        plan_init(&c.plan);
        struct err gone = {0};
        if (container_open(s, items[i].id, &c, &gone) == 0)
            r = visit(&c, context, e);
    }
    return r;
}
