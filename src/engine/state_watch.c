/* SPDX-License-Identifier: Apache-2.0 */
/* The watch over the engine's files (state_watch.h). */
#include "engine/state_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/dirs.h"
#include "base/program.h"
#include "engine/state_alert.h"
#include "plan/policy.h"

#define EVENTS_SIZE 65536
#define CHANGED (IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR)

enum kind {
    KIND_STATE,    /* judged by owner and mode */
    KIND_POLICY,   /* every change is told */
    KIND_PROGRAMS, /* likewise */
};

void state_watch_close(struct state_watch *w)
{
    close_fd(&w->fd);
    for (size_t i = 0; i < w->count; i++)
        free((char *)(uintptr_t)w->dirs[i].path);
    free(w->last);
    *w = (struct state_watch)STATE_WATCH_INIT;
}

static void add(struct state_watch *w, const char *path, enum kind kind, uint32_t mask)
{
    struct err ignored = {0};
    char *copy = NULL;
    int id = w->count < STATE_WATCHES_MAX ? inotify_add_watch(w->fd, path, mask) : -1;
    if (id < 0 || str_copy(path, &copy, &ignored) < 0)
        return;
    w->dirs[w->count].id = id;
    w->dirs[w->count].path = copy;
    w->dirs[w->count++].kind = kind;
}

/* The directory of a file, and one beside it. */
static void add_beside(struct state_watch *w, const char *file, const char *beside, enum kind kind)
{
    char path[PATH_MAX], other[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s", file) >= (int)sizeof(path))
        return;
    const char *dir = dirname(path);
    add(w, dir, kind, CHANGED);
    if (beside && snprintf(other, sizeof(other), "%s/%s", dir, beside) < (int)sizeof(other))
        add(w, other, kind, CHANGED);
}

void state_watch_open(const struct store *s, struct state_watch *ret)
{
    char path[PATH_MAX];
    struct state_watch w = {.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    *ret = w;
    (void)s;
    if (w.fd < 0)
        return;
    add(&w, dirs_data_root(), KIND_STATE, IN_ATTRIB | IN_MOVED_TO | IN_ONLYDIR);
    if (snprintf(path, sizeof(path), "%s/audit", dirs_data_root()) < (int)sizeof(path))
        add(&w, path, KIND_STATE, IN_ATTRIB | IN_ONLYDIR);
    add(&w, dirs_run(), KIND_STATE, IN_ATTRIB | IN_ONLYDIR);
    add_beside(&w, dirs_conf(), "conf.d", KIND_POLICY);
    add(&w, dirs_libexec(), KIND_PROGRAMS, CHANGED);
    *ret = w;
}

/* The same fault is told once, until there was none. */
static void judge_state(const struct store *s, struct state_watch *w)
{
    struct err fault = {0};
    struct err ignored = {0};
    if (store_check(s, &fault) == 0) {
        free(w->last);
        w->last = NULL;
        return;
    }
    if (w->last && str_equal(w->last, fault.text))
        return;
    (void)str_replace(&w->last, fault.text, &ignored);
    state_alert(s, dirs_data_root(), fault.text);
}

/* A fault that a command would refuse says more than that there was a change. */
static void judge_policy(const struct store *s, const char *path)
{
    struct err fault = {0};
    char what[STATE_ALERT_LINE_MAX];
    _cleanup_policy_ struct policy policy = {0};
    bool bad = policy_load(&policy, &fault) < 0;
    (void)snprintf(what, sizeof(what), "the policy was changed: %.500s%s%.500s", path, bad ? ": " : "",
                   bad ? fault.text : "");
    state_alert(s, path, what);
}

static void judge_program(const struct store *s, const char *path)
{
    struct err fault = {0};
    char what[STATE_ALERT_LINE_MAX];
    _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
    bool gone = fd < 0;
    bool bad = !gone && program_check(fd, path, &fault) < 0;
    (void)snprintf(what, sizeof(what), "a program of Casemate was %s: %.500s%s%.500s",
                   gone ? "taken away" : "changed", path, bad ? ": " : "", bad ? fault.text : "");
    state_alert(s, path, what);
}

/* Beside the policy lie files that are none of ours; an editor's and rpm's and dpkg's temporary ones are not read as policy. */
static bool is_policy(const char *dir, const char *name)
{
    char path[PATH_MAX];
    const char *tail = strrchr(dir, '/');
    if (tail && str_equal(tail, "/conf.d"))
        return str_ends_with(name, ".conf");
    return snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path) &&
           str_equal(path, dirs_conf());
}

static void take(const struct store *s, struct state_watch *w, const struct inotify_event *event, char *told,
                 bool *state)
{
    char path[PATH_MAX];
    size_t i = 0;
    while (i < w->count && w->dirs[i].id != event->wd)
        i++;
    *state = *state || (event->mask & IN_Q_OVERFLOW) || (i < w->count && w->dirs[i].kind == KIND_STATE);
    if (i == w->count || w->dirs[i].kind == KIND_STATE)
        return;
    const char *name = event->len ? event->name : "";
    int n = snprintf(path, sizeof(path), "%s%s%s", w->dirs[i].path, *name ? "/" : "", name);
    if (n >= (int)sizeof(path) || str_equal(path, told))
        return;
    if (w->dirs[i].kind == KIND_PROGRAMS)
        judge_program(s, path);
    else if (!*name || is_policy(w->dirs[i].path, name))
        judge_policy(s, path);
    (void)snprintf(told, PATH_MAX, "%s", path);
}

void state_watch_read(const struct store *s, struct state_watch *w)
{
    static char events[EVENTS_SIZE] __attribute__((aligned(__alignof__(struct inotify_event))));
    char told[PATH_MAX] = "";
    bool state = false;
    ssize_t n;
    while ((n = read(w->fd, events, sizeof(events))) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)(events + at);
            at += (ssize_t)(sizeof(*event) + event->len);
            take(s, w, event, told, &state);
        }
    if (state)
        judge_state(s, w);
}
