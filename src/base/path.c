/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths through openat2(2) (path.h). Trusted code on hostile trees: every step holds a descriptor, no step trusts a name twice.
 */
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/syscalls.h"

/* openat2 gives EAGAIN when a rename races with "..": a bounded number of tries. */
#define OPENAT2_TRIES 64

static int open_how(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve, struct err *e)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = flags & (O_CREAT | O_TMPFILE) ? mode : 0,
        .resolve = resolve,
    };
    for (int i = 0; i < OPENAT2_TRIES; i++) {
        int fd = sys_openat2(dir_fd, path, &how);
        if (fd >= 0)
            return fd;
        if (errno != EAGAIN && errno != EINTR)
            break;
    }
    return err_errno(e, "open %s", path);
}

int path_open_in_root(int root_fd, const char *path, int flags, mode_t mode, struct err *e)
{
    return open_how(root_fd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, e);
}

int path_open_beneath(int dir_fd, const char *path, int flags, mode_t mode, struct err *e)
{
    return open_how(dir_fd, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV, e);
}

bool path_is_component(const char *name)
{
    size_t n = strlen(name);
    return n >= 1 && n <= NAME_MAX && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int path_check_absolute(const char *path, struct err *e)
{
    size_t n = strlen(path);
    if (path[0] != '/')
        return err_set(e, EINVAL, "'%.200s' is not an absolute path", path);
    if (n > PATH_LENGTH_MAX)
        return err_set(e, ENAMETOOLONG, "path '%.80s…' is longer than %d bytes", path, PATH_LENGTH_MAX);
    for (const unsigned char *p = (const unsigned char *)path; *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            return err_set(e, EINVAL, "path '%.200s' has a control character", path);
    return 0;
}

/* Makes the last component of `prefix` (everything before it exists) inside the root. */
static int make_one_dir(int root_fd, const char *prefix, mode_t mode, uid_t uid, gid_t gid, struct err *e)
{
    char parent[PATH_LENGTH_MAX + 1];
    (void)snprintf(parent, sizeof(parent), "%s", prefix);
    char *slash = strrchr(parent, '/');
    const char *name = prefix;
    if (slash) {
        name = prefix + (slash - parent) + 1;
        *slash = '\0';
    }
    _cleanup_close_ int parent_fd =
        path_open_in_root(root_fd, slash && parent[0] ? parent : ".", O_PATH | O_DIRECTORY, 0, e);
    if (parent_fd < 0)
        return parent_fd;
    if (mkdirat(parent_fd, name, mode) < 0)
        return errno == EEXIST ? 0 : err_errno(e, "make directory %s", prefix);
    if (uid == (uid_t)-1)
        return 0;
    _cleanup_close_ int made =
        open_how(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS, e);
    if (made < 0)
        return made;
    if (fchownat(made, "", uid, gid, AT_EMPTY_PATH) < 0)
        return err_errno(e, "change owner of %s", prefix);
    return 0;
}

int path_make_dirs_in_root(int root_fd, const char *path, mode_t mode, uid_t uid, gid_t gid, struct err *e)
{
    char prefix[PATH_LENGTH_MAX + 1];
    size_t n = strlen(path);
    if (n > PATH_LENGTH_MAX)
        return err_set(e, ENAMETOOLONG, "path '%.80s…' is too long", path);
    struct err probe = {0};
    int fd = path_open_in_root(root_fd, n ? path : ".", O_PATH | O_DIRECTORY, 0, &probe);
    if (fd != -ENOENT) {
        *e = fd >= 0 ? *e : probe;
        return fd;
    }
    for (size_t i = 1; i <= n; i++) {
        if (i < n && path[i] != '/')
            continue;
        if (path[i - 1] == '/' || (i >= 2 && strncmp(path + i - 2, "/.", 2) == 0) ||
            strncmp(path, ".", i) == 0)
            continue;
        memcpy(prefix, path, i);
        prefix[i] = '\0';
        if (i >= 3 && strcmp(prefix + i - 3, "/..") == 0)
            return err_set(e, EINVAL, "path '%s' has a '..' below a directory that does not exist", path);
        struct err step = {0};
        _cleanup_close_ int there = path_open_in_root(root_fd, prefix, O_PATH | O_DIRECTORY, 0, &step);
        if (there >= 0)
            continue;
        if (there != -ENOENT) {
            *e = step;
            return there;
        }
        int r = make_one_dir(root_fd, prefix, mode, uid, gid, e);
        if (r < 0)
            return r;
    }
    return path_open_in_root(root_fd, path, O_PATH | O_DIRECTORY, 0, e);
}

int path_make_file_in_root(int root_fd, const char *path, uid_t uid, gid_t gid, struct err *e)
{
    struct err probe = {0};
    int fd = path_open_in_root(root_fd, path, O_PATH, 0, &probe);
    if (fd >= 0)
        return fd;
    if (fd != -ENOENT) {
        *e = probe;
        return fd;
    }
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (!path_is_component(name))
        return err_set(e, EINVAL, "'%s' is not the name of a file", path);
    char parent[PATH_LENGTH_MAX + 1];
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (n > PATH_LENGTH_MAX)
        return err_set(e, ENAMETOOLONG, "path '%.80s…' is too long", path);
    memcpy(parent, path, n);
    parent[n] = '\0';
    _cleanup_close_ int dir = path_make_dirs_in_root(root_fd, n ? parent : "/", 0755, uid, gid, e);
    if (dir < 0)
        return dir;
    _cleanup_close_ int made = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (made < 0)
        return err_errno(e, "create %s", path);
    if (uid != (uid_t)-1 && fchown(made, uid, gid) < 0)
        return err_errno(e, "change owner of %s", path);
    return open_how(dir, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS, e);
}

int path_reopen(int fd, int flags, struct err *e)
{
    char link[32];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    int reopened = open(link, flags | O_CLOEXEC);
    return reopened < 0 ? err_errno(e, "reopen a descriptor") : reopened;
}

int path_make_dir_at(int dir_fd, const char *name, mode_t mode, struct err *e)
{
    /* Mostly it is there: then no lock of the directory above is needed. */
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    if (mkdirat(dir_fd, name, mode) < 0 && errno != EEXIST)
        return err_errno(e, "make directory %s", name);
    return path_open_dir_at(dir_fd, name, e);
}

int path_open_dir_at(int dir_fd, const char *name, struct err *e)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? err_errno(e, "open directory %s", name) : fd;
}

/* Empties `dir_fd`: files at once; the first non-empty directory found is moved up to `top_fd` under a fresh number so that depth
 * never grows. Returns the count of directories that were moved up, or a negative errno. */
static int empty_dir(int top_fd, int dir_fd, uint64_t *serial, struct err *e)
{
    int moved = 0;
    int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0)
        return err_errno(e, "open directory");
    _cleanup_closedir_ DIR *d = fdopendir(copy);
    if (!d) {
        close(copy);
        return err_errno(e, "read directory");
    }
    for (struct dirent *entry; (errno = 0, entry = readdir(d));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dir_fd, entry->d_name, 0) == 0 || errno == ENOENT)
            continue;
        if (errno != EISDIR && errno != EPERM)
            return err_errno(e, "remove %s", entry->d_name);
        if (unlinkat(dir_fd, entry->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT)
            continue;
        if (errno != ENOTEMPTY && errno != EEXIST)
            return err_errno(e, "remove directory %s", entry->d_name);
        char name[32];
        do
            (void)snprintf(name, sizeof(name), ".rm-%016llx", (unsigned long long)(*serial)++);
        while (syscall(SYS_renameat2, dir_fd, entry->d_name, top_fd, name, 1U /* RENAME_NOREPLACE */) < 0 &&
               errno == EEXIST);
        moved++;
    }
    return errno ? err_errno(e, "read directory") : moved;
}

/* Empties the tree below top_fd. */
static int empty_tree(int top_fd, struct err *e)
{
    uint64_t serial = 0;
    for (;;) {
        int moved = 0;
        int copy = openat(top_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (copy < 0)
            return err_errno(e, "open directory");
        _cleanup_closedir_ DIR *d = fdopendir(copy);
        if (!d) {
            close(copy);
            return err_errno(e, "read directory");
        }
        for (struct dirent *entry; (errno = 0, entry = readdir(d));) {
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                continue;
            if (unlinkat(top_fd, entry->d_name, 0) == 0 || errno == ENOENT)
                continue;
            if (errno != EISDIR && errno != EPERM)
                return err_errno(e, "remove %s", entry->d_name);
            _cleanup_close_ int sub =
                openat(top_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (sub < 0)
                return err_errno(e, "open directory %s", entry->d_name);
            int r = empty_dir(top_fd, sub, &serial, e);
            if (r < 0)
                return r;
            moved += r;
            if (unlinkat(top_fd, entry->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                return err_errno(e, "remove directory %s", entry->d_name);
        }
        if (errno)
            return err_errno(e, "read directory");
        if (moved == 0)
            return 0;
    }
}

int path_remove_tree_at(int dir_fd, const char *name, struct err *e)
{
    if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return err_errno(e, "remove %s", name);
    _cleanup_close_ int top = path_open_dir_at(dir_fd, name, e);
    if (top < 0)
        return top;
    int r = empty_tree(top, e);
    if (r < 0)
        return err_wrap(e, "remove %s", name);
    if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return err_errno(e, "remove directory %s", name);
    return 0;
}
