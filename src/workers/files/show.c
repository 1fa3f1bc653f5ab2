/* SPDX-License-Identifier: Apache-2.0 */
/* Listing and reading (show.h). The tree is hostile and may change meanwhile; nothing but a regular file is opened for reading. */
#include "workers/files/show.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "workers/files/limits.h"
#include "workers/files/walk.h"

struct list {
    uint64_t max, count;
    int out;
};

/* `dir` and `name` are where a link is read: "" for the file that the descriptor is. */
static int add(struct list *l, const struct stat *st, const char *shown, int dir, const char *name,
               struct err *e)
{
    char target[MESSAGE_PATH_MAX];
    size_t length = strlen(shown);
    ssize_t n = S_ISLNK(st->st_mode) ? readlinkat(dir, name, target, sizeof(target) - 1) : 0;
    if (l->count++ >= l->max)
        return 0;
    if (length > UINT16_MAX)
        return err_set(e, ENAMETOOLONG, "a name is too long");
    const struct message_files_entry entry = {.mode = st->st_mode,
                                              .uid = st->st_uid,
                                              .gid = st->st_gid,
                                              .length = (uint16_t)length,
                                              .target_length = (uint16_t)(n > 0 ? n : 0),
                                              .size = (uint64_t)st->st_size,
                                              .mtime = st->st_mtim.tv_sec};
    int r = io_write_all(l->out, &entry, sizeof(entry), e);
    if (r == 0)
        r = io_write_all(l->out, shown, length, e);
    return r == 0 && n > 0 ? io_write_all(l->out, target, (size_t)n, e) : r;
}

static int enter(const struct walk_entry *entry, void *context, struct err *e)
{
    if (entry->depth == 0)
        return WALK_ON;
    int r = add(context, &entry->st, entry->name, entry->dir, entry->name, e);
    return r < 0 ? r : WALK_SKIP;
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

int show_list(int root_fd, const struct message_files_show *request, int out_fd,
              struct message_files_counts *ret_counts, struct err *e)
{
    struct stat st;
    struct list list = {.max = request->max, .out = out_fd};
    const struct walk_calls calls = {.enter = enter, .context = &list};
    _cleanup_close_ int found = path_open_in_root(root_fd, request->path, O_PATH, 0, e);
    if (found < 0)
        return found;
    if (fstat(found, &st) < 0)
        return err_errno(e, "stat %s", request->path);
    int r;
    if (S_ISDIR(st.st_mode)) {
        _cleanup_close_ int dir = openat(found, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = dir < 0 ? err_errno(e, "open %s", request->path) : walk_tree(dir, &calls, e);
    } else {
        r = add(&list, &st, last_component(request->path), found, "", e);
    }
    if (r == 0)
        *ret_counts = (struct message_files_counts){.entries = list.count};
    return r;
}

static int copy_bytes(int from, int to, uint64_t max, uint64_t *ret_bytes, struct err *e)
{
    static char data[FILES_CHUNK];
    uint64_t done = 0;
    while (done < max) {
        size_t wanted = max - done < sizeof(data) ? (size_t)(max - done) : sizeof(data);
        ssize_t n = read(from, data, wanted);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "read");
        if (n == 0)
            break;
        int r = io_write_all(to, data, (size_t)n, e);
        if (r < 0)
            return r;
        done += (uint64_t)n;
    }
    *ret_bytes = done;
    return 0;
}

int show_file(int root_fd, const struct message_files_show *request, int out_fd,
              struct message_files_counts *ret_counts, struct err *e)
{
    struct stat before, st;
    struct message_files_counts counts = {.entries = 1};
    _cleanup_close_ int found = path_open_in_root(root_fd, request->path, O_PATH, 0, e);
    if (found < 0)
        return found;
    if (fstat(found, &before) < 0)
        return err_errno(e, "stat %s", request->path);
    if (!S_ISREG(before.st_mode))
        return err_set(e, EINVAL, "%s is not a regular file", request->path);
    /* It may be another one by now: of a pipe nothing is waited for, and no device is read. */
    _cleanup_close_ int fd =
        path_open_in_root(root_fd, request->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0 || st.st_dev != before.st_dev || st.st_ino != before.st_ino)
        return err_set(e, EAGAIN, "%s is being replaced", request->path);
    int r = copy_bytes(fd, out_fd, request->max, &counts.bytes, e);
    if (r < 0)
        return err_wrap(e, "%s", request->path);
    *ret_counts = counts;
    return 0;
}
