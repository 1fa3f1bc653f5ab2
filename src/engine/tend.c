/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tender (tend.h): one poll(2) loop over the list (inotify), the shims of what runs (pidfds), its own workers (pidfds) and the next
 * thing that is due; beside them a watch over the engine's own files (state_watch.h). It does nothing itself that may block: each restart and each check is a child of its own, so that a container whose lock
 * is held, or whose check hangs, holds up no other. What it knows it has from the records; it can be killed and started again at any
 * time.
 */
#include "engine/tend.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/syscalls.h"
#include "engine/exit_record.h"
#include "engine/health.h"
#include "engine/lifecycle.h"
#include "engine/mark.h"
#include "engine/restarting.h"
#include "engine/state_watch.h"
#include "engine/tend_lock.h"
#include "store/rootless.h"

#define JOBS_MAX 16
#define NS_PER_MS 1000000
#define NEVER INT64_MAX
#define TAKE_OVER_TRIES 200 /* ten seconds for the old one to end */
#define TAKE_OVER_PAUSE_US 50000
#define EVENTS_MAX 65536

enum job { JOB_NONE, JOB_REVIVE, JOB_CHECK };

struct tended {
    char id[ID_LENGTH + 1];
    int shim;      /* pidfd while it runs, else -1 */
    int64_t due;   /* monotonic; NEVER */
    enum job next; /* what is due then */
    enum job running;
    pid_t job_pid;
    int job;          /* pidfd of the child that does it, else -1 */
    bool changed;     /* to be looked at when that has ended */
    int64_t patience; /* ns to wait after a revival that failed without a record of it */
};

struct tender {
    const struct store *s;
    bool keep;
    int lock, marks, signals;
    struct tended *items;
    size_t count, capacity;
    size_t jobs;
    struct pollfd *fds;
    size_t fds_capacity;
    struct state_watch state;
    bool ending;
};

static struct tended *find(struct tender *t, const char *id)
{
    for (size_t i = 0; i < t->count; i++)
        if (str_equal(t->items[i].id, id))
            return &t->items[i];
    return NULL;
}

static struct tended *find_or_add(struct tender *t, const char *id)
{
    struct tended *x = find(t, id);
    if (x)
        return x;
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 16;
        struct tended *grown = reallocarray(t->items, capacity, sizeof(*grown));
        if (!grown)
            return NULL;
        t->items = grown;
        t->capacity = capacity;
    }
    x = &t->items[t->count++];
    *x = (struct tended){.shim = -1, .job = -1, .due = NEVER};
    memcpy(x->id, id, sizeof(x->id));
    return x;
}

static void drop(struct tender *t, struct tended *x)
{
    close_fd(&x->shim);
    *x = t->items[--t->count];
}

static int64_t at(int64_t due, int64_t now)
{
    int64_t left = due - now;
    return clock_monotonic() + (left < 0 ? 0 : left);
}

/* A pidfd of the shim: its number may have been used again only if it does not live any more. */
static int open_shim(const struct container *c)
{
    int fd = sys_pidfd_open(c->start.shim_pid);
    if (fd >= 0 && shim_alive(c->shim_dir) <= 0)
        close_fd(&fd);
    return fd;
}

static void plan_check(struct tended *x, const struct container *c)
{
    int64_t now = clock_now();
    x->next = JOB_CHECK;
    /* Who lets a paused container go on touches its mark. */
    x->due = health_wanted(&c->plan) && !c->paused ? at(health_due(c, now), now) : NEVER;
}

static void plan_revival(struct tended *x, const struct container *c)
{
    int64_t now = clock_now();
    x->next = JOB_REVIVE;
    x->due = c->status == CONTAINER_RESTARTING ? at(restarting_due(c, now), now) : clock_monotonic();
    if (x->patience && x->due < clock_monotonic() + x->patience)
        x->due = clock_monotonic() + x->patience;
}

/* Reads anew how it stands and decides what comes next. False: it is not ours any more. */
static bool look_at(struct tender *t, struct tended *x)
{
    struct err gone = {0};
    _cleanup_container_ struct container c = CONTAINER_INIT;
    plan_init(&c.plan);
    close_fd(&x->shim);
    x->due = NEVER;
    x->changed = false;
    if (!mark_exists(t->s, MARK_TENDED, x->id))
        return false;
    int r = container_open(t->s, x->id, &c, &gone);
    if (r == -ENOENT) {
        mark_remove(t->s, MARK_TENDED, x->id);
        return false;
    }
    if (r < 0) { /* damaged: it is looked at again when somebody touches it */
        return true;
    }
    if (c.status == CONTAINER_RUNNING)
        x->shim = open_shim(&c);
    if (x->shim >= 0) {
        x->patience = 0;
        plan_check(x, &c);
    } else {
        plan_revival(x, &c);
    }
    return true;
}

static void look_or_drop(struct tender *t, struct tended *x)
{
    if (x->running != JOB_NONE)
        x->changed = true;
    else if (!look_at(t, x))
        drop(t, x);
}

/* In a child of its own. */
static _Noreturn void do_job(struct tender *t, const char *id, enum job job, pid_t parent)
{
    struct err e = {0};
    struct container c;
    sigset_t none;
    close_fd(&t->lock); /* or a tender that is killed would seem to live on */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int r = rootless_note_self(t->s, parent, &e);
    if (r == 0)
        r = container_open(t->s, id, &c, &e);
    if (r < 0)
        _exit(r == -ENOENT ? 0 : 1);
    r = job == JOB_CHECK ? health_check(t->s, &c, &e) : lifecycle_revive(t->s, &c, false, &e);
    _exit(r < 0 && r != -ENOENT ? 1 : 0);
}

static void start_job(struct tender *t, struct tended *x)
{
    enum job job = x->next;
    x->due = NEVER;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        do_job(t, x->id, job, parent);
    int fd = pid < 0 ? -1 : sys_pidfd_open(pid);
    if (fd < 0) { /* no memory, no descriptors: later */
        if (pid > 0)
            (void)waitpid(pid, NULL, 0);
        x->due = clock_monotonic() + CLOCK_SECOND;
        return;
    }
    x->job = fd;
    x->job_pid = pid;
    x->running = job;
    t->jobs++;
}

static void end_job(struct tender *t, struct tended *x)
{
    int status = 0;
    while (waitpid(x->job_pid, &status, 0) < 0 && errno == EINTR)
        ;
    bool failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    if (x->running == JOB_REVIVE && failed)
        x->patience = !x->patience                                      ? (int64_t)RESTARTING_DELAY_MIN
                      : x->patience * 2 > (int64_t)RESTARTING_DELAY_MAX ? (int64_t)RESTARTING_DELAY_MAX
                                                                        : x->patience * 2;
    close_fd(&x->job);
    x->running = JOB_NONE;
    t->jobs--;
    if (!look_at(t, x))
        drop(t, x);
}

static void start_due(struct tender *t)
{
    int64_t now = clock_monotonic();
    for (size_t i = 0; i < t->count && t->jobs < JOBS_MAX; i++)
        if (t->items[i].running == JOB_NONE && t->items[i].due <= now)
            start_job(t, &t->items[i]);
}

static void read_list(struct tender *t)
{
    _cleanup_close_ int fd = openat(t->s->run, MARK_TENDED, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return;
    (void)steal_fd(&fd);
    for (struct dirent *entry; (entry = readdir(d));) {
        if (entry->d_name[0] == '.')
            continue;
        struct tended *x = id_valid(entry->d_name) ? find_or_add(t, entry->d_name) : NULL;
        if (x)
            look_or_drop(t, x);
    }
}

/* What was said about the list. After an overflow all of it is read again. */
static void read_marks(struct tender *t)
{
    static char events[EVENTS_MAX] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n;
    while ((n = read(t->marks, events, sizeof(events))) > 0) {
        for (ssize_t i = 0; i < n;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)(events + i);
            i += (ssize_t)(sizeof(*event) + event->len);
            if (event->mask & IN_Q_OVERFLOW)
                read_list(t);
            if (event->len == 0 || !id_valid(event->name))
                continue;
            struct tended *x = event->mask & IN_DELETE ? find(t, event->name) : find_or_add(t, event->name);
            if (x)
                look_or_drop(t, x);
        }
    }
}

/* Milliseconds until something is due, rounded up; -1: nothing is. */
static int timeout(const struct tender *t)
{
    int64_t due = NEVER;
    for (size_t i = 0; i < t->count && t->jobs < JOBS_MAX; i++)
        if (t->items[i].running == JOB_NONE && t->items[i].due < due)
            due = t->items[i].due;
    if (due == NEVER)
        return -1;
    int64_t left = (due - clock_monotonic() + NS_PER_MS - 1) / NS_PER_MS;
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

enum slot { SLOT_MARKS, SLOT_SIGNALS, SLOT_STATE, SLOT_ITEMS };
#define SLOTS_PER_ITEM 2

static int wait_for_something(struct tender *t, struct err *e)
{
    size_t count = SLOT_ITEMS + SLOTS_PER_ITEM * t->count;
    if (count > t->fds_capacity) {
        struct pollfd *grown = reallocarray(t->fds, count, sizeof(*grown));
        if (!grown)
            return err_oom(e);
        t->fds = grown;
        t->fds_capacity = count;
    }
    t->fds[SLOT_MARKS] = (struct pollfd){.fd = t->marks, .events = POLLIN};
    t->fds[SLOT_SIGNALS] = (struct pollfd){.fd = t->signals, .events = POLLIN};
    t->fds[SLOT_STATE] = (struct pollfd){.fd = t->state.fd, .events = POLLIN};
    for (size_t i = 0; i < t->count; i++) {
        const struct tended *x = &t->items[i];
        /* While something is done for it, its end is not looked at: a pidfd stays readable. */
        struct pollfd *fds = &t->fds[SLOT_ITEMS + SLOTS_PER_ITEM * i];
        fds[0] = (struct pollfd){.fd = x->running == JOB_NONE ? x->shim : -1, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = x->job, .events = POLLIN};
    }
    if (poll(t->fds, count, timeout(t)) >= 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        t->fds[i].revents = 0;
    return errno == EINTR || errno == ENOMEM ? 0 : err_errno(e, "wait for containers");
}

/* One turn of the loop. From behind, since what is dropped is replaced by the last, which has been served. */
static int turn(struct tender *t, struct err *e)
{
    int r = wait_for_something(t, e);
    if (r < 0)
        return r;
    if (t->fds[SLOT_SIGNALS].revents) {
        t->ending = true;
        return 0;
    }
    for (size_t i = t->count; i-- > 0;) {
        const struct pollfd *fds = &t->fds[SLOT_ITEMS + SLOTS_PER_ITEM * i];
        if (fds[1].revents)
            end_job(t, &t->items[i]);
        else if (fds[0].revents)
            look_or_drop(t, &t->items[i]);
    }
    if (t->fds[SLOT_STATE].revents)
        state_watch_read(t->s, &t->state);
    if (t->fds[SLOT_MARKS].revents)
        read_marks(t);
    start_due(t);
    return 0;
}

static int open_signals(struct err *e)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return err_errno(e, "block signals");
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? err_errno(e, "signalfd") : fd;
}

static int open_marks(const struct store *s, struct err *e)
{
    char path[sizeof("/proc/self/fd/") + 12];
    _cleanup_close_ int dir = mark_open_dir(s, MARK_TENDED, e);
    if (dir < 0)
        return dir;
    _cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
    if (fd < 0 || inotify_add_watch(fd, path, IN_CLOSE_WRITE | IN_DELETE | IN_ONLYDIR) < 0)
        return err_errno(e, "watch run/" MARK_TENDED);
    return steal_fd(&fd);
}

/* Two descriptors for each container. */
static void raise_descriptors(void)
{
    struct rlimit now;
    if (getrlimit(RLIMIT_NOFILE, &now) == 0) {
        now.rlim_cur = now.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &now);
    }
}

/* 1: the lock is ours; 0: another tender does the work. */
static int take_over(struct tender *t, struct err *e)
{
    for (int tries = 0; tries < TAKE_OVER_TRIES; tries++) {
        err_clear(e);
        t->lock = tend_lock_take(t->s, t->keep, e);
        if (t->lock != -EWOULDBLOCK)
            return t->lock < 0 ? t->lock : 1;
        enum tend_lock_state state = tend_lock_look(t->s);
        if (state == TEND_LOCK_KEPT || (state == TEND_LOCK_OURS && !t->keep)) {
            err_clear(e);
            return 0;
        }
        if (state != TEND_LOCK_FREE)
            tend_lock_ask_to_end(t->s);
        (void)usleep(TAKE_OVER_PAUSE_US);
    }
    return err_wrap(e, "the tender before this one does not end");
}

/* Nothing is left to do. Who makes a mark looks at the lock afterwards: so the list is looked at once more without it. */
static bool may_end(struct tender *t)
{
    struct err e = {0};
    if (t->keep || t->count > 0)
        return false;
    close_fd(&t->lock);
    read_list(t);
    if (t->count == 0)
        return true;
    t->lock = tend_lock_take(t->s, t->keep, &e);
    return t->lock < 0; /* somebody has started another meanwhile */
}

static void close_tender(struct tender *t)
{
    for (size_t i = 0; i < t->count; i++) {
        close_fd(&t->items[i].shim);
        close_fd(&t->items[i].job);
    }
    free(t->items);
    free(t->fds);
    state_watch_close(&t->state);
    close_fd(&t->marks);
    close_fd(&t->signals);
    close_fd(&t->lock);
}

int tend_run(const struct store *s, bool keep, struct err *e)
{
    struct tender t = {
        .s = s, .keep = keep, .lock = -1, .marks = -1, .signals = -1, .state = STATE_WATCH_INIT};
    raise_descriptors();
    int r = take_over(&t, e);
    if (r > 0)
        r = t.signals = open_signals(e);
    if (r > 0)
        r = t.marks = open_marks(s, e);
    bool working = r > 0;
    if (working) {
        state_watch_open(s, &t.state);
        read_list(&t);
        start_due(&t);
    }
    while (working && r >= 0 && !t.ending && !may_end(&t))
        r = turn(&t, e);
    close_tender(&t);
    return r < 0 ? r : 0;
}
