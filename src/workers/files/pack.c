/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packing (pack.h). The tree may belong to a running container that changes it: what is read is what the opened descriptor has, a file
 * that shrinks is filled up with zeros, one that grows is cut at the size that its header says.
 */
#include "workers/files/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"
#include "base/worker.h"
#include "workers/files/limits.h"
#include "workers/files/lower.h"
#include "workers/files/tar_write.h"
#include "workers/files/walk.h"

#define WHITEOUT ".wh."
#define WHITEOUT_MODE 0600
#define OPAQUE_NAME ".wh..wh..opq"
#define XATTR_NAMES_MAX 65536
#define XATTR_VALUE_ROOM 65536 /* of one value: what the kernel allows */
#define XATTR_VALUES_MAX (TAR_XATTRS_MAX * XATTR_VALUE_ROOM + XATTR_VALUE_ROOM)
#define PERMISSIONS 07777

/* A file with several names, by its first one. */
struct link {
    dev_t dev;
    ino_t ino;
    char path[];
};

struct pack {
    struct tar_writer *out;
    const struct message_files_pack *request;
    void *links; /* of tsearch */
    size_t link_count;
    uint64_t told; /* bytes at the last message of progress */
    struct message_files_counts counts;
    struct tar_entry entry;
    char path[TAR_PATH_MAX + 1];
    char target[TAR_PATH_MAX + 1];
    char names[XATTR_NAMES_MAX];
    struct buf values;
    uint8_t data[FILES_CHUNK];
};

static void pack_free(struct pack *p)
{
    tdestroy(p->links, free);
    buf_clear(&p->values);
    free(p->out);
    free(p);
}
DEFINE_CLEANUP(struct pack *, pack_free);
#define _cleanup_pack_ _cleanup_(pack_freep)

bool pack_is_mount_point(const struct walk_entry *entry)
{
    static const char *const directories[] = {"dev", "proc", "sys"};
    static const char *const files[] = {"etc/hostname", "etc/hosts", "etc/resolv.conf"};
    for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
        if (S_ISDIR(entry->st.st_mode) && str_equal(entry->path, directories[i]))
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        if (S_ISREG(entry->st.st_mode) && entry->st.st_size == 0 && str_equal(entry->path, files[i]))
            return true;
    return false;
}

static int compare_links(const void *a, const void *b)
{
    const struct link *x = a;
    const struct link *y = b;
    if (x->dev != y->dev)
        return x->dev < y->dev ? -1 : 1;
    return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

/* 1: an earlier entry is the same file, its name is in p->target; 0: it is new, and remembered. */
static int find_link(struct pack *p, const struct stat *st, struct err *e)
{
    size_t size = sizeof(struct link) + strlen(p->path) + 1;
    struct link *link = malloc(size);
    if (!link)
        return err_oom(e);
    link->dev = st->st_dev;
    link->ino = st->st_ino;
    memcpy(link->path, p->path, size - sizeof(struct link));
    struct link **found = tsearch(link, &p->links, compare_links);
    if (!found) {
        free(link);
        return err_oom(e);
    }
    if (*found != link) {
        free(link);
        return str_put(p->target, sizeof(p->target), (*found)->path, e) < 0 ? -e->code : 1;
    }
    return ++p->link_count > FILES_LINKS_MAX
               ? err_set(e, EFBIG, "more than %u files with several names", FILES_LINKS_MAX)
               : 0;
}

/* The entry's name: that of the request, then the path below it. A directory's ends in '/'. */
static int put_path(struct pack *p, const char *path, bool directory, struct err *e)
{
    const char *name = p->request->name;
    int n = snprintf(p->path, sizeof(p->path), "%s%s%s%s", name, *name && *path ? "/" : "", path,
                     directory ? "/" : "");
    if (n < 0 || (size_t)n >= sizeof(p->path))
        return err_set(e, ENAMETOOLONG, "path '%.80s…' is longer than %d bytes", p->path, TAR_PATH_MAX);
    if (str_equal(p->path, "/"))
        memcpy(p->path, "./", 3);
    return 0;
}

static void take_stat(struct pack *p, const struct stat *st, enum tar_type type)
{
    p->entry = (struct tar_entry){.type = type,
                                  .path = p->path,
                                  .target = p->target,
                                  .mode = st->st_mode & PERMISSIONS,
                                  .uid = st->st_uid,
                                  .gid = st->st_gid,
                                  .mtime = st->st_mtim.tv_sec};
    p->target[0] = '\0';
}

static int write_header(struct pack *p, struct err *e)
{
    if (++p->counts.entries > FILES_ENTRIES_MAX)
        return err_set(e, EFBIG, "more than %u files", FILES_ENTRIES_MAX);
    return tar_write_header(p->out, &p->entry, e);
}

static bool xattr_is_kept(const char *name)
{
    return (str_after(name, "user.") && !str_after(name, "user.overlay.")) ||
           str_after(name, "system.posix_acl_");
}

/* Attributes of a layer's file, which casemate-unpack takes. Their values stand in p->values one behind the other. */
static int take_xattrs(struct pack *p, int fd, struct err *e)
{
    size_t offsets[TAR_XATTRS_MAX] = {0};
    ssize_t listed = flistxattr(fd, p->names, sizeof(p->names));
    p->values.length = 0;
    if (listed < 0 && errno != ENOTSUP)
        return err_errno(e, "attributes of %s", p->path);
    for (const char *name = p->names; listed > 0 && name < p->names + listed; name += strlen(name) + 1) {
        if (!xattr_is_kept(name))
            continue;
        if (p->entry.xattr_count == TAR_XATTRS_MAX)
            return err_set(e, E2BIG, "%s has more than %d extended attributes", p->path, TAR_XATTRS_MAX);
        int r = buf_reserve(&p->values, XATTR_VALUE_ROOM, XATTR_VALUES_MAX, e);
        ssize_t n = r < 0 ? -1 : fgetxattr(fd, name, p->values.data + p->values.length, XATTR_VALUE_ROOM);
        if (n < 0)
            return r < 0 ? r : err_errno(e, "attribute %s of %s", name, p->path);
        offsets[p->entry.xattr_count] = p->values.length;
        p->values.length += (size_t)n;
        p->entry.xattrs[p->entry.xattr_count++] = (struct tar_xattr){.name = name, .length = (size_t)n};
    }
    for (size_t i = 0; i < p->entry.xattr_count; i++)
        p->entry.xattrs[i].value = p->values.data + offsets[i];
    return 0;
}

static void tell(struct pack *p)
{
    if (p->counts.bytes - p->told < FILES_PROGRESS_STEP)
        return;
    p->told = p->counts.bytes;
    worker_progress(p->told, 0);
}

static int write_content(struct pack *p, int fd, uint64_t size, struct err *e)
{
    uint64_t left = size;
    while (left > 0) {
        size_t want = left < sizeof(p->data) ? (size_t)left : sizeof(p->data);
        ssize_t n = read(fd, p->data, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "read %s", p->path);
        if (n == 0) {
            memset(p->data, 0, want);
            n = (ssize_t)want;
        }
        int r = tar_write_data(p->out, p->data, (size_t)n, e);
        if (r < 0)
            return r;
        left -= (uint64_t)n;
        p->counts.bytes += (uint64_t)n;
        tell(p);
    }
    return tar_write_padding(p->out, size, e);
}

/* An open regular file. */
static int pack_open_file(struct pack *p, const char *path, int fd, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(e, "stat %s", path);
    if (!S_ISREG(st.st_mode)) /* something else has taken its place */
        return 0;
    int r = put_path(p, path, false, e);
    if (r < 0)
        return r;
    take_stat(p, &st, TAR_FILE);
    int same = st.st_nlink > 1 ? find_link(p, &st, e) : 0;
    if (same < 0)
        return same;
    if (same > 0) {
        p->entry.type = TAR_HARDLINK;
        return write_header(p, e);
    }
    p->entry.size = (uint64_t)st.st_size;
    r = p->request->flags & FILES_PACK_LAYER ? take_xattrs(p, fd, e) : 0;
    if (r == 0)
        r = write_header(p, e);
    return r < 0 ? r : write_content(p, fd, p->entry.size, e);
}

static int pack_file(struct pack *p, const struct walk_entry *entry, struct err *e)
{
    _cleanup_close_ int fd =
        openat(entry->dir, entry->name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP || errno == ENXIO ? 0
                                                                   : err_errno(e, "open /%s", entry->path);
    return pack_open_file(p, entry->path, fd, e);
}

/* `dir` and `name` as of readlinkat(2). */
static int pack_symlink(struct pack *p, int dir, const char *name, const char *path, const struct stat *st,
                        struct err *e)
{
    int r = put_path(p, path, false, e);
    if (r < 0)
        return r;
    take_stat(p, st, TAR_SYMLINK);
    ssize_t n = readlinkat(dir, name, p->target, sizeof(p->target) - 1);
    if (n < 0)
        return errno == ENOENT || errno == EINVAL ? 0 : err_errno(e, "read link %s", p->path);
    p->target[n] = '\0';
    return write_header(p, e);
}

static int pack_fifo(struct pack *p, const char *path, const struct stat *st, struct err *e)
{
    int r = put_path(p, path, false, e);
    if (r < 0)
        return r;
    take_stat(p, st, TAR_FIFO);
    return write_header(p, e);
}

/* An empty file of this name in the directory `path`. */
static int pack_mark(struct pack *p, const char *path, const char *prefix, const char *name,
                     const struct stat *st, struct err *e)
{
    char marked[TAR_PATH_MAX + 1];
    int n = snprintf(marked, sizeof(marked), "%s%s%s%s", path, *path ? "/" : "", prefix, name);
    if (n < 0 || (size_t)n >= sizeof(marked))
        return err_set(e, ENAMETOOLONG, "path '%.80s…' is longer than %d bytes", path, TAR_PATH_MAX);
    int r = put_path(p, marked, false, e);
    if (r < 0)
        return r;
    take_stat(p, st, TAR_FILE);
    p->entry.mode = WHITEOUT_MODE;
    p->entry.uid = 0;
    p->entry.gid = 0;
    return write_header(p, e);
}

static int pack_whiteout(struct pack *p, const struct walk_entry *entry, struct err *e)
{
    char parent[TAR_PATH_MAX + 1] = "";
    const char *slash = strrchr(entry->path, '/');
    if (slash)
        (void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - entry->path), entry->path);
    return pack_mark(p, parent, WHITEOUT, entry->name, &entry->st, e);
}

static bool is_kernel_fs(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 &&
           (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC || fs.f_type == CGROUP_SUPER_MAGIC ||
            fs.f_type == CGROUP2_SUPER_MAGIC || fs.f_type == DEVPTS_SUPER_MAGIC);
}

static int pack_directory(struct pack *p, const struct walk_entry *entry, struct err *e)
{
    bool layer = p->request->flags & FILES_PACK_LAYER;
    int r = put_path(p, entry->path, true, e);
    if (r < 0)
        return r;
    take_stat(p, &entry->st, TAR_DIRECTORY);
    r = layer ? take_xattrs(p, entry->fd, e) : 0;
    if (r == 0)
        r = write_header(p, e);
    if (r == 0 && layer && lower_is_opaque(entry->fd))
        r = pack_mark(p, entry->path, "", OPAQUE_NAME, &entry->st, e);
    if (r < 0)
        return r;
    return entry->depth > 0 && is_kernel_fs(entry->fd) ? WALK_SKIP : WALK_ON;
}

static int pack_entry(const struct walk_entry *entry, void *context, struct err *e)
{
    struct pack *p = context;
    bool layer = p->request->flags & FILES_PACK_LAYER;
    if (entry->depth == 0 && p->request->flags & FILES_PACK_CONTENT)
        return WALK_ON;
    if (layer && pack_is_mount_point(entry))
        return WALK_SKIP;
    switch (entry->st.st_mode & S_IFMT) {
    case S_IFDIR:
        return pack_directory(p, entry, e);
    case S_IFREG:
        return pack_file(p, entry, e);
    case S_IFLNK:
        return pack_symlink(p, entry->dir, entry->name, entry->path, &entry->st, e);
    case S_IFIFO:
        return pack_fifo(p, entry->path, &entry->st, e);
    default:
        if (layer && lower_is_whiteout(&entry->st))
            return pack_whiteout(p, entry, e);
        p->counts.devices++;
        return 0;
    }
}

static int pack_tree(struct pack *p, int found, struct err *e)
{
    const struct walk_calls calls = {.enter = pack_entry, .context = p};
    _cleanup_close_ int dir = openat(found, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return err_errno(e, "open %s", p->request->path);
    return walk_tree(dir, &calls, e);
}

static int pack_single(struct pack *p, int root_fd, int found, const struct stat *st, struct err *e)
{
    int follow = p->request->flags & FILES_PACK_FOLLOW ? 0 : O_NOFOLLOW;
    if (S_ISLNK(st->st_mode))
        return pack_symlink(p, found, "", "", st, e);
    if (S_ISFIFO(st->st_mode))
        return pack_fifo(p, "", st, e);
    if (!S_ISREG(st->st_mode))
        return err_set(e, EINVAL, "%s is neither a file nor a directory", p->request->path);
    _cleanup_close_ int fd =
        path_open_in_root(root_fd, p->request->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | follow, 0, e);
    return fd < 0 ? fd : pack_open_file(p, "", fd, e);
}

int pack_path(int root_fd, const struct message_files_pack *request, int out_fd,
              struct message_files_counts *ret_counts, struct err *e)
{
    struct stat st;
    int follow = request->flags & FILES_PACK_FOLLOW ? 0 : O_NOFOLLOW;
    _cleanup_pack_ struct pack *p = calloc(1, sizeof(*p));
    if (!p || !(p->out = malloc(sizeof(*p->out))))
        return err_oom(e);
    tar_writer_open(p->out, out_fd);
    p->request = request;
    _cleanup_close_ int found = path_open_in_root(root_fd, request->path, O_PATH | follow, 0, e);
    if (found < 0)
        return found;
    if (fstat(found, &st) < 0)
        return err_errno(e, "stat %s", request->path);
    int r = S_ISDIR(st.st_mode) ? pack_tree(p, found, e) : pack_single(p, root_fd, found, &st, e);
    if (r == 0)
        r = tar_write_end(p->out, e);
    if (r < 0)
        return r;
    *ret_counts = p->counts;
    return 0;
}
