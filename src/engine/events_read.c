/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the event log (events_read.h). The engine wrote the lines; one that a full disk has cut is skipped. */
#include "engine/events_read.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"
#include "engine/mark.h"

#define CHUNK 32768

void events_reader_close(struct events_reader *r)
{
    close_fd(&r->fd);
    close_fd(&r->dir);
    buf_clear(&r->line);
}

static int open_file(const struct events_reader *r, const char *name)
{
    return openat(r->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

int events_reader_open(const struct store *s, struct events_reader *ret, struct err *e)
{
    struct events_reader r = EVENTS_READER_INIT;
    r.dir = path_make_dir_at(s->root, EVENTS_DIR, 0700, e);
    if (r.dir < 0)
        return r.dir;
    r.fd = open_file(&r, EVENTS_FILE_OLD);
    if (r.fd < 0)
        r.fd = open_file(&r, EVENTS_FILE);
    *ret = r;
    return 0;
}

typedef int (*visitor)(struct json_object *record, void *context, struct err *e);

static int visit_line(const char *line, size_t length, visitor visit, void *context, struct err *e)
{
    struct err torn = {0};
    _cleanup_json_ struct json_object *record = NULL;
    if (json_parse(line, length, &record, &torn) < 0 || !json_object_is_type(record, json_type_object))
        return 0;
    return visit(record, context, e);
}

/* Whole lines go to the visitor; the rest stays. */
static int visit_lines(struct buf *b, visitor visit, void *context, struct err *e)
{
    size_t at = 0;
    int r = 0;
    for (const char *end; r == 0 && at < b->length; at = (size_t)(end + 1 - b->data)) {
        end = memchr(b->data + at, '\n', b->length - at);
        if (!end)
            break;
        r = visit_line(b->data + at, (size_t)(end - b->data) - at, visit, context, e);
    }
    if (at > 0)
        memmove(b->data, b->data + at, b->length - at);
    b->length -= at;
    return r;
}

/* Up to the end of the file. */
static int drain(struct events_reader *r, visitor visit, void *context, struct err *e)
{
    for (;;) {
        if (r->line.length > EVENTS_LINE_MAX)
            r->line.length = 0; /* no record of ours is as long */
        int failed = buf_reserve(&r->line, CHUNK, EVENTS_LINE_MAX + 2 * CHUNK, e);
        if (failed < 0)
            return failed;
        ssize_t n = read(r->fd, r->line.data + r->line.length, CHUNK);
        if (n < 0 && errno != EINTR)
            return err_errno(e, "read the event log");
        if (n == 0)
            return 0;
        if (n < 0)
            continue;
        r->line.length += (size_t)n;
        failed = visit_lines(&r->line, visit, context, e);
        if (failed != 0)
            return failed;
    }
}

/* The file that writers use by now is another one. */
static bool is_old(const struct events_reader *r)
{
    struct stat open_one, named;
    return fstat(r->fd, &open_one) < 0 || (fstatat(r->dir, EVENTS_FILE, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
                                           named.st_ino != open_one.st_ino);
}

int events_reader_next(struct events_reader *r, visitor visit, void *context, struct err *e)
{
    for (;;) {
        if (r->fd < 0)
            r->fd = open_file(r, EVENTS_FILE);
        if (r->fd < 0)
            return errno == ENOENT ? 0 : err_errno(e, "open the event log");
        bool old = is_old(r); /* before reading: nothing is added to it after the new one is there */
        int failed = drain(r, visit, context, e);
        if (failed != 0 || !old)
            return failed;
        close_fd(&r->fd);
        r->line.length = 0;
    }
}

int events_watch(const struct store *s, struct err *e)
{
    char path[64];
    _cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0)
        return err_errno(e, "inotify (see fs.inotify.max_user_instances)");
    _cleanup_close_ int log = path_make_dir_at(s->root, EVENTS_DIR, 0700, e);
    _cleanup_close_ int exited = log < 0 ? log : mark_open_dir(s, MARK_EXITED, e);
    if (exited < 0)
        return exited;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", log);
    int r = inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", exited);
    if (r < 0 || inotify_add_watch(fd, path, IN_CREATE) < 0)
        return err_errno(e, "watch the event log");
    return steal_fd(&fd);
}

/* Names of containers stand in one of the directories only. */
bool events_watch_clear(int fd)
{
    _Alignas(struct inotify_event) char buffer[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
    bool ended = false;
    for (ssize_t n; (n = read(fd, buffer, sizeof(buffer))) > 0;) {
        for (size_t at = 0; at < (size_t)n;) {
            const struct inotify_event *event = (const void *)(buffer + at);
            ended = ended || event->mask & IN_Q_OVERFLOW || (event->len && id_valid(event->name));
            at += sizeof(*event) + event->len;
        }
    }
    return ended;
}
