/* SPDX-License-Identifier: Apache-2.0 */
/* Reading logs (logs.h). The files are opened newest first: one that is rotated meanwhile is met again, never missed. */
#include "engine/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/shimproto.h"
#include "engine/exit_record.h"
#include "engine/logs_files.h"

#define CHUNK 65536
#define FOLLOW_CHECK_MS 1000 /* how often to look for the end when no event comes */

struct reader {
    const struct logs_options *options;
    int dir; /* shim/log */
    struct logs_files files;
    uint64_t skip;              /* entries in front of the wanted tail */
    off_t ends[LOGS_FILES_MAX]; /* where each file ended when its entries were counted */
    struct buf line;            /* a line that has not ended yet */
    bool overlong;              /* the rest of this line is left out */
};

static void reader_clear(struct reader *r)
{
    logs_files_close(&r->files);
    close_fd(&r->dir);
    buf_clear(&r->line);
}
#define _cleanup_reader_ _cleanup_(reader_clear)

static int count_entries(int fd, uint64_t *total, off_t *ret_end, struct err *e)
{
    char data[CHUNK];
    off_t at = 0;
    for (ssize_t n; (n = pread(fd, data, sizeof(data), at)) != 0; at += n) {
        if (n < 0)
            return err_errno(e, "read the log");
        for (ssize_t i = 0; i < n; i++)
            *total += data[i] == '\n';
    }
    *ret_end = at;
    return 0;
}

static int find_tail(struct reader *r, struct err *e)
{
    uint64_t total = 0;
    if (r->options->tail == LOGS_ALL)
        return 0;
    for (size_t i = 0; i < r->files.count; i++) {
        int failed = count_entries(r->files.fds[i], &total, &r->ends[i], e);
        if (failed < 0)
            return failed;
    }
    r->skip = total > r->options->tail ? total - r->options->tail : 0;
    return 0;
}

static int take_entry(struct reader *r, struct json_object *o, struct err *e)
{
    const char *stream = NULL;
    const char *time = NULL;
    struct json_object *text = NULL;
    struct err ignored = {0};
    struct logs_entry entry = {0};
    if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, "log", &text) ||
        !json_object_is_type(text, json_type_string) ||
        json_get_string(o, "stream", &stream, &ignored) != 1 ||
        json_get_string(o, "time", &time, &ignored) != 1 || clock_parse(time, &entry.time, &ignored) < 0)
        return 0;
    if ((r->options->since && entry.time < r->options->since) ||
        (r->options->until && entry.time > r->options->until))
        return 0;
    struct json_object *attrs = NULL;
    if (json_object_object_get_ex(o, "attrs", &attrs) && json_object_is_type(attrs, json_type_object))
        entry.attrs = json_object_to_json_string_ext(attrs, JSON_C_TO_STRING_PLAIN);
    (void)json_get_u64(o, "lost", &entry.lost, &ignored);
    entry.text = json_object_get_string(text);
    entry.length = (size_t)json_object_get_string_len(text);
    entry.from_stderr = str_equal(stream, "stderr");
    return r->options->visit(&entry, r->options->context, e);
}

static int take_line(struct reader *r, struct err *e)
{
    struct err ignored = {0};
    _cleanup_json_ struct json_object *o = NULL;
    if (r->skip > 0) {
        r->skip--;
        return 0;
    }
    return json_parse(r->line.data ? r->line.data : "", r->line.length, &o, &ignored) < 0
               ? 0
               : take_entry(r, o, e);
}

/* Splits what was read into lines; a part of one stays for the next time. */
static int take_data(struct reader *r, const char *data, size_t length, struct err *e)
{
    while (length > 0) {
        const char *end = memchr(data, '\n', length);
        size_t n = end ? (size_t)(end - data) : length;
        struct err full = {0};
        if (!r->overlong && buf_add(&r->line, data, n, LOGS_LINE_MAX, &full) < 0)
            r->overlong = true;
        if (!end)
            return 0;
        int failed = r->overlong ? 0 : take_line(r, e);
        r->line.length = 0;
        r->overlong = false;
        if (failed < 0)
            return failed;
        data = end + 1;
        length -= n + 1;
    }
    return 0;
}

/* From where it was read to, up to `end`. */
static int read_until(struct reader *r, int fd, off_t end, struct err *e)
{
    char data[CHUNK];
    off_t at = lseek(fd, 0, SEEK_CUR);
    while (at < end) {
        size_t want = end - at < (off_t)sizeof(data) ? (size_t)(end - at) : sizeof(data);
        ssize_t n = read(fd, data, want);
        if (n < 0)
            return err_errno(e, "read the log");
        if (n == 0)
            return 0;
        at += n;
        int failed = take_data(r, data, (size_t)n, e);
        if (failed < 0)
            return failed;
    }
    return 0;
}

static int read_rest(struct reader *r, int fd, struct err *e)
{
    return read_until(r, fd, INT64_MAX, e);
}

/* Which of the files, newest first, is the one at hand; their number when it has been rotated away. */
static size_t find_current(const struct reader *r, const struct logs_files *now)
{
    size_t i = 0;
    while (i < now->count && !(r->files.count > 0 && logs_same_file(now->fds[i], r->files.fds[0])))
        i++;
    return i;
}

/* Goes on with the file behind the one at hand, when that has been rotated: several may have been since. 1: it did. */
static int next_file(struct reader *r, struct err *e)
{
    _cleanup_logs_files_ struct logs_files now = {.count = 0};
    int failed = logs_files_open(r->dir, &now, e);
    size_t current = failed < 0 ? 0 : find_current(r, &now);
    if (failed < 0 || current == 0)
        return failed;
    /* What was written to it between the last look and the rotation. */
    failed = r->files.count > 0 ? read_rest(r, r->files.fds[0], e) : 0;
    if (failed < 0)
        return failed;
    logs_files_close(&r->files);
    r->files.fds[r->files.count++] = steal_fd(&now.fds[current - 1]);
    return 1;
}

static int watch(int dir, struct err *e)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
    _cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_FROM | IN_CLOSE_WRITE) < 0)
        return err_errno(e, "watch the log");
    return steal_fd(&fd);
}

static void await_event(int inotify)
{
    char events[4096];
    struct pollfd p = {.fd = inotify, .events = POLLIN};
    (void)poll(&p, 1, FOLLOW_CHECK_MS);
    while (read(inotify, events, sizeof(events)) > 0)
        continue;
}

/* Whether the shim lives is asked before the last read, so that what it wrote before its end is not missed. */
static int follow(struct reader *r, int shim_dir, int inotify, struct err *e)
{
    for (;;) {
        bool alive = shim_alive(shim_dir) > 0;
        int n = r->files.count > 0 ? read_rest(r, r->files.fds[0], e) : 0;
        if (n == 0)
            n = next_file(r, e);
        if (n < 0)
            return n;
        if (n == 1)
            continue;
        if (!alive && !(r->options->returns && r->options->returns(r->options->context)))
            return 0;
        await_event(inotify);
    }
}

/* A wanted tail ends at what was counted: a container may write faster than this reads. */
static int read_files(struct reader *r, struct err *e)
{
    int failed = logs_files_open(r->dir, &r->files, e);
    if (failed == 0)
        failed = find_tail(r, e);
    for (size_t i = r->files.count; i-- > 0 && failed == 0;)
        failed = read_until(r, r->files.fds[i], r->options->tail == LOGS_ALL ? INT64_MAX : r->ends[i], e);
    return failed;
}

int logs_read_kept(int log_dir_fd, const struct logs_options *options, struct err *e)
{
    _cleanup_reader_ struct reader r = {.options = options};
    r.dir = openat(log_dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return r.dir < 0 ? err_errno(e, "open the log") : read_files(&r, e);
}

int logs_read(int shim_dir_fd, const struct logs_options *options, struct err *e)
{
    _cleanup_reader_ struct reader r = {.options = options};
    r.dir = openat(shim_dir_fd, SHIM_LOG_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (r.dir < 0)
        return errno == ENOENT ? 0 : err_errno(e, "open the log");
    _cleanup_close_ int inotify = options->follow ? watch(r.dir, e) : -1;
    if (options->follow && inotify < 0)
        return inotify;
    int failed = read_files(&r, e);
    return failed == 0 && options->follow ? follow(&r, shim_dir_fd, inotify, e) : failed;
}
