/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to the event log (events.h). Labels are content of images: JSON escapes them. */
#include "engine/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/path.h"

#define OPEN_TRIES 4
#define END_TOLD "died" /* in the container's directory: the end of its last run is in the log */

struct event {
    const char *type, *action;
    const char *id, *from;
    int64_t time; /* ns; 0: now */
};

/* True when the file that is open is (still) the one named so. */
static bool is_current(int dir, int fd)
{
    struct stat open_one, named;
    return fstat(fd, &open_one) == 0 && fstatat(dir, EVENTS_FILE, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           open_one.st_ino == named.st_ino && S_ISREG(named.st_mode);
}

/* The log with a shared lock on it; a writer that was overtaken by a rotation looks again. */
static int open_locked(int dir)
{
    for (int i = 0; i < OPEN_TRIES; i++) {
        _cleanup_close_ int fd = openat(
            dir, EVENTS_FILE, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        if (fd < 0 || flock(fd, LOCK_SH) < 0)
            return -1;
        if (is_current(dir, fd))
            return steal_fd(&fd);
    }
    return -1;
}

/* When somebody else is writing just now, the next one does it. */
static void rotate(int dir, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || st.st_size < EVENTS_FILE_MAX || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return;
    if (is_current(dir, fd))
        (void)renameat(dir, EVENTS_FILE, dir, EVENTS_FILE_OLD);
}

static void append(const struct store *s, struct json_object *record)
{
    struct err ignored = {0};
    size_t length;
    _cleanup_buf_ struct buf line = {0};
    const char *text = json_object_to_json_string_length(
        record, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
    if (!text || buf_printf(&line, EVENTS_LINE_MAX, &ignored, "%s\n", text) < 0)
        return;
    _cleanup_close_ int dir = path_make_dir_at(s->root, EVENTS_DIR, 0700, &ignored);
    _cleanup_close_ int fd = dir < 0 ? -1 : open_locked(dir);
    if (fd < 0)
        return;
    if (write(fd, line.data, line.length) == (ssize_t)line.length)
        rotate(dir, fd);
}

/* attributes is taken over. */
static void note(const struct store *s, const struct event *ev, struct json_object *attributes)
{
    struct err e = {0};
    int64_t now = ev->time ? ev->time : clock_now();
    _cleanup_json_ struct json_object *record = json_object_new_object();
    struct json_object *actor = json_object_new_object();
    int r = record && actor && attributes ? 0 : -ENOMEM;
    if (r == 0 && ev->from) { /* Docker's older members, which clients of it still read */
        r = json_add_string(record, "status", ev->action, &e);
        if (r == 0)
            r = json_add_string(record, "id", ev->id, &e);
        if (r == 0)
            r = json_add_string(record, "from", ev->from, &e);
    }
    if (r == 0)
        r = json_add_string(record, "Type", ev->type, &e);
    if (r == 0)
        r = json_add_string(record, "Action", ev->action, &e);
    if (r == 0)
        r = json_add_string(actor, "ID", ev->id, &e);
    if (r < 0) {
        json_object_put(attributes);
        json_object_put(actor);
        return;
    }
    r = json_add_object(actor, "Attributes", attributes, &e);
    if (r < 0) {
        json_object_put(actor);
        return;
    }
    r = json_add_object(record, "Actor", actor, &e);
    if (r == 0)
        r = json_add_string(record, "scope", "local", &e);
    if (r == 0)
        r = json_add_u64(record, "time", (uint64_t)(now / CLOCK_SECOND), &e);
    if (r == 0)
        r = json_add_u64(record, "timeNano", (uint64_t)now, &e);
    if (r == 0)
        append(s, record);
}

static int add_labels(struct json_object *attributes, const struct plan *p, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < p->labels.count && r == 0; i++) {
        _cleanup_free_ char *key = NULL;
        const char *equals = strchrnul(p->labels.items[i], '=');
        r = str_copy_n(p->labels.items[i], (size_t)(equals - p->labels.items[i]), &key, e);
        if (r == 0)
            r = json_add_string(attributes, key, *equals ? equals + 1 : "", e);
    }
    return r;
}

static int add_attributes(struct json_object *attributes, const struct event_attribute *extra, size_t count,
                          struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < count && r == 0; i++)
        r = json_add_string(attributes, extra[i].key, extra[i].value, e);
    return r;
}

static void note_container(const struct store *s, const struct plan *p, const char *action, int64_t time,
                           const struct event_attribute *extra, size_t count)
{
    struct err e = {0};
    const char *image = p->image_reference ? p->image_reference : p->image_id;
    const struct event ev = {.type = "container", .action = action, .id = p->id, .from = image, .time = time};
    const struct event_attribute own[] = {{"image", image}, {"name", p->name}};
    struct json_object *attributes = json_object_new_object();
    int r = attributes ? add_labels(attributes, p, &e) : -ENOMEM;
    if (r == 0)
        r = add_attributes(attributes, own, ARRAY_SIZE(own), &e);
    if (r == 0)
        r = add_attributes(attributes, extra, count, &e);
    if (r == 0)
        note(s, &ev, attributes);
    else
        json_object_put(attributes);
}

void events_container(const struct store *s, const struct plan *p, const char *action,
                      const struct event_attribute *extra, size_t count)
{
    note_container(s, p, action, 0, extra, count);
}

static void note_named(const struct store *s, const struct event *ev, const struct event_attribute *extra,
                       size_t count)
{
    struct err e = {0};
    struct json_object *attributes = json_object_new_object();
    if (attributes && add_attributes(attributes, extra, count, &e) == 0)
        note(s, ev, attributes);
    else
        json_object_put(attributes);
}

void events_image(const struct store *s, const char *action, const char *id, const char *name)
{
    char full[sizeof("sha256:") + DIGEST_HEX_LENGTH];
    const char *shown = id ? id : name ? name : "";
    if (id && strlen(id) == DIGEST_HEX_LENGTH && strspn(id, "0123456789abcdef") == DIGEST_HEX_LENGTH) {
        (void)snprintf(full, sizeof(full), "sha256:%s", id);
        shown = full;
    }
    const struct event ev = {.type = "image", .action = action, .id = shown};
    const struct event_attribute extra[] = {{"name", name}};
    note_named(s, &ev, extra, ARRAY_SIZE(extra));
}

void events_volume(const struct store *s, const char *action, const char *name, const char *container)
{
    const struct event ev = {.type = "volume", .action = action, .id = name};
    const struct event_attribute extra[] = {{"driver", "local"}, {"container", container}};
    note_named(s, &ev, extra, ARRAY_SIZE(extra));
}

void events_daemon(const struct store *s, const char *action, const char *path, const char *what)
{
    const struct event ev = {.type = "daemon", .action = action, .id = path};
    const struct event_attribute extra[] = {{"name", path}, {"what", what}};
    note_named(s, &ev, extra, ARRAY_SIZE(extra));
}

void events_end(const struct store *s, const struct container *c)
{
    char code[16];
    if (c->status != CONTAINER_EXITED && c->status != CONTAINER_DEAD && c->status != CONTAINER_RESTARTING)
        return;
    _cleanup_close_ int told =
        openat(c->dir, END_TOLD, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (told < 0) /* it is told, or there is no room for the mark: rather never than again and again */
        return;
    (void)snprintf(code, sizeof(code), "%d", c->exit_code);
    if (c->oom_killed)
        note_container(s, &c->plan, "oom", c->finished, NULL, 0);
    const struct event_attribute extra[] = {{"exitCode", c->status != CONTAINER_DEAD ? code : "255"}};
    note_container(s, &c->plan, "die", c->finished, extra, ARRAY_SIZE(extra));
    for (size_t i = 0; i < c->plan.mount_count; i++)
        if (c->plan.mounts[i].type == PLAN_MOUNT_VOLUME)
            events_volume(s, "unmount", c->plan.mounts[i].source, c->id);
}

void events_forget_end(const struct container *c)
{
    (void)unlinkat(c->dir, END_TOLD, 0);
}
