/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what `casemate tend` looks after, and starting it (tend.h). */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "engine/health.h"
#include "engine/mark.h"
#include "engine/tend.h"
#include "engine/tend_lock.h"
#include "store/rootless.h"

#define SELF "/proc/self/exe"
#define ENVIRONMENT_MAX 64 /* entries that are kept, and the end */

bool tend_needed(const struct container *c)
{
    return c->live.restart.kind != RESTART_NO || health_wanted(&c->plan);
}

int tend_register(const struct store *s, struct container *c, struct err *e)
{
    int r = mark_make(s, MARK_TENDED, c->id, e);
    if (r == 0)
        c->tended = true;
    return r;
}

void tend_unregister(const struct store *s, struct container *c)
{
    mark_remove(s, MARK_TENDED, c->id);
    c->tended = false;
}

void tend_nudge(const struct store *s, const struct container *c)
{
    struct err ignored = {0};
    if (mark_exists(s, MARK_TENDED, c->id))
        (void)mark_make(s, MARK_TENDED, c->id, &ignored);
}

static bool any_tended(const struct store *s)
{
    _cleanup_close_ int fd = openat(s->run, MARK_TENDED, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return false;
    (void)steal_fd(&fd);
    for (struct dirent *entry; (entry = readdir(d));)
        if (id_valid(entry->d_name))
            return true;
    return false;
}

/* It lives on: what else the user's environment holds (secrets that `-e NAME` hands on) is not its business. */
static void keep_environment(char **ret, size_t max)
{
    static const char *const kept[] = {"CASEMATE_", "PATH=",         "HOME=",          "XDG_",
                                       "TZ=",       "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS="};
    size_t n = 0;
    for (char **entry = environ; *entry && n < max - 1; entry++)
        for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
            if (str_after(*entry, kept[i])) {
                ret[n++] = *entry;
                break;
            }
    ret[n] = NULL;
}

/* Nothing of the command that happens to start it: session, terminal, directory, descriptors, signals. */
static _Noreturn void become_tender(void)
{
    char *argv[] = {(char *)(uintptr_t) "casemate", (char *)(uintptr_t) "tend", NULL};
    struct err ignored = {0};
    sigset_t none;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (null < 0 || dup2(null, fd) < 0)
            _exit(1);
    if (io_close_from(STDERR_FILENO + 1, &ignored) < 0 || chdir("/") < 0)
        _exit(1);
    for (int signal_number = 1; signal_number < NSIG; signal_number++)
        (void)signal(signal_number, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    char *environment[ENVIRONMENT_MAX];
    keep_environment(environment, ENVIRONMENT_MAX);
    (void)execve(SELF, argv, environment);
    _exit(1);
}

static void spawn(const struct store *s)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct err ignored = {0};
        (void)setsid();
        pid_t tender = fork(); /* no leader of a session: it never gets a terminal */
        if (tender == 0)
            become_tender();
        if (tender > 0)
            (void)rootless_note(s, tender, &ignored);
        _exit(0);
    }
    if (pid > 0)
        (void)waitpid(pid, NULL, 0);
}

void tend_ensure(const struct store *s)
{
    if (!any_tended(s))
        return;
    enum tend_lock_state state = tend_lock_look(s);
    if (state == TEND_LOCK_OURS || state == TEND_LOCK_KEPT)
        return;
    if (state == TEND_LOCK_OTHER)
        tend_lock_ask_to_end(s);
    spawn(s);
}

static void forget_all(const struct store *s)
{
    _cleanup_close_ int fd = openat(s->run, MARK_TENDED, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return;
    (void)steal_fd(&fd);
    for (struct dirent *entry; (entry = readdir(d));)
        if (id_valid(entry->d_name))
            (void)unlinkat(dirfd(d), entry->d_name, 0);
}

void tend_dismiss(const struct store *s)
{
    forget_all(s); /* one that ends by itself does so now; --keep has nothing to do any more */
    if (tend_lock_look(s) != TEND_LOCK_FREE)
        tend_lock_ask_to_end(s);
}
