/* SPDX-License-Identifier: Apache-2.0 */
/* Walking hostile trees (walk.h): a stack of open directories on the heap, bounded by FILES_DEPTH_MAX. */
#include "workers/files/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "workers/files/limits.h"

struct level {
    int fd;
    struct str_list names;
    size_t at;
    size_t path_length; /* of the path of this directory */
};

struct walk {
    const struct walk_calls *calls;
    struct level *levels;
    size_t depth; /* levels in use */
    char path[PATH_LENGTH_MAX + 1];
};

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Room for names doubles: a list that grows one by one would be slow for large directories. */
static int add_name(struct str_list *names, size_t *capacity, const char *name, struct err *e)
{
    if (names->count == FILES_DIRECTORY_MAX)
        return err_set(e, EFBIG, "a directory has more than %u entries", FILES_DIRECTORY_MAX);
    if (names->count == *capacity) {
        size_t wanted = *capacity ? 2 * *capacity : 32;
        char **grown = reallocarray(names->items, wanted, sizeof(char *));
        if (!grown)
            return err_oom(e);
        names->items = grown;
        *capacity = wanted;
    }
    int r = str_copy(name, &names->items[names->count], e);
    if (r == 0)
        names->count++;
    return r;
}

static int list_names(int fd, struct str_list *names, struct err *e)
{
    size_t capacity = 0;
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = copy < 0 ? NULL : fdopendir(copy);
    if (!d) {
        close_fd(&copy);
        return err_errno(e, "read directory");
    }
    for (struct dirent *entry; (errno = 0, entry = readdir(d));) {
        if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
            continue;
        int r = add_name(names, &capacity, entry->d_name, e);
        if (r < 0)
            return r;
    }
    if (errno)
        return err_errno(e, "read directory");
    if (names->count > 1)
        qsort(names->items, names->count, sizeof(char *), compare);
    return 0;
}

static void pop(struct walk *w)
{
    struct level *l = &w->levels[--w->depth];
    if (w->depth > 0)
        close_fd(&l->fd); /* that of the root is the caller's */
    str_list_clear(&l->names);
}

/* Takes fd. */
static int push(struct walk *w, int fd, size_t path_length, struct err *e)
{
    if (w->depth == FILES_DEPTH_MAX) {
        close_fd(&fd);
        return err_set(e, ENAMETOOLONG, "%.80s…: more than %d directories deep", w->path, FILES_DEPTH_MAX);
    }
    w->levels[w->depth++] = (struct level){.fd = fd, .path_length = path_length};
    return list_names(fd, &w->levels[w->depth - 1].names, e);
}

/* Writes the path of `name` and returns its length, or a negative errno. */
static ssize_t set_path(struct walk *w, const struct level *l, const char *name, struct err *e)
{
    size_t n = strlen(name);
    size_t at = l->path_length;
    if (at + 1 + n > PATH_LENGTH_MAX)
        return err_set(e, ENAMETOOLONG, "path '%.80s…' is longer than %d bytes", w->path, PATH_LENGTH_MAX);
    if (at > 0)
        w->path[at++] = '/';
    memcpy(w->path + at, name, n + 1);
    return (ssize_t)(at + n);
}

/* 1: it is there; 0: it has gone, or become something else. */
static int look(const struct level *l, const char *name, struct walk_entry *entry, struct err *e)
{
    if (fstatat(l->fd, name, &entry->st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : err_errno(e, "stat %s", name);
    if (!S_ISDIR(entry->st.st_mode))
        return 1;
    entry->fd = openat(l->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (entry->fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : err_errno(e, "open %s", name);
    return fstat(entry->fd, &entry->st) < 0 ? err_errno(e, "stat %s", name) : 1;
}

static int visit(struct walk *w, const char *name, struct err *e)
{
    const struct level *l = &w->levels[w->depth - 1];
    ssize_t length = set_path(w, l, name, e);
    if (length < 0)
        return (int)length;
    struct walk_entry entry = {
        .path = w->path, .name = name, .dir = l->fd, .fd = -1, .depth = (unsigned)w->depth};
    int r = look(l, name, &entry, e);
    if (r <= 0)
        return r < 0 ? err_wrap(e, "/%s", w->path) : 0;
    r = w->calls->enter(&entry, w->calls->context, e);
    if (r == WALK_ON && entry.fd >= 0)
        return push(w, entry.fd, (size_t)length, e);
    close_fd(&entry.fd);
    if (r == WALK_ON || r < 0 || !S_ISDIR(entry.st.st_mode) || !w->calls->leave)
        return r < 0 ? r : 0;
    return w->calls->leave((unsigned)w->depth, w->calls->context, e);
}

static int go_on(struct walk *w, struct err *e)
{
    struct level *l = &w->levels[w->depth - 1];
    if (l->at < l->names.count)
        return visit(w, l->names.items[l->at++], e);
    pop(w);
    return w->calls->leave ? w->calls->leave((unsigned)w->depth, w->calls->context, e) : 0;
}

int walk_tree(int root_fd, const struct walk_calls *calls, struct err *e)
{
    _cleanup_free_ struct walk *w = calloc(1, sizeof(*w));
    _cleanup_free_ struct level *levels = calloc(FILES_DEPTH_MAX, sizeof(*levels));
    struct walk_entry root = {.path = "", .name = "", .dir = -1, .fd = root_fd};
    if (!w || !levels)
        return err_oom(e);
    w->calls = calls;
    w->levels = levels;
    if (fstat(root_fd, &root.st) < 0)
        return err_errno(e, "stat");
    int r = calls->enter(&root, calls->context, e);
    if (r != WALK_ON)
        return r < 0 ? r : 0;
    r = push(w, root_fd, 0, e);
    while (r == 0 && w->depth > 0)
        r = go_on(w, e);
    while (w->depth > 0)
        pop(w);
    return r;
}
