/* SPDX-License-Identifier: Apache-2.0 */
/* cp into a container (copy.h): files of the caller, or an archive on standard input. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/copy_container.h"
#include "cli/copy_report.h"
#include "engine/copy.h"

/* Where the caller's files are: `dir` is held open, `name` is in it. */
struct source {
    struct copy_end end;
    int dir;
    int entry; /* what may be read: `name` itself; -1: all of `dir` */
    char name[MESSAGE_PATH_MAX];
};

#define SOURCE_INIT             \
    {                           \
        .dir = -1, .entry = -1, \
    }

static void source_close(struct source *s)
{
    close_fd(&s->dir);
    close_fd(&s->entry);
}
#define _cleanup_source_ _cleanup_(source_close)

/* With -L, what the link leads to is copied under the link's name. */
static int resolve(const struct copy_options *o, const char *path, char *ret, struct err *e)
{
    if (!o->follow_link)
        return str_put(ret, MESSAGE_PATH_MAX, path, e);
    _cleanup_free_ char *real = realpath(path, NULL);
    return real ? str_put(ret, MESSAGE_PATH_MAX, real, e) : err_errno(e, "lstat %s", path);
}

static int open_source(const struct copy_options *o, struct source *s, struct err *e)
{
    struct stat st;
    char path[MESSAGE_PATH_MAX];
    char parent[MESSAGE_PATH_MAX];
    int r = copy_path_clean(o->outside, false, s->end.path, e);
    if (r == 0)
        r = resolve(o, s->end.path, path, e);
    if (r < 0)
        return r;
    if (lstat(path, &st) < 0)
        return err_set(e, errno, "lstat %s: %s", path,
                       errno == ENOENT ? "no such file or directory" : strerror(errno));
    s->end.exists = true;
    s->end.is_dir = S_ISDIR(st.st_mode);
    if (copy_path_means_directory(path) || str_equal(path, "/")) {
        s->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return s->dir < 0 ? err_errno(e, "open %s", path) : str_put(s->name, sizeof(s->name), ".", e);
    }
    copy_path_parent(path, parent);
    copy_path_base(path, s->name);
    s->dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    s->entry = s->dir < 0 ? -1 : openat(s->dir, s->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return s->entry < 0 ? err_errno(e, "open %s", path) : 0;
}

/* The kernel's word where the container's files cannot be written, in Docker's. */
static int explain_failure(const struct copy_side *side, const char *path, int r, struct err *e)
{
    if (r == -EROFS)
        return err_set(e, EROFS, "%s: container rootfs is marked read-only, or the mounted volume is", path);
    if (r == -ENOENT && str_after(e->text, "open "))
        return err_set(e, ENOENT, "Could not find the file %s in container %s", path,
                       side->container.plan.name);
    return r;
}

static int find_destination(struct copy_side *side, const struct copy_options *o, struct copy_end *end,
                            struct err *e)
{
    struct message_files_found found = {0};
    int r = copy_side_find(side, o->inside, true, end, &found, e);
    if (r == 0 && end->exists && !S_ISDIR(found.mode) && !S_ISREG(found.mode))
        r = err_set(e, EINVAL, "destination \"%s:%s\" must be a directory or a regular file", o->container,
                    o->inside);
    return r;
}

/* The directory that receives must be there: its own error says more than that of the copy. */
static int check_directory(struct copy_side *side, const char *directory, struct err *e)
{
    struct message_files_found found;
    int r = files_stat(&side->files, directory, true, &found, e);
    if (r == -ENOENT)
        return err_set(e, ENOENT, "Could not find the file %s in container %s", directory,
                       side->container.plan.name);
    if (r == 0 && !S_ISDIR(found.mode))
        return err_set(e, ENOTDIR, "extraction point is not a directory");
    return r;
}

static int copy_files(struct copy_side *side, const struct copy_options *o, const struct source *s,
                      const struct copy_end *end, struct copy_report *report,
                      struct message_files_counts *counts, struct err *e)
{
    char directory[MESSAGE_PATH_MAX];
    char name[MESSAGE_PATH_MAX];
    _cleanup_files_ struct files host = FILES_INIT;
    int r = copy_path_decide(&s->end, end, directory, name, e);
    if (r == 0)
        r = check_directory(side, directory, e);
    if (r == 0)
        r = files_open_directory(s->dir, s->entry, false, &host, e);
    const struct copy_request request = {.from_path = s->name,
                                         .name = name,
                                         .to_path = directory,
                                         .owners = o->archive ? FILES_OWNER_ARCHIVE : FILES_OWNER_ROOT,
                                         .progress = copy_report_tell,
                                         .context = report};
    if (r == 0)
        r = copy_between(&host, &side->files, &request, counts, e);
    return r < 0 ? explain_failure(side, end->path, r, e) : 0;
}

static int copy_stream(struct copy_side *side, const struct copy_options *o, const struct copy_end *end,
                       struct copy_report *report, struct message_files_counts *counts, struct err *e)
{
    const struct files_place_options options = {.owners = o->archive ? FILES_OWNER_ARCHIVE : FILES_OWNER_ROOT,
                                                .tell = true};
    if (!end->is_dir)
        return err_set(e, ENOTDIR, "destination \"%s:%s\" must be a directory", o->container, o->inside);
    int r = files_place(&side->files, end->path, &options, STDIN_FILENO, e);
    if (r == 0)
        r = files_wait(&side->files, copy_report_tell, report, counts, e);
    return r < 0 ? explain_failure(side, end->path, r, e) : 0;
}

int copy_to_container(const struct copy_options *o, struct err *e)
{
    bool stream = str_equal(o->outside, COPY_STREAM);
    struct message_files_counts counts = {0};
    struct copy_end end = {0};
    _cleanup_free_ char *what = NULL;
    _cleanup_free_ char *where = NULL;
    static struct copy_report report;
    _cleanup_source_ struct source source = SOURCE_INIT;
    _cleanup_copy_side_ struct copy_side side = COPY_SIDE_INIT;
    int r = stream ? 0 : open_source(o, &source, e);
    if (r == 0)
        r = str_format(&what, e, "to the container: %s -> %s", stream ? "(standard input)" : o->outside,
                       o->inside);
    if (r == 0)
        r = copy_side_open(o, true, what, &side, e);
    if (r == 0)
        r = find_destination(&side, o, &end, e);
    if (r < 0)
        return r;
    copy_report_start(&report, o->quiet, "to container");
    r = stream ? copy_stream(&side, o, &end, &report, &counts, e)
               : copy_files(&side, o, &source, &end, &report, &counts, e);
    if (r == 0)
        r = str_format(&where, e, "%s:%s", o->container, end.path);
    if (r == 0)
        copy_report_finish(&report, &counts, where);
    return r;
}
