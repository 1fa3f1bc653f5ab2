/* SPDX-License-Identifier: Apache-2.0 */
/* The data root (root.h). Trusted; its directories belong to the caller alone, so names are used directly. */
#include "store/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/dirs.h"
#include "base/id.h"
#include "base/identity.h"
#include "base/ids.h"
#include "base/io.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"

#define FORMAT_FILE_MAX 32
#define IDS_FILE_MAX 64
#define STAGING_TRIES 16

static const char *const root_parts[] = {
    "format",  "index.db", "index.db-wal", "index.db-shm", "layers", "images",    "containers", "names",
    "volumes", "staging",  "cache",        "projects",     "audit",  "audit/log", "audit/head", NULL};
/* Not `exited`: shims write there (engine/mark.h). */
static const char *const run_parts[] = {"ids", "starting", "tended", NULL};

/* What only we have written must be ours alone: whoever else could write there would be the engine. */
static int check_ours(const struct stat *st, const char *path, const char *name, struct err *e)
{
    const char *slash = *name ? "/" : "";
    const char *fault = S_ISLNK(st->st_mode)      ? "is a symbolic link"
                        : st->st_uid != geteuid() ? "belongs to another user"
                        : (st->st_mode & 0022)    ? "can be written by others"
                                                  : NULL;
    if (!fault)
        return 0;
    if (S_ISLNK(st->st_mode))
        return err_set(e, EPERM, "%s%s%s %s: look at what it is before anything else", path, slash, name,
                       fault);
    return err_set(e, EPERM, "%s%s%s %s: find out why, then mend it (chown %u:%u %s%s%s; chmod go-w %s%s%s)",
                   path, slash, name, fault, geteuid(), getegid(), path, slash, name, path, slash, name);
}

/* Parts of the data root or the run directory that must be ours when they are there. */
static int check_parts(int dir, const char *path, const char *const *names, struct err *e)
{
    for (; *names; names++) {
        struct stat st;
        if (fstatat(dir, *names, &st, AT_SYMLINK_NOFOLLOW) < 0) {
            if (errno == ENOENT)
                continue;
            return err_errno(e, "%s/%s", path, *names);
        }
        int r = check_ours(&st, path, *names, e);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Makes the missing directories of an absolute path that the caller (root) names, and opens the last one. */
static int open_root(const char *path, struct err *e)
{
    int r = path_check_absolute(path, e);
    if (r < 0)
        return r;
    _cleanup_close_ int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (slash < 0)
        return err_errno(e, "open /");
    _cleanup_close_ int dir = path_make_dirs_in_root(slash, path, 0700, (uid_t)-1, (gid_t)-1, e);
    if (dir < 0)
        return dir;
    struct stat st;
    int fd = path_reopen(dir, O_RDONLY | O_DIRECTORY, e);
    if (fd < 0)
        return fd;
    r = fstat(fd, &st) < 0 ? err_errno(e, "stat %s", path) : check_ours(&st, path, "", e);
    if (r < 0) {
        close(fd);
        return r;
    }
    if ((st.st_mode & 07777) != 0700)
        (void)fchmod(fd, 0700);
    return fd;
}

static int check_format(int root, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    struct err missing = {0};
    int r = io_read_file_at(root, "format", FORMAT_FILE_MAX, &text, &missing);
    if (r == -ENOENT)
        return io_replace_file_at(root, "format", "1\n", 2, 0600, false, e);
    if (r < 0) {
        *e = missing;
        return r;
    }
    uint64_t version = 0;
    if (text.length > 0 && text.data[text.length - 1] == '\n')
        text.data[text.length - 1] = '\0';
    r = num_parse_u64(text.data ? text.data : "", UINT32_MAX, &version, e);
    if (r < 0)
        return err_wrap(e, "format file of the store");
    if (version != STORE_FORMAT)
        return err_set(e, EPROTO,
                       "the store has format %llu, this Casemate knows %d: use the version that wrote it, or "
                       "a newer one",
                       (unsigned long long)version, STORE_FORMAT);
    return 0;
}

/*
 * What is stored belongs to the ids that the neutral range had then. An ordinary user's can be taken away and replaced in /etc/subuid:
 * then nothing in the store would be what it was.
 */
static int check_ids(int root, struct err *e)
{
    char now[IDS_FILE_MAX];
    _cleanup_buf_ struct buf text = {0};
    struct err missing = {0};
    if (!identity_rootless())
        return 0;
    int n = snprintf(now, sizeof(now), "%u %u %u\n", identity_host_uid(IDS_NEUTRAL),
                     identity_host_gid(IDS_NEUTRAL), identity_block_ids());
    int r = io_read_file_at(root, "ids", IDS_FILE_MAX, &text, &missing);
    if (r == -ENOENT)
        return io_replace_file_at(root, "ids", now, (size_t)n, 0600, false, e);
    if (r < 0) {
        *e = missing;
        return r;
    }
    if (text.data && str_equal(text.data, now))
        return 0;
    if (text.data)
        text.data[strcspn(text.data, "\n")] = '\0';
    now[strcspn(now, "\n")] = '\0';
    return err_set(
        e, EPROTO,
        "what is stored belongs to other subordinate ids (first uid, first gid, how many: %s) than you have "
        "now (%s): put the old lines back in /etc/subuid and /etc/subgid, or use another data root",
        text.data ? text.data : "", now);
}

int store_open(struct store *ret_store, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    s.root = open_root(dirs_data_root(), e);
    if (s.root < 0)
        return err_wrap(e, "data root %s", dirs_data_root());
    s.run = open_root(dirs_run(), e);
    if (s.run < 0)
        return err_wrap(e, "run directory %s", dirs_run());
    int r = check_parts(s.root, dirs_data_root(), root_parts, e);
    if (r == 0)
        r = check_parts(s.run, dirs_run(), run_parts, e);
    if (r == 0)
        r = check_format(s.root, e);
    if (r == 0)
        r = check_ids(s.root, e);
    if (r < 0)
        return r;
    const struct {
        const char *name;
        int *fd;
    } parts[] = {{"layers", &s.layers}, {"images", &s.images},   {"containers", &s.containers},
                 {"names", &s.names},   {"volumes", &s.volumes}, {"staging", &s.staging},
                 {"cache", &s.cache}};
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        *parts[i].fd = path_make_dir_at(s.root, parts[i].name, 0700, e);
        if (*parts[i].fd < 0)
            return err_wrap(e, "data root");
    }
    *ret_store = s;
    s = (struct store)STORE_INIT;
    return 0;
}

int store_check(const struct store *s, struct err *e)
{
    const struct {
        int fd;
        const char *path;
    } roots[] = {{s->root, dirs_data_root()}, {s->run, dirs_run()}};
    for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
        struct stat st;
        int r = fstat(roots[i].fd, &st) < 0 ? err_errno(e, "stat %s", roots[i].path)
                                            : check_ours(&st, roots[i].path, "", e);
        if (r < 0)
            return r;
    }
    int r = check_parts(s->root, dirs_data_root(), root_parts, e);
    return r < 0 ? r : check_parts(s->run, dirs_run(), run_parts, e);
}

void store_close(struct store *s)
{
    int *const all[] = {&s->root,    &s->layers,  &s->images, &s->containers, &s->names,
                        &s->volumes, &s->staging, &s->cache,  &s->run};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        close_fd(all[i]);
}

/* A descriptor, or -EAGAIN when a sweep came between making and locking. */
static int try_staging_make(const struct store *s, char *ret_name, struct err *e)
{
    struct stat st;
    int r = id_random(ret_name, e);
    if (r < 0)
        return r;
    if (mkdirat(s->staging, ret_name, 0700) < 0)
        return err_errno(e, "make a staging directory");
    _cleanup_close_ int fd = openat(s->staging, ret_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -EAGAIN : err_errno(e, "open a staging directory");
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : err_errno(e, "lock a staging directory");
    if (fstatat(s->staging, ret_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -EAGAIN;
    return steal_fd(&fd);
}

int store_staging_make(const struct store *s, char *ret_name, struct err *e)
{
    int fd = -EAGAIN;
    for (int i = 0; fd == -EAGAIN && i < STAGING_TRIES; i++)
        fd = try_staging_make(s, ret_name, e);
    return fd == -EAGAIN ? err_set(e, EAGAIN, "make a staging directory: it is swept away each time") : fd;
}

int store_staging_sweep(const struct store *s, struct err *e)
{
    int copy = openat(s->staging, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0)
        return err_errno(e, "open staging");
    _cleanup_closedir_ DIR *d = fdopendir(copy);
    if (!d) {
        close(copy);
        return err_errno(e, "read staging");
    }
    for (struct dirent *entry; (entry = readdir(d));) {
        if (entry->d_name[0] == '.')
            continue;
        _cleanup_close_ int fd =
            openat(s->staging, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
            continue;
        int r = path_remove_tree_at(s->staging, entry->d_name, e);
        if (r < 0)
            return r;
    }
    return 0;
}
