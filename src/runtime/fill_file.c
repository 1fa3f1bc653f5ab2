/* SPDX-License-Identifier: Apache-2.0 */
/* Single files of a copy (fill_file.h). Source and target may be hostile: nothing is followed, every size is bounded. */
#include "runtime/fill_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "runtime/fill.h"

#define CHUNK (1U << 20)

void fill_links_clear(struct fill_links *links)
{
    for (size_t i = 0; i < links->count; i++)
        free(links->items[i].path);
    free(links->items);
    *links = (struct fill_links){0};
}

static bool is_copied_xattr(const char *name)
{
    return str_after(name, "user.") || str_equal(name, "security.capability") ||
           str_equal(name, "system.posix_acl_access") || str_equal(name, "system.posix_acl_default");
}

/* The file system of the volume need not know all of them. */
static int copy_xattrs(int from, int to, struct err *e)
{
    _cleanup_free_ char *names = malloc(FILL_XATTRS_MAX);
    _cleanup_free_ char *value = malloc(FILL_XATTRS_MAX);
    if (!names || !value)
        return err_oom(e);
    ssize_t length = flistxattr(from, names, FILL_XATTRS_MAX);
    if (length < 0)
        return errno == ENOTSUP ? 0 : err_errno(e, "list extended attributes");
    for (const char *name = names; name < names + length; name += strlen(name) + 1) {
        if (!is_copied_xattr(name))
            continue;
        ssize_t n = fgetxattr(from, name, value, FILL_XATTRS_MAX);
        if (n < 0 && errno != ENODATA && errno != ENOTSUP)
            return err_errno(e, "extended attribute %s", name);
        if (n >= 0 && fsetxattr(to, name, value, (size_t)n, 0) < 0 && errno != ENOTSUP && errno != EPERM)
            return err_errno(e, "extended attribute %s", name);
    }
    return 0;
}

/* Mode after owner, which clears set-id bits; times last. */
int fill_attributes(int from, int to, const struct stat *st, struct err *e)
{
    const struct timespec times[2] = {st->st_atim, st->st_mtim};
    if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
        return err_errno(e, "set owner and mode");
    int r = copy_xattrs(from, to, e);
    if (r == 0 && futimens(to, times) < 0)
        r = err_errno(e, "set its times");
    return r;
}

static int copy_range(int from, int to, off_t start, off_t end, struct err *e)
{
    _cleanup_free_ char *chunk = malloc(CHUNK);
    if (!chunk)
        return err_oom(e);
    if (lseek(to, start, SEEK_SET) < 0)
        return err_errno(e, "seek");
    while (start < end) {
        size_t want = end - start < (off_t)CHUNK ? (size_t)(end - start) : CHUNK;
        ssize_t n = pread(from, chunk, want, start);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "read");
        if (n == 0)
            break;
        int r = io_write_all(to, chunk, (size_t)n, e);
        if (r < 0)
            return r;
        start += n;
    }
    return 0;
}

/* Holes stay holes. */
static int copy_data(int from, int to, off_t size, struct err *e)
{
    if (size > 0 && ftruncate(to, size) < 0)
        return err_errno(e, "set its length");
    for (off_t at = 0; at < size;) {
        off_t data = lseek(from, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            break;
        off_t hole = data < 0 ? size : lseek(from, data, SEEK_HOLE);
        if (data < 0)
            data = at;
        if (hole < 0 || hole > size)
            hole = size;
        int r = copy_range(from, to, data, hole, e);
        if (r < 0)
            return r;
        at = hole;
    }
    return 0;
}

static const struct fill_link_entry *find_link(const struct fill_links *links, const struct stat *st)
{
    for (size_t i = 0; i < links->count; i++)
        if (links->items[i].ino == st->st_ino && links->items[i].dev == st->st_dev)
            return &links->items[i];
    return NULL;
}

static int add_link(struct fill_links *links, const struct stat *st, const struct fill_place *at,
                    const char *name, struct err *e)
{
    if (links->count == FILL_HARD_LINKS_MAX)
        return 0;
    if (!links->items)
        links->items = calloc(FILL_HARD_LINKS_MAX, sizeof(*links->items));
    if (!links->items)
        return err_oom(e);
    struct fill_link_entry *entry = &links->items[links->count];
    *entry = (struct fill_link_entry){.dev = st->st_dev, .ino = st->st_ino};
    int r = str_format(&entry->path, e, "%s%s%s", at->path, *at->path ? "/" : "", name);
    links->count += r == 0;
    return r;
}

/* Gives the open file its name; what is there already stays. */
static int name_file(int fd, const struct fill_place *at, const char *name, struct err *e)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "self/fd/%d", fd);
    if (linkat(at->proc, path, at->to, name, AT_SYMLINK_FOLLOW) < 0 && errno != EEXIST)
        return err_errno(e, "give it its name");
    return 0;
}

/* The second name of a file that has been copied. -ENOENT: it is not where it was put; then it is copied again. */
static int link_again(const struct fill_place *at, const char *name, const struct fill_link_entry *first,
                      struct err *e)
{
    struct err gone = {0};
    _cleanup_close_ int fd = path_open_beneath(at->root, first->path, O_PATH | O_NOFOLLOW, 0, &gone);
    return fd < 0 ? -ENOENT : name_file(fd, at, name, e);
}

int fill_file(const struct fill_place *at, const char *name, const struct stat *st, struct fill_links *links,
              struct err *e)
{
    const struct fill_link_entry *first = st->st_nlink > 1 ? find_link(links, st) : NULL;
    if (first) {
        int r = link_again(at, name, first, e);
        if (r != -ENOENT)
            return r;
    }
    _cleanup_close_ int from = openat(at->from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (from < 0)
        return err_errno(e, "open it");
    _cleanup_close_ int to = openat(at->to, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (to < 0)
        return err_errno(e, "make a file in the volume");
    int r = copy_data(from, to, st->st_size, e);
    if (r == 0)
        r = fill_attributes(from, to, st, e);
    if (r == 0)
        r = name_file(to, at, name, e);
    if (r == 0 && st->st_nlink > 1 && !first)
        r = add_link(links, st, at, name, e);
    return r;
}

/* Owner and times of what cannot be opened. Only of an entry that we have just made. */
static int finish_node(const struct fill_place *at, const char *name, const struct stat *st, struct err *e)
{
    const struct timespec times[2] = {st->st_atim, st->st_mtim};
    if (fchownat(at->to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
        utimensat(at->to, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(e, "set owner and times");
    return 0;
}

int fill_link(const struct fill_place *at, const char *name, const struct stat *st, struct err *e)
{
    char text[PATH_MAX + 1];
    ssize_t n = readlinkat(at->from, name, text, sizeof(text) - 1);
    if (n < 0)
        return err_errno(e, "read the link");
    text[n] = '\0';
    if (symlinkat(text, at->to, name) < 0)
        return errno == EEXIST ? 0 : err_errno(e, "make the link");
    return finish_node(at, name, st, e);
}

int fill_node(const struct fill_place *at, const char *name, const struct stat *st, struct err *e)
{
    mode_t mask = umask(0);
    int r = mknodat(at->to, name, st->st_mode & (S_IFMT | 07777), 0);
    int failed = errno;
    (void)umask(mask);
    errno = failed;
    if (r < 0)
        return errno == EEXIST ? 0 : err_errno(e, "make it");
    return finish_node(at, name, st, e);
}
