/* SPDX-License-Identifier: Apache-2.0 */
/* Placing files (place.h). Modes and times of directories come last: until then they must be writable, and writing changes the times. */
#include "workers/files/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ids.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/syscalls.h"
#include "base/worker.h"
#include "workers/files/limits.h"
#include "workers/unpack/name.h"
#include "workers/unpack/stream.h"

#define SETID_BITS 06000
#define MADE_MODE 0755 /* of a directory that no entry describes */

/* What a directory gets at the end. */
struct later {
    char *path;
    mode_t mode;
    int64_t mtime;
    uint32_t mtime_ns;
};

struct place {
    struct tar tar;
    struct stream *stream;
    const struct message_files_place *request;
    int dir;           /* where the archive goes */
    char *parent_path; /* of the entry before; NULL: none */
    int parent;
    struct later *later;
    size_t later_count;
    size_t later_capacity;
    uint64_t told;
    struct message_files_counts counts;
    char clean[TAR_PATH_MAX + 1];
    char target[TAR_PATH_MAX + 1];
};

static void place_free(struct place *p)
{
    tar_close(&p->tar);
    stream_close(p->stream);
    close_fd(&p->dir);
    close_fd(&p->parent);
    free(p->parent_path);
    for (size_t i = 0; i < p->later_count; i++)
        free(p->later[i].path);
    free(p->later);
    free(p);
}
DEFINE_CLEANUP(struct place *, place_free);
#define _cleanup_place_ _cleanup_(place_freep)

/* Below `dir`, through no link; mounts of a container may lie on the way. */
static int open_below(int dir, const char *path, int flags, struct err *e)
{
    struct open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    int fd = sys_openat2(dir, *path ? path : ".", &how);
    return fd < 0 ? err_errno(e, "open %s", path) : fd;
}

/* Owner of what is made, by the request. */
static int set_owner(const struct place *p, int dir, const char *name, const struct tar_entry *entry,
                     struct err *e)
{
    uid_t uid = 0;
    gid_t gid = 0;
    if (p->request->owners == FILES_OWNER_SELF)
        return 0;
    if (p->request->owners == FILES_OWNER_ARCHIVE) {
        uid = entry->uid < IDS_BLOCK_SIZE ? (uid_t)entry->uid : IDS_OVERFLOW;
        gid = entry->gid < IDS_BLOCK_SIZE ? (gid_t)entry->gid : IDS_OVERFLOW;
    }
    int r = fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
    /* One of the two, or both, are not among the container's ids, of which an ordinary user's has fewer. */
    const struct {
        uid_t uid;
        gid_t gid;
    } instead[] = {{uid, IDS_OVERFLOW}, {IDS_OVERFLOW, gid}, {IDS_OVERFLOW, IDS_OVERFLOW}};
    for (size_t i = 0; i < ARRAY_SIZE(instead) && r < 0 && errno == EINVAL; i++)
        r = fchownat(dir, name, instead[i].uid, instead[i].gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
    return r < 0 ? err_errno(e, "set the owner of %s", entry->path) : 0;
}

/* For a directory that the archive has not described. */
static int make_missing(struct place *p, const char *path, struct err *e)
{
    const struct tar_entry nobody = {.path = path};
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char above[TAR_PATH_MAX + 1];
    (void)snprintf(above, sizeof(above), "%.*s", (int)(slash ? slash - path : 0), path);
    _cleanup_close_ int dir = open_below(p->dir, above, O_PATH | O_DIRECTORY, e);
    if (dir < 0)
        return dir;
    if (mkdirat(dir, name, MADE_MODE) == 0)
        return set_owner(p, dir, name, &nobody, e);
    return errno == EEXIST ? 0 : err_errno(e, "make directory %s", path);
}

static int make_parents(struct place *p, const char *path, struct err *e)
{
    char prefix[TAR_PATH_MAX + 1];
    size_t n = strlen(path);
    for (size_t i = 1; i <= n; i++) {
        if (i < n && path[i] != '/')
            continue;
        memcpy(prefix, path, i);
        prefix[i] = '\0';
        struct err probe = {0};
        _cleanup_close_ int there = open_below(p->dir, prefix, O_PATH | O_DIRECTORY, &probe);
        int r = there == -ENOENT ? make_missing(p, prefix, e) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

/* The directory that holds p->clean, and its last component. Valid until the next call. */
static int parent_of(struct place *p, const char *clean, const char **ret_name, struct err *e)
{
    const char *slash = strrchr(clean, '/');
    size_t n = slash ? (size_t)(slash - clean) : 0;
    *ret_name = slash ? slash + 1 : clean;
    if (p->parent_path && strlen(p->parent_path) == n && memcmp(p->parent_path, clean, n) == 0)
        return p->parent;
    free(steal_ptr(p->parent_path));
    close_fd(&p->parent);
    int r = str_copy_n(clean, n, &p->parent_path, e);
    if (r < 0 || !p->parent_path)
        return r < 0 ? r : err_oom(e);
    struct err probe = {0};
    p->parent = open_below(p->dir, p->parent_path, O_PATH | O_DIRECTORY, &probe);
    if (p->parent == -ENOENT) {
        r = make_parents(p, p->parent_path, e);
        if (r == 0)
            p->parent = open_below(p->dir, p->parent_path, O_PATH | O_DIRECTORY, &probe);
    }
    if (r == 0 && p->parent < 0)
        r = p->parent == -ELOOP || p->parent == -ENOTDIR
                ? err_set(e, ENOTDIR, "cannot overwrite non-directory \"%s\" with directory", p->parent_path)
                : err_set(e, -p->parent, "%s", probe.text);
    if (r == 0)
        return p->parent;
    free(steal_ptr(p->parent_path));
    return r;
}

static mode_t mode_of(struct place *p, const struct tar_entry *entry)
{
    if (!p->request->drop_set_id || !(entry->mode & SETID_BITS))
        return entry->mode;
    /* The set-group-id bit of a directory lets nobody become anybody. */
    mode_t dropped = entry->type == TAR_DIRECTORY ? S_ISUID : SETID_BITS;
    p->counts.set_ids += (entry->mode & dropped) != 0;
    return entry->mode & ~dropped;
}

static int remember(struct place *p, const struct tar_entry *entry, struct err *e)
{
    if (p->later_count == p->later_capacity) {
        size_t capacity = p->later_capacity ? 2 * p->later_capacity : 64;
        struct later *grown = reallocarray(p->later, capacity, sizeof(*grown));
        if (!grown)
            return err_oom(e);
        p->later = grown;
        p->later_capacity = capacity;
    }
    struct later l = {.mode = mode_of(p, entry), .mtime = entry->mtime, .mtime_ns = entry->mtime_ns};
    int r = str_copy(p->clean, &l.path, e);
    if (r == 0)
        p->later[p->later_count++] = l;
    return r;
}

static int place_directory(struct place *p, int dir, const char *name, const struct tar_entry *entry,
                           struct err *e)
{
    struct stat st;
    if (mkdirat(dir, name, 0700) < 0) {
        if (errno != EEXIST || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return err_errno(e, "make directory %s", entry->path);
        if (!S_ISDIR(st.st_mode))
            return err_set(e, ENOTDIR, "cannot overwrite non-directory \"%s\" with directory \"%s\"",
                           p->clean, entry->path);
    }
    int r = set_owner(p, dir, name, entry, e);
    return r < 0 ? r : remember(p, entry, e);
}

/* Something stands where an entry goes. Links and files make way, directories do not. */
static int make_way(struct place *p, int dir, const char *name, const struct tar_entry *entry, struct err *e)
{
    struct stat st;
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return 0;
    int failed = errno;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
        return err_set(e, EISDIR, "cannot overwrite directory \"%s\" with non-directory \"%s\"", p->clean,
                       entry->path);
    errno = failed;
    return err_errno(e, "replace %s", entry->path);
}

/* A file that something is mounted on cannot be replaced: it is written in place. */
static int open_mounted(int dir, const char *name, struct err *e)
{
    struct stat st;
    _cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(e, "open %s", name);
    if (!S_ISREG(st.st_mode))
        return err_set(e, EBUSY, "%s is in use", name);
    return ftruncate(fd, 0) < 0 ? err_errno(e, "empty %s", name) : steal_fd(&fd);
}

static int open_new(struct place *p, int dir, const char *name, const struct tar_entry *entry, struct err *e)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const mode_t mode = entry->mode & 0777 & ~(mode_t)SETID_BITS;
    int fd = openat(dir, name, flags, mode);
    if (fd >= 0)
        return fd;
    if (errno != EEXIST)
        return err_errno(e, "create %s", entry->path);
    int r = make_way(p, dir, name, entry, e);
    if (r == -EBUSY) {
        err_clear(e);
        return open_mounted(dir, name, e);
    }
    if (r < 0)
        return r;
    fd = openat(dir, name, flags, mode);
    return fd < 0 ? err_errno(e, "create %s", entry->path) : fd;
}

static int write_content(struct place *p, int fd, const struct tar_entry *entry, struct err *e)
{
    const uint8_t *data;
    size_t length;
    uint64_t offset;
    int r;
    while ((r = tar_read(&p->tar, &data, &length, &offset, e)) > 0) {
        r = io_write_all_at(fd, data, length, (off_t)offset, e);
        if (r < 0)
            return r;
        p->counts.bytes += length;
        if (p->request->tell && p->counts.bytes - p->told >= FILES_PROGRESS_STEP) {
            p->told = p->counts.bytes;
            worker_progress(p->told, 0);
        }
    }
    if (r == 0 && entry->sparse && ftruncate(fd, (off_t)entry->size) < 0)
        r = err_errno(e, "set the size");
    return r;
}

static int place_file(struct place *p, int dir, const char *name, const struct tar_entry *entry,
                      struct err *e)
{
    const struct timespec times[2] = {{entry->mtime, entry->mtime_ns}, {entry->mtime, entry->mtime_ns}};
    _cleanup_close_ int fd = open_new(p, dir, name, entry, e);
    if (fd < 0)
        return fd;
    int r = write_content(p, fd, entry, e);
    if (r < 0)
        return err_wrap(e, "%s", entry->path);
    r = set_owner(p, fd, "", entry, e); /* first: it takes set-id bits away */
    if (r == 0 && (fchmod(fd, mode_of(p, entry)) < 0 || futimens(fd, times) < 0))
        r = err_errno(e, "set the mode of %s", entry->path);
    return r;
}

static int place_symlink(struct place *p, int dir, const char *name, const struct tar_entry *entry,
                         struct err *e)
{
    const struct timespec times[2] = {{entry->mtime, entry->mtime_ns}, {entry->mtime, entry->mtime_ns}};
    if (symlinkat(entry->target, dir, name) < 0) {
        int r =
            errno == EEXIST ? make_way(p, dir, name, entry, e) : err_errno(e, "make link %s", entry->path);
        if (r < 0)
            return r;
        if (symlinkat(entry->target, dir, name) < 0)
            return err_errno(e, "make link %s", entry->path);
    }
    int r = set_owner(p, dir, name, entry, e);
    if (r == 0)
        (void)utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
    return r;
}

/* Only to what lies below the same directory, and was reached without a link. */
static int place_hardlink(struct place *p, int dir, const char *name, const struct tar_entry *entry,
                          struct err *e)
{
    struct stat st;
    int r = name_clean(entry->target, p->target, e);
    if (r < 0)
        return r;
    const char *slash = strrchr(p->target, '/');
    const char *base = slash ? slash + 1 : p->target;
    char above[TAR_PATH_MAX + 1];
    (void)snprintf(above, sizeof(above), "%.*s", (int)(slash ? slash - p->target : 0), p->target);
    _cleanup_close_ int from = open_below(p->dir, above, O_PATH | O_DIRECTORY, e);
    if (from < 0 || fstatat(from, base, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return err_set(e, EBADMSG, "archive: hard link '%.200s' to '%.200s', which is no file of the archive",
                       entry->path, entry->target);
    if (linkat(from, base, dir, name, 0) == 0)
        return 0;
    r = errno == EEXIST ? make_way(p, dir, name, entry, e) : err_errno(e, "make hard link %s", entry->path);
    if (r == 0 && linkat(from, base, dir, name, 0) < 0)
        r = err_errno(e, "make hard link %s", entry->path);
    return r;
}

static int place_fifo(struct place *p, int dir, const char *name, const struct tar_entry *entry,
                      struct err *e)
{
    const mode_t mode = S_IFIFO | (entry->mode & 0777);
    if (mknodat(dir, name, mode, 0) < 0) {
        int r =
            errno == EEXIST ? make_way(p, dir, name, entry, e) : err_errno(e, "make FIFO %s", entry->path);
        if (r < 0)
            return r;
        if (mknodat(dir, name, mode, 0) < 0)
            return err_errno(e, "make FIFO %s", entry->path);
    }
    return set_owner(p, dir, name, entry, e);
}

static int place_entry(struct place *p, const struct tar_entry *entry, struct err *e)
{
    const char *name;
    if (++p->counts.entries > FILES_ENTRIES_MAX)
        return err_set(e, EFBIG, "archive: more than %u entries", FILES_ENTRIES_MAX);
    int r = name_clean(entry->path, p->clean, e);
    if (r < 0 || p->clean[0] == '\0') /* the directory itself is there already */
        return r;
    int dir = parent_of(p, p->clean, &name, e);
    if (dir < 0)
        return dir;
    switch (entry->type) {
    case TAR_FILE:
        return place_file(p, dir, name, entry, e);
    case TAR_DIRECTORY:
        return place_directory(p, dir, name, entry, e);
    case TAR_SYMLINK:
        return place_symlink(p, dir, name, entry, e);
    case TAR_HARDLINK:
        return place_hardlink(p, dir, name, entry, e);
    case TAR_FIFO:
        return place_fifo(p, dir, name, entry, e);
    case TAR_CHAR_DEVICE:
    case TAR_BLOCK_DEVICE:
        p->counts.devices++;
        return 0;
    }
    return err_set(e, EBADMSG, "archive: unexpected entry");
}

/* One that has become something else, or has gone, is not ours any more. */
static int finish_directories(struct place *p, struct err *e)
{
    for (size_t i = p->later_count; i > 0; i--) {
        const struct later *l = &p->later[i - 1];
        const struct timespec times[2] = {{l->mtime, l->mtime_ns}, {l->mtime, l->mtime_ns}};
        struct err gone = {0};
        _cleanup_close_ int fd = open_below(p->dir, l->path, O_RDONLY | O_DIRECTORY, &gone);
        if (fd >= 0 && (fchmod(fd, l->mode) < 0 || futimens(fd, times) < 0))
            return err_errno(e, "set the mode of %s", l->path);
    }
    return 0;
}

int place_archive(int root_fd, const struct message_files_place *request, int in_fd,
                  struct message_files_counts *ret_counts, struct err *e)
{
    const struct tar_entry *entry;
    _cleanup_place_ struct place *p = calloc(1, sizeof(*p));
    if (!p)
        return err_oom(e);
    p->request = request;
    p->parent = -1;
    p->dir = path_open_in_root(root_fd, request->path, O_PATH | O_DIRECTORY, 0, e);
    int r = p->dir < 0
                ? p->dir
                : stream_open(in_fd, request->plain ? LAYER_PLAIN : LAYER_DETECT, false, &p->stream, e);
    if (r < 0)
        return r;
    tar_open(&p->tar, stream_next, p->stream);
    while ((r = tar_next(&p->tar, &entry, e)) > 0) {
        r = place_entry(p, entry, e);
        if (r < 0)
            return r;
    }
    if (r == 0)
        r = tar_drain(&p->tar, e);
    if (r == 0)
        r = finish_directories(p, e);
    if (r == 0)
        *ret_counts = p->counts;
    return r;
}
