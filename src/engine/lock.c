/* SPDX-License-Identifier: Apache-2.0 */
/* Locks of containers (lock.h): on the directory itself for commands, on the file `waiters` for those who wait. */
#include "engine/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define WAITERS_FILE "waiters"
#define READERS_TRIES \
    50 /* half a second: a reader needs microseconds, a stopped one must not hold anything up */
#define READERS_PAUSE_US 10000

static int wait_for_lock(int fd, int operation)
{
    int r;
    do
        r = flock(fd, operation);
    while (r < 0 && errno == EINTR);
    return r;
}

int lock_container(const struct store *s, const struct container *c, struct err *e)
{
    struct stat held;
    struct stat named;
    _cleanup_close_ int fd = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return err_set(e, ENOENT, "No such container: %.12s", c->id);
    if (fd < 0 || wait_for_lock(fd, LOCK_EX) < 0 || fstat(fd, &held) < 0)
        return err_errno(e, "lock container %.12s", c->id);
    if (fstatat(s->containers, c->id, &named, AT_SYMLINK_NOFOLLOW) < 0 || held.st_ino != named.st_ino ||
        held.st_dev != named.st_dev)
        return err_set(e, ENOENT, "No such container: %.12s", c->id);
    return steal_fd(&fd);
}

int lock_waiter_at(int dir, struct err *e)
{
    _cleanup_close_ int fd = openat(dir, WAITERS_FILE, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || wait_for_lock(fd, LOCK_SH) < 0)
        return err_errno(e, "wait for the container");
    return steal_fd(&fd);
}

int lock_waiter(const struct container *c, struct err *e)
{
    int r = lock_waiter_at(c->dir, e);
    return r == -ENOENT ? err_set(e, ENOENT, "No such container: %.12s", c->id) : r;
}

bool lock_no_waiter(const struct container *c)
{
    _cleanup_close_ int fd = openat(c->dir, WAITERS_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0;
}

void lock_await_readers(const struct container *c)
{
    for (int i = 0; i < READERS_TRIES && !lock_no_waiter(c); i++)
        (void)usleep(READERS_PAUSE_US);
}
