/* SPDX-License-Identifier: Apache-2.0 */
/* The user namespace of an ordinary user's engine (rootless.h). Runs with the user's own rights only. */
#include "store/rootless.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/dirs.h"
#include "base/identity.h"
#include "base/io.h"
#include "base/num.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "store/rootless_map.h"

#define MEMBERS "members"
#define LOCK "members.lock"
#define MEMBER_NAME 48
#define SMALL_FILE_MAX 64

/* --- who lives in it -------------------------------------------------------------------------------------------- */

/* PID.START: the name says it all, so it is there completely or not at all. */
static int note(int run, pid_t pid, struct err *e)
{
    char name[MEMBER_NAME];
    uint64_t start = 0;
    _cleanup_close_ int dir = path_make_dir_at(run, MEMBERS, 0700, e);
    int r = dir < 0 ? dir : proc_start_time(pid, &start, e);
    if (r < 0)
        return r;
    (void)snprintf(name, sizeof(name), "%d.%llu", (int)pid, (unsigned long long)start);
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "note who lives in the user namespace");
    (void)close(fd);
    return 0;
}

int rootless_note(const struct store *s, pid_t child, struct err *e)
{
    return identity_rootless() ? note(s->run, child, e) : 0;
}

int rootless_note_self(const struct store *s, pid_t parent, struct err *e)
{
    if (!identity_rootless())
        return 0;
    int r = note(s->run, getpid(), e);
    if (r == 0 && getppid() != parent)
        r = err_set(e, ECHILD, "the command that wanted this container has ended");
    return r;
}

/* The user namespace of a member, or -1: it has ended, is another process, or lives elsewhere. */
static int member_namespace(const char *name)
{
    char text[MEMBER_NAME], path[64];
    struct err ignored = {0};
    uint64_t pid = 0, start = 0;
    uid_t owner = (uid_t)-1;
    if (str_put(text, sizeof(text), name, &ignored) < 0)
        return -1;
    char *dot = strchr(text, '.');
    if (!dot)
        return -1;
    *dot++ = '\0';
    if (num_parse_u64(text, INT32_MAX, &pid, &ignored) < 0 ||
        num_parse_u64(dot, UINT64_MAX, &start, &ignored) < 0)
        return -1;
    _cleanup_close_ int pidfd = proc_open((pid_t)pid, start, &ignored);
    if (pidfd < 0)
        return -1;
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    /* Still the same process now that its file is open: then the file was its own. */
    _cleanup_close_ int again = fd < 0 ? -1 : proc_open((pid_t)pid, start, &ignored);
    if (again < 0 || ioctl(fd, NS_GET_OWNER_UID, &owner) < 0 || owner != getuid())
        return -1;
    return steal_fd(&fd);
}

/* 1: this process is in the namespace of one of them now; 0: there is none. Forgets who has ended. */
static int join_members(int run, struct err *e)
{
    int fd = path_make_dir_at(run, MEMBERS, 0700, e);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return fd < 0 ? fd : err_errno(e, "read " MEMBERS);
    for (struct dirent *entry; (entry = readdir(d));) {
        if (entry->d_name[0] == '.')
            continue;
        _cleanup_close_ int ns = member_namespace(entry->d_name);
        if (ns >= 0 && setns(ns, CLONE_NEWUSER) == 0)
            return 1;
        (void)unlinkat(dirfd(d), entry->d_name, 0);
    }
    return 0;
}

/* --- entering --------------------------------------------------------------------------------------------------- */

static int open_run(struct err *e)
{
    _cleanup_close_ int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (slash < 0)
        return err_errno(e, "open /");
    int r = path_check_absolute(dirs_run(), e);
    _cleanup_close_ int dir =
        r < 0 ? r : path_make_dirs_in_root(slash, dirs_run(), 0700, (uid_t)-1, (gid_t)-1, e);
    int fd = dir < 0 ? dir : path_reopen(dir, O_RDONLY | O_DIRECTORY, e);
    return fd < 0 ? err_wrap(e, "run directory %s", dirs_run()) : fd;
}

static int lock(int run, struct err *e)
{
    _cleanup_close_ int fd = openat(run, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "lock the run directory");
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return err_errno(e, "lock the run directory");
    return steal_fd(&fd);
}

/* The engine mounts nothing that others see, and sees what they mount. */
static int enter_mount_namespace(struct err *e)
{
    if (unshare(CLONE_NEWNS) < 0)
        return err_errno(e, "make a mount namespace");
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
        return err_errno(e, "make mounts private");
    return 0;
}

static int enter(struct err *e)
{
    _cleanup_close_ int run = open_run(e);
    _cleanup_close_ int held = run < 0 ? run : lock(run, e);
    if (held < 0)
        return held;
    int r = join_members(run, e);
    if (r == 0)
        r = rootless_map_make(e);
    if (r >= 0)
        r = note(run, getpid(), e);
    if (r < 0)
        return r;
    /* By number these are the user's ids still; the map shows them as 0. */
    return enter_mount_namespace(e);
}

/* Inside, id 0 is the user: what the C library says of its home is root's. */
static void set_home(void)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char strings[4096];
    if (!str_set(getenv("HOME")) && getpwuid_r(getuid(), &entry, strings, sizeof(strings), &found) == 0 &&
        found)
        (void)setenv("HOME", found->pw_dir, 1);
}

int rootless_enter(char **argv, struct err *e)
{
    set_home();
    int r = enter(e);
    if (r < 0)
        return r;
    /* Anew, so that what the kernel notes of a process (who may look into it) is of the namespace that it is in. */
    (void)execv("/proc/self/exe", argv);
    return err_errno(e, "execute casemate again");
}
