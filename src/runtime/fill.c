/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over the image's directory (fill.h): without recursion, one frame for each directory that is open. */
#include "runtime/fill.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "runtime/fill_file.h"

struct frame {
    DIR *from;
    int to;
    struct stat st;     /* of `from`, put on `to` when everything is in it */
    size_t path_length; /* of the path down to here in fill.path */
};

struct fill {
    const struct fill_request *request;
    struct fill_links links;
    struct frame frames[FILL_DEPTH_MAX];
    size_t depth;
    char path[PATH_LENGTH_MAX + 1]; /* of the current directory below `to`, for hard links; "" at the top */
};

static void fill_clear(struct fill *f)
{
    while (f->depth > 0) {
        struct frame *top = &f->frames[--f->depth];
        closedir(top->from);
        close_fd(&top->to);
    }
    fill_links_clear(&f->links);
    free(f);
}
DEFINE_CLEANUP(struct fill *, fill_clear);

/* Takes both descriptors, also on failure. */
static int push(struct fill *f, int from, int to, struct err *e)
{
    _cleanup_close_ int from_fd = from;
    _cleanup_close_ int to_fd = to;
    struct frame frame = {.path_length = strlen(f->path)};
    if (f->depth == FILL_DEPTH_MAX)
        return err_set(e, ELOOP, "more than %d directories below each other", FILL_DEPTH_MAX);
    if (fstat(from_fd, &frame.st) < 0)
        return err_errno(e, "stat");
    frame.from = fdopendir(from_fd);
    if (!frame.from)
        return err_errno(e, "read a directory");
    (void)steal_fd(&from_fd);
    frame.to = steal_fd(&to_fd);
    f->frames[f->depth++] = frame;
    return 0;
}

static int pop(struct fill *f, struct err *e)
{
    struct frame *top = &f->frames[f->depth - 1];
    int r = f->depth > 1 ? fill_attributes(dirfd(top->from), top->to, &top->st, e) : 0;
    closedir(top->from);
    close_fd(&top->to);
    f->depth--;
    if (f->depth > 0)
        f->path[f->frames[f->depth - 1].path_length] = '\0';
    return r;
}

static int append_name(struct fill *f, const char *name, struct err *e)
{
    size_t used = strlen(f->path);
    size_t n = strlen(name);
    if (used + 1 + n > PATH_LENGTH_MAX)
        return err_set(e, ENAMETOOLONG, "a path of more than %d bytes", PATH_LENGTH_MAX);
    if (used > 0)
        f->path[used++] = '/';
    memcpy(f->path + used, name, n + 1);
    return 0;
}

static int copy_directory(struct fill *f, const struct frame *in, const char *name, struct err *e)
{
    int from = openat(dirfd(in->from), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (from < 0)
        return err_errno(e, "open it");
    int to = path_make_dir_at(in->to, name, 0700, e);
    if (to < 0) {
        close(from);
        return to == -ENOTDIR || to == -ELOOP ? 0 : to; /* something else has this name already: it stays */
    }
    int r = append_name(f, name, e);
    if (r < 0) {
        close(from);
        close(to);
        return r;
    }
    return push(f, from, to, e);
}

static int copy_entry(struct fill *f, const char *name, struct err *e)
{
    const struct frame *in = &f->frames[f->depth - 1];
    const struct fill_place place = {.from = dirfd(in->from),
                                     .to = in->to,
                                     .root = f->request->to,
                                     .proc = f->request->proc,
                                     .path = f->path};
    struct stat st;
    if (fstatat(place.from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(e, "stat");
    switch (st.st_mode & S_IFMT) {
    case S_IFDIR:
        return copy_directory(f, in, name, e);
    case S_IFREG:
        return fill_file(&place, name, &st, &f->links, e);
    case S_IFLNK:
        return fill_link(&place, name, &st, e);
    case S_IFIFO:
    case S_IFSOCK:
        return fill_node(&place, name, &st, e);
    default:
        return 0;
    }
}

/* One step: an entry of the directory on top, or the end of that. */
static int step(struct fill *f, struct err *e)
{
    errno = 0;
    struct dirent *entry = readdir(f->frames[f->depth - 1].from);
    if (!entry)
        return errno ? err_errno(e, "read a directory") : pop(f, e);
    if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
        return 0;
    int r = copy_entry(f, entry->d_name, e);
    return r < 0 ? err_wrap(e, "%s%s%s", f->path, *f->path ? "/" : "", entry->d_name) : 0;
}

int fill_tree(const struct fill_request *request, struct err *e)
{
    _cleanup_(fill_clearp) struct fill *f = calloc(1, sizeof(*f));
    if (!f)
        return err_oom(e);
    f->request = request;
    int from = fcntl(request->from, F_DUPFD_CLOEXEC, 0);
    int to = from < 0 ? -1 : fcntl(request->to, F_DUPFD_CLOEXEC, 0);
    if (to < 0) {
        int r = err_errno(e, "duplicate a descriptor");
        close_fd(&from);
        return r;
    }
    int r = push(f, from, to, e);
    while (r == 0 && f->depth > 0)
        r = step(f, e);
    if (r == 0 && request->sync && syncfs(request->to) < 0)
        r = err_errno(e, "write it to the disk");
    return r;
}
