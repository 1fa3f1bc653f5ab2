/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs of removed containers (logs_removed.h). Moved by one rename, before anything else of the container goes; whose it was is written
 * behind that. A flock on logs/removed orders those who keep and expire.
 */
#include "engine/logs_removed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/json.h"
#include "base/num.h"
#include "base/path.h"
#include "base/shimproto.h"
#include "engine/logs_files.h"

#define LOGS "logs"
#define REMOVED "removed"
#define RECORD "removed.json"
#define RECORD_MAX 8192
#define USAGE "usage" /* in logs/: bytes of all, and when expiry was last looked at */
#define USAGE_MAX 64
#define LOOK_AGAIN (3600 * CLOCK_SECOND)
#define NS_PER_DAY (86400ULL * CLOCK_SECOND)

void logs_removed_clear(struct logs_removed *r)
{
    free(r->name);
    free(r->image);
    *r = (struct logs_removed){.id = ""};
}

/* -ENOENT without e when nothing was ever kept. */
static int open_removed(const struct store *s, bool make, struct err *e)
{
    int fd = openat(s->root, LOGS "/" REMOVED, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    if (errno != ENOENT)
        return err_errno(e, "open " LOGS "/" REMOVED);
    if (!make)
        return -ENOENT;
    _cleanup_close_ int logs = path_make_dir_at(s->root, LOGS, 0700, e);
    return logs < 0 ? logs : path_make_dir_at(logs, REMOVED, 0700, e);
}

static uint64_t size_of(int log_dir)
{
    uint64_t size = 0;
    for (unsigned number = 0; number < LOGS_FILES_MAX; number++) {
        char name[LOGS_NAME_MAX];
        struct stat st;
        logs_file_name(number, name);
        if (fstatat(log_dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            size += (uint64_t)st.st_size;
        else if (number > 0)
            break;
    }
    return size;
}

static int write_record(int dir, const struct container *c, struct err *e)
{
    _cleanup_json_ struct json_object *o = json_object_new_object();
    if (!o)
        return err_oom(e);
    int r = json_add_string(o, "name", c->plan.name, e);
    if (r == 0)
        r = json_add_string(o, "image", c->plan.image_reference, e);
    if (r == 0)
        r = json_add_u64(o, "created", (uint64_t)c->plan.created, e);
    if (r == 0)
        r = json_add_u64(o, "removed", (uint64_t)clock_now(), e);
    if (r == 0)
        r = json_add_u64(o, "exit_code", (uint64_t)c->exit_code, e);
    size_t length = 0;
    const char *text = r == 0 ? json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &length) : NULL;
    _cleanup_close_ int fd =
        text ? openat(dir, RECORD, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return r < 0 ? r : err_errno(e, RECORD);
    return io_write_all(fd, text, length, e);
}

static int read_record(int dir, struct logs_removed *ret, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_json_ struct json_object *o = NULL;
    const char *name = NULL;
    const char *image = NULL;
    uint64_t created = 0, removed = 0, code = 0;
    int r = io_read_file_at(dir, RECORD, RECORD_MAX, &text, e);
    if (r == 0)
        r = json_parse(text.data ? text.data : "", text.length, &o, e);
    if (r < 0)
        return r;
    if (json_get_string(o, "name", &name, e) < 0 || json_get_string(o, "image", &image, e) < 0 ||
        json_get_u64(o, "created", &created, e) < 0 || json_get_u64(o, "removed", &removed, e) < 0 ||
        json_get_u64(o, "exit_code", &code, e) < 0)
        return -EBADMSG;
    ret->created = (int64_t)(created & INT64_MAX);
    ret->removed = (int64_t)(removed & INT64_MAX);
    ret->exit_code = (int)(code & 0xff);
    r = str_replace(&ret->name, name, e);
    return r == 0 ? str_replace(&ret->image, image, e) : r;
}

/* One entry of logs/removed; without a readable record, the time at which the directory was changed last. */
static int read_entry(int removed, const char *id, struct logs_removed *ret, int *ret_dir, struct err *e)
{
    _cleanup_close_ int dir = openat(removed, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct err ignored = {0};
    struct stat st;
    struct logs_removed x = {.id = ""};
    if (dir < 0 || fstat(dir, &st) < 0)
        return err_errno(e, "log of %.12s", id);
    memcpy(x.id, id, sizeof(x.id));
    x.removed = st.st_mtim.tv_sec * CLOCK_SECOND + st.st_mtim.tv_nsec;
    x.size = size_of(dir);
    (void)read_record(dir, &x, &ignored);
    *ret = x;
    if (ret_dir)
        *ret_dir = steal_fd(&dir);
    return 0;
}

struct removed_list {
    struct logs_removed *items;
    size_t count;
};

static void removed_list_clear(struct removed_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        logs_removed_clear(&l->items[i]);
    free(l->items);
}
#define _cleanup_removed_list_ _cleanup_(removed_list_clear)

static int newest_first(const void *a, const void *b)
{
    int64_t x = ((const struct logs_removed *)a)->removed;
    int64_t y = ((const struct logs_removed *)b)->removed;
    return x < y ? 1 : x > y ? -1 : 0;
}

static int list_all(int removed, struct removed_list *ret, struct err *e)
{
    _cleanup_close_ int fd = openat(removed, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return err_errno(e, "read " LOGS "/" REMOVED);
    (void)steal_fd(&fd);
    for (struct dirent *entry; (entry = readdir(d));) {
        struct err gone = {0};
        if (!id_valid(entry->d_name))
            continue;
        if ((ret->count & (ret->count - 1)) == 0) {
            struct logs_removed *grown =
                reallocarray(ret->items, ret->count ? ret->count * 2 : 1, sizeof(*grown));
            if (!grown)
                return err_oom(e);
            ret->items = grown;
        }
        if (read_entry(removed, entry->d_name, &ret->items[ret->count], NULL, &gone) == 0)
            ret->count++;
    }
    if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof(*ret->items), newest_first);
    return 0;
}

int logs_removed_for_each(const struct store *s,
                          int (*visit)(const struct logs_removed *r, int dir, void *context, struct err *e),
                          void *context, struct err *e)
{
    _cleanup_removed_list_ struct removed_list list = {0};
    _cleanup_close_ int removed = open_removed(s, false, e);
    if (removed < 0)
        return removed == -ENOENT ? 0 : removed;
    int r = list_all(removed, &list, e);
    for (size_t i = 0; i < list.count && r == 0; i++) {
        _cleanup_close_ int dir =
            openat(removed, list.items[i].id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir >= 0)
            r = visit(&list.items[i], dir, context, e);
    }
    return r;
}

/* By name first: the list has the newest in front. */
static const struct logs_removed *search(const struct removed_list *list, const char *word, bool *ret_many)
{
    const struct logs_removed *found = NULL;
    *ret_many = false;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].name && str_equal(list->items[i].name, word))
            return &list->items[i];
    for (size_t i = 0; i < list->count && id_valid_prefix(word); i++)
        if (str_after(list->items[i].id, word)) {
            *ret_many = found != NULL;
            found = &list->items[i];
        }
    return found;
}

int logs_removed_find(const struct store *s, const char *word, struct logs_removed *ret, int *ret_dir,
                      struct err *e)
{
    _cleanup_removed_list_ struct removed_list list = {0};
    _cleanup_close_ int removed = open_removed(s, false, e);
    bool many = false;
    if (removed < 0 && removed != -ENOENT)
        return removed;
    int r = removed < 0 ? 0 : list_all(removed, &list, e);
    if (r < 0)
        return r;
    const struct logs_removed *found = search(&list, word, &many);
    if (many)
        return err_set(e, EEXIST, "Multiple IDs found with provided prefix: %s", word);
    if (!found)
        return err_set(e, ENOENT, "No log of a removed container: %s", word);
    return read_entry(removed, found->id, ret, ret_dir, e);
}

static int write_usage(int removed, uint64_t bytes, int64_t looked, struct err *e)
{
    char text[USAGE_MAX];
    int n = snprintf(text, sizeof(text), "%-20llu %-20lld\n", (unsigned long long)bytes, (long long)looked);
    _cleanup_close_ int fd = openat(removed, "../" USAGE, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || pwrite(fd, text, (size_t)n, 0) != n)
        return err_errno(e, LOGS "/" USAGE);
    return 0;
}

/* Absent or unreadable: zeros, so that somebody looks. */
static void read_usage(int removed, uint64_t *ret_bytes, int64_t *ret_looked)
{
    char text[USAGE_MAX] = {0};
    unsigned long long bytes = 0;
    long long looked = 0;
    _cleanup_close_ int fd = openat(removed, "../" USAGE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool good = fd >= 0 && pread(fd, text, sizeof(text) - 1, 0) > 0 &&
                sscanf(text, "%llu %lld", &bytes, &looked) == 2;
    *ret_bytes = good ? bytes : 0;
    *ret_looked = good ? looked : 0;
}

static int expire_locked(int removed, const struct policy *p, struct err *e)
{
    _cleanup_removed_list_ struct removed_list list = {0};
    int64_t now = clock_now();
    uint64_t total = 0;
    int r = list_all(removed, &list, e);
    for (size_t i = 0; i < list.count && r == 0; i++) {
        const struct logs_removed *x = &list.items[i];
        bool old = now > x->removed && (uint64_t)(now - x->removed) / NS_PER_DAY >= p->removed_logs_days;
        if (old || total + x->size > p->removed_logs_size)
            r = path_remove_tree_at(removed, x->id, e);
        else
            total += x->size;
    }
    return r < 0 ? r : write_usage(removed, total, now, e);
}

int logs_expire(const struct store *s, const struct policy *p, struct err *e)
{
    _cleanup_close_ int removed = open_removed(s, false, e);
    if (removed < 0)
        return removed == -ENOENT ? 0 : removed;
    if (flock(removed, LOCK_EX) < 0)
        return err_errno(e, "lock " LOGS "/" REMOVED);
    return expire_locked(removed, p, e);
}

static int account(int removed, uint64_t size, struct err *e)
{
    uint64_t bytes = 0;
    int64_t looked = 0;
    _cleanup_policy_ struct policy policy = {0};
    read_usage(removed, &bytes, &looked);
    int64_t now = clock_now();
    bool due = looked == 0 || now < looked || now - looked > LOOK_AGAIN;
    bytes += size;
    int r = policy_load(&policy, e);
    if (r < 0)
        return r;
    if (!due && bytes <= policy.removed_logs_size)
        return write_usage(removed, bytes, looked, e);
    return expire_locked(removed, &policy, e);
}

/* A removal that was killed has moved it. */
static bool kept_without_record(int removed, const struct container *c)
{
    _cleanup_close_ int dir = openat(removed, c->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return dir >= 0 && faccessat(dir, RECORD, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

static int keep(const struct store *s, const struct container *c, struct err *e)
{
    _cleanup_close_ int removed = open_removed(s, true, e);
    if (removed < 0 || flock(removed, LOCK_EX) < 0)
        return removed < 0 ? removed : err_errno(e, "lock " LOGS "/" REMOVED);
    if (renameat(c->shim_dir, SHIM_LOG_DIR, removed, c->id) < 0 && !kept_without_record(removed, c))
        return err_errno(e, "keep the log");
    _cleanup_close_ int dir = openat(removed, c->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 || fchown(dir, 0, 0) < 0) /* the shim's id will be another's */
        return err_errno(e, "keep the log");
    int r = write_record(dir, c, e);
    return r == 0 ? account(removed, size_of(dir), e) : r;
}

static bool has_log(const struct container *c)
{
    struct stat st;
    return (fstatat(c->shim_dir, SHIM_LOG_DIR "/" SHIM_LOG_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_size > 0) ||
           fstatat(c->shim_dir, SHIM_LOG_DIR "/" SHIM_LOG_FILE ".1", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void logs_removed_keep(const struct store *s, const struct container *c)
{
    struct err ignored = {0};
    bool moved = c->start.time != 0 && faccessat(c->shim_dir, SHIM_LOG_DIR, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
    if (!c->plan.log_forget && (has_log(c) || moved))
        (void)keep(s, c, &ignored);
}
