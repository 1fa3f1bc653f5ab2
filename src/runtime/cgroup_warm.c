/* SPDX-License-Identifier: Apache-2.0 */
/* A head start for cgroup moves (cgroup_warm.h). */
#include "runtime/cgroup_warm.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "runtime/cgroup.h"

#define HIERARCHY "/sys/fs/cgroup/pids"
#define CONTROLLER ":pids:"
#define MEMBERSHIP_MAX 65536
#define STACK_SIZE (128 * 1024) /* two file buffers and the C library's needs */

/* Our own group in the hierarchy: the rest of the line "N:pids:/path" of /proc/self/cgroup. */
static int open_own_group(struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = io_read_path("/proc/self/cgroup", MEMBERSHIP_MAX, &text, e);
    if (r < 0)
        return r;
    char *path = text.data ? strstr(text.data, CONTROLLER) : NULL;
    if (!path)
        return -1;
    path += strlen(CONTROLLER);
    path[strcspn(path, "\n")] = '\0';
    _cleanup_close_ int root = open(HIERARCHY, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root < 0 ? -1 : path_open_in_root(root, path, O_PATH | O_DIRECTORY, 0, e);
}

static void *run(void *unused)
{
    struct err ignored = {0};
    _cleanup_close_ int group = open_own_group(&ignored);
    if (group >= 0)
        (void)io_write_existingf_at(group, "cgroup.procs", &ignored, "%d", (int)getpid());
    return unused;
}

void cgroup_warm_up(void)
{
    enum cgroup_mode mode;
    struct err ignored = {0};
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    if (cgroup_detect_mode(&mode, &ignored) < 0 || mode == CGROUP_V2 || pthread_attr_init(&attributes) != 0)
        return;
    /* Signals stay with the caller. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_attr_setstacksize(&attributes, STACK_SIZE) == 0 &&
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0)
        (void)pthread_create(&thread, &attributes, run, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
}
