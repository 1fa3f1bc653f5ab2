/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of a container (changes.h). A directory of the image is copied up as soon as something in it changes: it is told as changed when
 * something in it is, or its owner, mode or time differ. What only the engine has made, to mount on it, is not told.
 */
#include "workers/files/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "workers/files/limits.h"
#include "workers/files/lower.h"
#include "workers/files/pack.h"
#include "workers/files/walk.h"

#define KIND_ADDED 'A'
#define KIND_CHANGED 'C'
#define KIND_DELETED 'D'
#define KIND_UNDECIDED 'u'
#define ELF_MAGIC "\177ELF"
#define ELF_MAGIC_SIZE 4
#define COMPARE_CHUNK 16384
#define FLUSH_SIZE 65536

struct change {
    char kind;
    char *path;
};

/* A directory that the walk is in. */
struct open_directory {
    size_t change; /* its record */
    bool differs;  /* in owner or mode */
    bool time;     /* in time */
    bool mounted;  /* has a mount point of the engine's */
};

struct changes {
    struct lower lower;
    bool executables;
    struct change *items;
    size_t count;
    size_t capacity;
    struct open_directory open[FILES_DEPTH_MAX + 2]; /* by depth */
};

static void changes_free(struct changes *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->items[i].path);
    free(c->items);
    free(c);
}
DEFINE_CLEANUP(struct changes *, changes_free);
#define _cleanup_changes_ _cleanup_(changes_freep)

static int add(struct changes *c, char kind, const char *path, struct err *e)
{
    if (c->count == FILES_ENTRIES_MAX)
        return err_set(e, EFBIG, "more than %u changes", FILES_ENTRIES_MAX);
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 256;
        struct change *grown = reallocarray(c->items, capacity, sizeof(*grown));
        if (!grown)
            return err_oom(e);
        c->items = grown;
        c->capacity = capacity;
    }
    int r = str_copy(path, &c->items[c->count].path, e);
    if (r == 0)
        c->items[c->count++].kind = kind;
    return r;
}

/* Every directory on the way has changed with it. */
static void tell_parents(struct changes *c, unsigned depth)
{
    for (unsigned i = 1; i < depth; i++) {
        struct change *parent = &c->items[c->open[i].change];
        if (parent->kind == KIND_UNDECIDED)
            parent->kind = KIND_CHANGED;
    }
}

static int report(struct changes *c, char kind, const struct walk_entry *entry, struct err *e)
{
    tell_parents(c, entry->depth);
    return add(c, kind, entry->path, e);
}

static int enter_directory(struct changes *c, const struct walk_entry *entry, bool found,
                           const struct stat *below, struct err *e)
{
    struct open_directory *o = &c->open[entry->depth];
    bool merged = found && S_ISDIR(below->st_mode);
    *o = (struct open_directory){.change = c->count};
    if (!merged)
        return report(c, found ? KIND_CHANGED : KIND_ADDED, entry, e);
    o->differs = entry->st.st_mode != below->st_mode || entry->st.st_uid != below->st_uid ||
                 entry->st.st_gid != below->st_gid;
    o->time = entry->st.st_mtim.tv_sec != below->st_mtim.tv_sec ||
              entry->st.st_mtim.tv_nsec != below->st_mtim.tv_nsec;
    return add(c, KIND_UNDECIDED, entry->path, e);
}

/* 1: an ELF file whose content is not that of the image's file. */
static int is_new_program(const struct walk_entry *entry, int below_dir, struct err *e)
{
    char ours[COMPARE_CHUNK];
    char theirs[COMPARE_CHUNK];
    _cleanup_close_ int fd = openat(entry->dir, entry->name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP ? 0 : err_errno(e, "open /%s", entry->path);
    ssize_t n = io_read_full(fd, ours, sizeof(ours), e);
    if (n < 0)
        return (int)n;
    if (n < ELF_MAGIC_SIZE || memcmp(ours, ELF_MAGIC, ELF_MAGIC_SIZE) != 0)
        return 0;
    _cleanup_close_ int other =
        below_dir < 0 ? -1 : openat(below_dir, entry->name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    while (other >= 0 && n >= 0) {
        ssize_t m = io_read_full(other, theirs, sizeof(theirs), e);
        if (m != n || memcmp(ours, theirs, (size_t)n) != 0)
            break;
        if (n == 0)
            return 0;
        n = io_read_full(fd, ours, sizeof(ours), e);
    }
    return n < 0 ? (int)n : 1;
}

static int visit_program(struct changes *c, const struct walk_entry *entry, struct err *e)
{
    struct stat below;
    _cleanup_close_ int dir = -1;
    if (!S_ISREG(entry->st.st_mode))
        return WALK_ON;
    int found = lower_find(&c->lower, entry->path, &below, &dir, e);
    int r = is_new_program(entry, found > 0 && S_ISREG(below.st_mode) ? dir : -1, e);
    return r > 0 ? add(c, found > 0 ? KIND_CHANGED : KIND_ADDED, entry->path, e) : r;
}

static int enter(const struct walk_entry *entry, void *context, struct err *e)
{
    struct changes *c = context;
    struct stat below;
    if (entry->depth == 0)
        return WALK_ON;
    if (c->executables)
        return visit_program(c, entry, e);
    int found = lower_find(&c->lower, entry->path, &below, NULL, e);
    if (found == 0 && pack_is_mount_point(entry)) {
        c->open[entry->depth - 1].mounted = true;
        c->open[entry->depth] = c->open[entry->depth - 1];
        return WALK_SKIP;
    }
    if (S_ISDIR(entry->st.st_mode))
        return enter_directory(c, entry, found, &below, e);
    if (lower_is_whiteout(&entry->st))
        return report(c, KIND_DELETED, entry, e);
    return report(c, found ? KIND_CHANGED : KIND_ADDED, entry, e);
}

static int leave(unsigned depth, void *context, struct err *e)
{
    struct changes *c = context;
    const struct open_directory *o = &c->open[depth];
    if (depth == 0 || c->executables)
        return 0;
    struct change *own = &c->items[o->change];
    (void)e;
    if (own->kind == KIND_UNDECIDED && (o->differs || (o->time && !o->mounted))) {
        own->kind = KIND_CHANGED;
        tell_parents(c, depth);
    }
    return 0;
}

static int write_all(const struct changes *c, int out_fd, uint64_t *ret_count, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    int r = 0;
    for (size_t i = 0; i < c->count && r == 0; i++) {
        if (c->items[i].kind == KIND_UNDECIDED)
            continue;
        ++*ret_count;
        r = buf_printf(&b, 2 * FLUSH_SIZE, e, "%c/%s", c->items[i].kind, c->items[i].path);
        if (r == 0)
            r = buf_add(&b, "", 1, 2 * FLUSH_SIZE, e);
        if (r == 0 && b.length >= FLUSH_SIZE) {
            r = io_write_all(out_fd, b.data, b.length, e);
            b.length = 0;
        }
    }
    return r < 0 || b.length == 0 ? r : io_write_all(out_fd, b.data, b.length, e);
}

int changes_write(int upper, const int *lower, size_t lower_count,
                  const struct message_files_changes *request, int out_fd,
                  struct message_files_counts *ret_counts, struct err *e)
{
    struct message_files_counts counts = {0};
    _cleanup_changes_ struct changes *c = calloc(1, sizeof(*c));
    if (!c)
        return err_oom(e);
    c->lower = (struct lower){lower, lower_count};
    c->executables = request->executables == 1;
    const struct walk_calls calls = {.enter = enter, .leave = leave, .context = c};
    _cleanup_close_ int root = openat(upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return err_errno(e, "open the writable layer");
    int r = walk_tree(root, &calls, e);
    if (r == 0)
        r = write_all(c, out_fd, &counts.entries, e);
    if (r == 0)
        *ret_counts = counts;
    return r;
}
