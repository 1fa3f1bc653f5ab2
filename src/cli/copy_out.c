/* SPDX-License-Identifier: Apache-2.0 */
/* cp out of a container (copy.h): to files of the caller, or an archive on standard output. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/copy_container.h"
#include "cli/copy_report.h"
#include "engine/copy.h"

/* The caller's own path: links are followed by text, so that a missing target is made. */
static int find_destination(const char *typed, struct copy_end *end, struct err *e)
{
    struct stat st = {0};
    char parent[MESSAGE_PATH_MAX];
    int r = copy_path_clean(typed, false, end->path, e);
    for (int i = 0; r == 0 && lstat(end->path, &st) == 0; i++) {
        char target[PATH_MAX] = "";
        char next[MESSAGE_PATH_MAX];
        end->exists = !S_ISLNK(st.st_mode);
        end->is_dir = S_ISDIR(st.st_mode);
        if (end->exists)
            break;
        if (i == COPY_LINKS_MAX || readlink(end->path, target, sizeof(target) - 1) < 0)
            return err_set(e, ELOOP, "%s: too many symbolic links", typed);
        r = copy_path_follow(end->path, target, false, next, e);
        if (r == 0)
            (void)snprintf(end->path, sizeof(end->path), "%s", next);
    }
    if (r < 0)
        return r;
    if (end->exists)
        return S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)
                   ? 0
                   : err_set(e, EINVAL, "invalid output path: \"%s\" must be a directory or a regular file",
                             typed);
    copy_path_parent(end->path, parent);
    if (stat(parent, &st) < 0 || !S_ISDIR(st.st_mode))
        return err_set(e, ENOENT, "invalid output path: directory \"%s\" does not exist", parent);
    return 0;
}

/* What is copied: with -L the target of a link, under the link's own name. */
static int find_source(struct copy_side *side, const struct copy_options *o, struct copy_end *source,
                       char *ret_from, struct err *e)
{
    struct copy_end followed = {0};
    struct message_files_found found = {0};
    int r = copy_side_find(side, o->inside, o->follow_link, &followed, &found, e);
    if (r == 0 && !followed.exists)
        r = err_set(e, ENOENT, "Could not find the file %s in container %s", o->inside, o->container);
    if (r == 0)
        r = copy_path_clean(o->inside, true, source->path, e);
    if (r < 0)
        return r;
    source->exists = true;
    source->is_dir = followed.is_dir;
    return str_put(ret_from, MESSAGE_PATH_MAX, followed.path, e);
}

static int copy_stream(struct copy_side *side, const struct copy_end *source, const char *from,
                       struct copy_report *report, struct message_files_counts *counts, struct err *e)
{
    char name[MESSAGE_PATH_MAX];
    copy_path_base(source->path, name);
    if (str_equal(name, "."))
        name[0] = '\0';
    int r = files_pack(&side->files, from, name, 0, STDOUT_FILENO, e);
    return r < 0 ? r : files_wait(&side->files, copy_report_tell, report, counts, e);
}

static int copy_files(struct copy_side *side, const struct copy_options *o, const struct copy_end *source,
                      const char *from, const struct copy_end *end, struct copy_report *report,
                      struct message_files_counts *counts, struct err *e)
{
    char directory[MESSAGE_PATH_MAX];
    char name[MESSAGE_PATH_MAX];
    _cleanup_files_ struct files host = FILES_INIT;
    int r = copy_path_decide(source, end, directory, name, e);
    if (r < 0)
        return r;
    _cleanup_close_ int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    r = dir < 0 ? err_errno(e, "open %s", directory) : files_open_directory(dir, -1, true, &host, e);
    const struct copy_request request = {.from_path = from,
                                         .name = name,
                                         .to_path = ".",
                                         .owners = o->archive ? FILES_OWNER_ARCHIVE : FILES_OWNER_SELF,
                                         .drop_set_id = true,
                                         .progress = copy_report_tell,
                                         .context = report};
    return r < 0 ? r : copy_between(&side->files, &host, &request, counts, e);
}

int copy_from_container(const struct copy_options *o, struct err *e)
{
    bool stream = str_equal(o->outside, COPY_STREAM);
    char from[MESSAGE_PATH_MAX];
    struct message_files_counts counts = {0};
    struct copy_end end = {0};
    struct copy_end source = {0};
    _cleanup_free_ char *what = NULL;
    static struct copy_report report;
    _cleanup_copy_side_ struct copy_side side = COPY_SIDE_INIT;
    int r = stream ? 0 : find_destination(o->outside, &end, e);
    if (r == 0)
        r = str_format(&what, e, "from the container: %s -> %s", o->inside,
                       stream ? "(standard output)" : o->outside);
    if (r == 0)
        r = copy_side_open(o, false, what, &side, e);
    if (r == 0)
        r = find_source(&side, o, &source, from, e);
    if (r < 0)
        return r;
    copy_report_start(&report, o->quiet || stream, "from container");
    r = stream ? copy_stream(&side, &source, from, &report, &counts, e)
               : copy_files(&side, o, &source, from, &end, &report, &counts, e);
    if (r == 0)
        copy_report_finish(&report, &counts, stream ? "standard output" : end.path);
    return r;
}
