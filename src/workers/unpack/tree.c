/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a layer (tree.h). Names and attributes are hostile; only this process changes the tree while it works. */
#include "workers/unpack/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/path.h"
#include "base/str.h"
#include "base/syscalls.h"

#define CACHE_SIZE 8
#define SETID_BITS 06000
#define MADE_MODE 0755 /* of a directory that no entry describes */
#define XATTR_OPAQUE "user.overlay.opaque"
#define XATTR_DEFAULT_ACL "system.posix_acl_default"

/* What a directory gets at the end. */
struct fixup {
    char *path;
    mode_t mode;
    struct timespec mtime;
    void *acl; /* or NULL */
    size_t acl_length;
};

struct cached {
    char *path;
    int fd;
    uint64_t used;
};

struct tree {
    int root;
    struct cached cache[CACHE_SIZE]; /* parents that were used last */
    uint64_t clock;
    bool stale; /* something was removed: the cache may name what is gone */
    struct fixup *fixups;
    size_t fixup_count;
    size_t fixup_capacity;
    bool any_acl;
    uint64_t refused;
    uint64_t replaced;
};

int tree_open(int root_fd, struct tree **ret_tree, struct err *e)
{
    struct tree *t = calloc(1, sizeof(*t));
    if (!t)
        return err_oom(e);
    t->root = root_fd;
    for (size_t i = 0; i < CACHE_SIZE; i++)
        t->cache[i].fd = -1;
    *ret_tree = t;
    return 0;
}

static void flush_cache(struct tree *t)
{
    for (size_t i = 0; i < CACHE_SIZE; i++) {
        free(t->cache[i].path);
        t->cache[i].path = NULL;
        close_fd(&t->cache[i].fd);
    }
    t->stale = false;
}

void tree_close(struct tree *t)
{
    if (!t)
        return;
    flush_cache(t);
    for (size_t i = 0; i < t->fixup_count; i++) {
        free(t->fixups[i].path);
        free(t->fixups[i].acl);
    }
    free(t->fixups);
    free(t);
}

uint64_t tree_xattrs_refused(const struct tree *t)
{
    return t->refused;
}

uint64_t tree_replaced(const struct tree *t)
{
    return t->replaced;
}

static bool is_whiteout(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

static int open_dir(struct tree *t, const char *path, int flags, struct err *e)
{
    return path_open_in_root(t->root, *path ? path : ".", flags | O_DIRECTORY, 0, e);
}

static int set_opaque(int dir, const char *name, struct err *e)
{
    _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "open directory %s", name);
    if (fsetxattr(fd, XATTR_OPAQUE, "y", 1, 0) < 0)
        return err_errno(
            e,
            "mark directory %s as opaque (does the file system of the data root have extended attributes?)",
            name);
    return 0;
}

/* A directory where the layer has a whiteout: it hides what the layers below have under this name. */
static int replace_whiteout(struct tree *t, int dir, const char *name, mode_t mode, struct err *e)
{
    if (unlinkat(dir, name, 0) < 0 || mkdirat(dir, name, mode) < 0)
        return err_errno(e, "make directory %s", name);
    t->stale = true;
    return set_opaque(dir, name, e);
}

/* `prefix` is no directory, but what it is in is one. */
static int make_parent(struct tree *t, const char *prefix, struct err *e)
{
    char above[TAR_PATH_MAX + 1];
    struct stat st;
    const char *slash = strrchr(prefix, '/');
    const char *name = slash ? slash + 1 : prefix;
    size_t length = slash ? (size_t)(slash - prefix) : 0;
    memcpy(above, prefix, length);
    above[length] = '\0';
    _cleanup_close_ int dir = open_dir(t, above, O_PATH, e);
    if (dir < 0)
        return dir;
    if (mkdirat(dir, name, MADE_MODE) == 0)
        return 0;
    if (errno != EEXIST || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(e, "make directory %s", prefix);
    if (is_whiteout(&st))
        return replace_whiteout(t, dir, name, MADE_MODE, e);
    return err_set(e, EBADMSG, "archive: '%.200s' is used as a directory, but is none", prefix);
}

static int make_parents(struct tree *t, const char *path, struct err *e)
{
    char prefix[TAR_PATH_MAX + 1];
    size_t n = strlen(path);
    for (size_t i = 1; i <= n; i++) {
        if (i < n && path[i] != '/')
            continue;
        memcpy(prefix, path, i);
        prefix[i] = '\0';
        struct err step = {0};
        _cleanup_close_ int there = open_dir(t, prefix, O_PATH, &step);
        if (there >= 0)
            continue;
        if (there != -ENOENT && there != -ENOTDIR) {
            *e = step;
            return there;
        }
        int r = make_parent(t, prefix, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static struct cached *oldest(struct tree *t)
{
    struct cached *found = &t->cache[0];
    for (size_t i = 1; i < CACHE_SIZE; i++)
        if (t->cache[i].used < found->used)
            found = &t->cache[i];
    return found;
}

/* An O_PATH descriptor that the cache owns; valid until CACHE_SIZE others were asked for, or something was removed and another
 * is asked for. Makes what is missing. */
static int parent_of(struct tree *t, const struct name *n, struct err *e)
{
    if (t->stale)
        flush_cache(t);
    t->clock++;
    for (size_t i = 0; i < CACHE_SIZE; i++)
        if (t->cache[i].path && str_equal(t->cache[i].path, n->parent)) {
            t->cache[i].used = t->clock;
            return t->cache[i].fd;
        }
    struct err probe = {0};
    _cleanup_free_ char *path = NULL;
    int r = str_copy(n->parent, &path, e);
    if (r < 0)
        return r;
    int fd = open_dir(t, path, O_PATH, &probe);
    if (fd == -ENOENT || fd == -ENOTDIR) {
        r = make_parents(t, path, e);
        if (r < 0)
            return r;
        fd = open_dir(t, path, O_PATH, &probe);
    }
    if (fd < 0) {
        *e = probe;
        return fd;
    }
    struct cached *slot = oldest(t);
    free(slot->path);
    close_fd(&slot->fd);
    *slot = (struct cached){.path = steal_ptr(path), .fd = fd, .used = t->clock};
    return fd;
}

/* After EEXIST: what is there makes way. Descriptors that were got before stay open. */
static int make_way(struct tree *t, int dir, const char *name, struct err *e)
{
    t->stale = true;
    t->replaced++;
    return path_remove_tree_at(dir, name, e);
}

static struct timespec time_of(const struct tree_attributes *a)
{
    return (struct timespec){.tv_sec = a->mtime, .tv_nsec = (long)a->mtime_ns};
}

/* Refusals of the file system are counted, not failed: attributes are never what makes a program run. */
static void set_xattrs(struct tree *t, int fd, const struct tree_attributes *a)
{
    for (size_t i = 0; i < a->xattr_count; i++)
        if (fsetxattr(fd, a->xattrs[i].name, a->xattrs[i].value, a->xattrs[i].length, 0) < 0)
            t->refused++;
}

int tree_begin_file(struct tree *t, const struct name *n, const struct tree_attributes *a, struct err *e)
{
    int dir = parent_of(t, n, e);
    if (dir < 0)
        return dir;
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(dir, n->base, flags, a->mode & ~(mode_t)SETID_BITS);
    if (fd < 0 && errno == EEXIST) {
        int r = make_way(t, dir, n->base, e);
        if (r < 0)
            return r;
        fd = openat(dir, n->base, flags, a->mode & ~(mode_t)SETID_BITS);
    }
    return fd < 0 ? err_errno(e, "create %s", n->base) : fd;
}

/* The order matters: a change of owner takes set-id bits away, and writing changes the time. */
int tree_end_file(struct tree *t, int fd, const struct tree_attributes *a, struct err *e)
{
    const struct timespec times[2] = {time_of(a), time_of(a)};
    if ((a->uid != 0 || a->gid != 0) && fchown(fd, a->uid, a->gid) < 0)
        return err_errno(e, "set the owner of a file");
    if ((a->mode & SETID_BITS) && fchmod(fd, a->mode) < 0)
        return err_errno(e, "set the mode of a file");
    set_xattrs(t, fd, a);
    if (futimens(fd, times) < 0)
        return err_errno(e, "set the time of a file");
    return 0;
}

static int add_fixup(struct tree *t, const struct name *n, const struct tree_attributes *a, struct err *e)
{
    char path[TAR_PATH_MAX + 1];
    if (t->fixup_count == t->fixup_capacity) {
        size_t capacity = t->fixup_capacity ? 2 * t->fixup_capacity : 256;
        struct fixup *grown = reallocarray(t->fixups, capacity, sizeof(*grown));
        if (!grown)
            return err_oom(e);
        t->fixups = grown;
        t->fixup_capacity = capacity;
    }
    struct fixup f = {.mode = a->mode, .mtime = time_of(a)};
    name_join(n, path);
    for (size_t i = 0; i < a->xattr_count && !f.acl; i++)
        if (str_equal(a->xattrs[i].name, XATTR_DEFAULT_ACL)) {
            f.acl_length = a->xattrs[i].length;
            f.acl = malloc(f.acl_length + 1);
            if (!f.acl)
                return err_oom(e);
            memcpy(f.acl, a->xattrs[i].value, f.acl_length);
            t->any_acl = true;
        }
    int r = str_copy(path, &f.path, e);
    if (r < 0) {
        free(f.acl);
        return r;
    }
    t->fixups[t->fixup_count++] = f;
    return 0;
}

/* Attributes of a directory but its default access list, which is for the end. */
static int set_directory_xattrs(struct tree *t, int dir, const char *name, const struct tree_attributes *a,
                                struct err *e)
{
    if (a->xattr_count == 0)
        return 0;
    _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "open directory %s", name);
    for (size_t i = 0; i < a->xattr_count; i++) {
        struct tree_attributes one = {.xattrs = &a->xattrs[i], .xattr_count = 1};
        if (!str_equal(a->xattrs[i].name, XATTR_DEFAULT_ACL))
            set_xattrs(t, fd, &one);
    }
    return 0;
}

/* The directory `name` of `dir` is there afterwards, as one of this layer. */
static int make_directory(struct tree *t, int dir, const char *name, struct err *e)
{
    struct stat st;
    if (mkdirat(dir, name, 0700) == 0)
        return 0;
    if (errno != EEXIST || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(e, "make directory %s", name);
    if (S_ISDIR(st.st_mode))
        return 0;
    if (is_whiteout(&st))
        return replace_whiteout(t, dir, name, 0700, e);
    int r = make_way(t, dir, name, e);
    if (r < 0)
        return r;
    return mkdirat(dir, name, 0700) < 0 ? err_errno(e, "make directory %s", name) : 0;
}

int tree_add_directory(struct tree *t, const struct name *n, const struct tree_attributes *a, struct err *e)
{
    int dir = t->root;
    int r = 0;
    const char *name = ".";
    if (n->kind != NAME_ROOT) {
        name = n->base;
        dir = parent_of(t, n, e);
        if (dir < 0)
            return dir;
        r = make_directory(t, dir, name, e);
    }
    if (r == 0 && fchownat(dir, name, a->uid, a->gid, AT_SYMLINK_NOFOLLOW) < 0)
        r = err_errno(e, "set the owner of directory %s", name);
    if (r == 0)
        r = set_directory_xattrs(t, dir, name, a, e);
    return r < 0 ? r : add_fixup(t, n, a, e);
}

/* Owner, mode (unless it is a link's) and time of what is no directory. */
static int finish_node(struct tree *t, int dir, const char *name, const struct tree_attributes *a,
                       bool is_link, struct err *e)
{
    const struct timespec times[2] = {time_of(a), time_of(a)};
    t->refused += a->xattr_count;
    if (fchownat(dir, name, a->uid, a->gid, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(e, "set the owner of %s", name);
    if (!is_link && fchmodat(dir, name, a->mode, 0) < 0)
        return err_errno(e, "set the mode of %s", name);
    if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(e, "set the time of %s", name);
    return 0;
}

int tree_add_symlink(struct tree *t, const struct name *n, const char *target,
                     const struct tree_attributes *a, struct err *e)
{
    int dir = parent_of(t, n, e);
    if (dir < 0)
        return dir;
    int made = symlinkat(target, dir, n->base);
    if (made < 0 && errno == EEXIST) {
        int r = make_way(t, dir, n->base, e);
        if (r < 0)
            return r;
        made = symlinkat(target, dir, n->base);
    }
    if (made < 0)
        return err_errno(e, "make symbolic link %s", n->base);
    return finish_node(t, dir, n->base, a, true, e);
}

int tree_add_fifo(struct tree *t, const struct name *n, const struct tree_attributes *a, struct err *e)
{
    int dir = parent_of(t, n, e);
    if (dir < 0)
        return dir;
    int made = mknodat(dir, n->base, S_IFIFO | 0600, 0);
    if (made < 0 && errno == EEXIST) {
        int r = make_way(t, dir, n->base, e);
        if (r < 0)
            return r;
        made = mknodat(dir, n->base, S_IFIFO | 0600, 0);
    }
    if (made < 0)
        return err_errno(e, "make FIFO %s", n->base);
    return finish_node(t, dir, n->base, a, false, e);
}

/* A layer can only link to what it has itself. */
static int check_link_target(int dir, const struct name *n, const struct name *target, struct stat *ret_stat,
                             struct err *e)
{
    if (fstatat(dir, target->base, ret_stat, AT_SYMLINK_NOFOLLOW) < 0)
        return err_set(e, EBADMSG,
                       "archive: hard link '%.200s' to '%.200s', which the layer does not have (before it)",
                       n->base, target->base);
    if (S_ISDIR(ret_stat->st_mode) || S_ISCHR(ret_stat->st_mode))
        return err_set(e, EBADMSG, "archive: hard link '%.200s' to '%.200s', which is no file", n->base,
                       target->base);
    return 0;
}

int tree_add_hardlink(struct tree *t, const struct name *n, const struct name *target, struct err *e)
{
    struct stat from;
    struct stat there;
    int dir = parent_of(t, n, e);
    if (dir < 0)
        return dir;
    int target_dir = parent_of(t, target, e);
    if (target_dir < 0)
        return target_dir;
    if (t->stale) { /* making the second parent has replaced something: the first may be gone */
        dir = parent_of(t, n, e);
        target_dir = dir < 0 ? dir : parent_of(t, target, e);
        if (target_dir < 0)
            return target_dir;
    }
    int r = check_link_target(target_dir, n, target, &from, e);
    if (r < 0)
        return r;
    if (linkat(target_dir, target->base, dir, n->base, 0) == 0)
        return 0;
    if (errno != EEXIST)
        return err_errno(e, "make hard link %s", n->base);
    if (fstatat(dir, n->base, &there, AT_SYMLINK_NOFOLLOW) == 0 && there.st_ino == from.st_ino)
        return 0;
    r = make_way(t, dir, n->base, e);
    if (r == 0 && linkat(target_dir, target->base, dir, n->base, 0) < 0)
        r = err_errno(e, "make hard link %s", n->base);
    return r;
}

int tree_add_whiteout(struct tree *t, const struct name *n, struct err *e)
{
    struct stat st;
    int dir = parent_of(t, n, e);
    if (dir < 0)
        return dir;
    if (mknodat(dir, n->base, S_IFCHR, 0) == 0)
        return 0;
    if (errno != EEXIST || fstatat(dir, n->base, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(e, "make whiteout %s", n->base);
    return S_ISDIR(st.st_mode) ? set_opaque(dir, n->base, e) : 0;
}

int tree_add_opaque(struct tree *t, const struct name *n, struct err *e)
{
    int dir = parent_of(t, n, e);
    return dir < 0 ? dir : set_opaque(dir, ".", e);
}

static int apply_fixup(struct tree *t, const struct fixup *f, struct err *e)
{
    const struct timespec times[2] = {f->mtime, f->mtime};
    struct err probe = {0};
    _cleanup_close_ int fd = open_dir(t, f->path, O_RDONLY | O_NOFOLLOW, &probe);
    if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) /* a later entry has replaced it */
        return 0;
    if (fd < 0) {
        *e = probe;
        return fd;
    }
    if (f->acl && fsetxattr(fd, XATTR_DEFAULT_ACL, f->acl, f->acl_length, 0) < 0)
        t->refused++;
    if (!f->acl && t->any_acl)
        (void)fremovexattr(fd, XATTR_DEFAULT_ACL);
    if (fchmod(fd, f->mode) < 0 || futimens(fd, times) < 0)
        return err_errno(e, "set the mode of directory %s", f->path);
    return 0;
}

int tree_finish(struct tree *t, struct err *e)
{
    flush_cache(t);
    for (size_t i = 0; i < t->fixup_count; i++) {
        int r = apply_fixup(t, &t->fixups[i], e);
        if (r < 0)
            return r;
    }
    return 0;
}
