/* SPDX-License-Identifier: Apache-2.0 */
/* What is delegated to an ordinary user (cgroup_delegate.h). Paths are the kernel's. */
#include "runtime/cgroup_delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/identity.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"

#define LIST_MAX 65536
#define SYSTEMD_PATH_MAX 96

static bool list_has(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
        if (strncmp(p, word, n) == 0 && (p[n] == ',' || p[n] == '\0'))
            return true;
    return false;
}

/* Our own path in a hierarchy, from lines "ID:CONTROLLERS:PATH"; points into text; NULL. */
static char *own_path(char *text, int where)
{
    char *line;
    while ((line = strsep(&text, "\n"))) {
        char *path = line;
        const char *id = strsep(&path, ":");
        const char *controllers = path ? strsep(&path, ":") : NULL;
        if (!path)
            continue;
        if (where == CGROUP_CONTROLLERS
                ? strcmp(id, "0") == 0 && !*controllers
                : list_has(controllers, cgroup_controller_name((enum cgroup_controller)where)))
            return path;
    }
    return NULL;
}

static bool is_ours(int dir)
{
    struct stat st, procs;
    return fstat(dir, &st) == 0 && st.st_uid == geteuid() && fstatat(dir, "cgroup.procs", &procs, 0) == 0 &&
           procs.st_uid == geteuid();
}

/* The first group on the way down `path` that is ours. */
static int first_of_ours(int root, char *path)
{
    _cleanup_close_ int at = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *name;
    while (at >= 0 && (name = strsep(&path, "/"))) {
        struct err ignored = {0};
        if (!*name)
            continue;
        int next = path_open_dir_at(at, name, &ignored);
        close_fd(&at);
        at = next;
        if (at >= 0 && is_ours(at))
            return steal_fd(&at);
    }
    return -1;
}

static char remembered[PATH_LENGTH_MAX + 1];

void cgroup_remember_base(const char *path)
{
    struct err too_long = {0};
    (void)str_put(remembered, sizeof(remembered), path, &too_long);
}

/* Behind /sys/fs/cgroup[/unified], without PARENT and ID. */
int cgroup_base(const struct cgroup *g, char *ret, size_t size, struct err *e)
{
    char link[32], path[PATH_LENGTH_MAX + 1];
    const char *mount = g->mode == CGROUP_V2 ? "/sys/fs/cgroup/" : "/sys/fs/cgroup/unified/";
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", g->unified);
    ssize_t n = g->unified < 0 ? -1 : readlink(link, path, sizeof(path) - 1);
    if (n < 0)
        return err_set(e, ENOENT, "no unified control group");
    path[n] = '\0';
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(path, '/');
        if (slash)
            *slash = '\0';
    }
    const char *below = str_after(path, mount);
    return below ? str_put(ret, size, below, e) : err_set(e, ENOENT, "the control group is elsewhere");
}

int cgroup_delegated(int root, int where, bool join)
{
    _cleanup_buf_ struct buf list = {0};
    struct err ignored = {0};
    char systemd[SYSTEMD_PATH_MAX];
    if (io_read_path("/proc/self/cgroup", LIST_MAX, &list, &ignored) < 0 || !list.data)
        return -1;
    char *path = own_path(list.data, where);
    int fd = path ? first_of_ours(root, path) : -1;
    if (fd >= 0 || join)
        return fd;
    if (where == CGROUP_CONTROLLERS && *remembered) {
        char again[sizeof(remembered)];
        memcpy(again, remembered, sizeof(again));
        fd = first_of_ours(root, again);
        if (fd >= 0)
            return fd;
    }
    unsigned uid = identity_host_uid(geteuid());
    (void)snprintf(systemd, sizeof(systemd), "user.slice/user-%u.slice/user@%u.service", uid, uid);
    return first_of_ours(root, systemd);
}

bool cgroup_limits(const struct cgroup *g, enum cgroup_controller c)
{
    static const char *const v2_files[CGROUP_CONTROLLERS] = {[CGROUP_MEMORY] = "memory.max",
                                                             [CGROUP_CPU] = "cpu.max",
                                                             [CGROUP_CPUSET] = "cpuset.cpus",
                                                             [CGROUP_PIDS] = "pids.max",
                                                             [CGROUP_BLKIO] = "io.max"};
    if (g->mode == CGROUP_V2)
        return g->unified >= 0 && v2_files[c] && faccessat(g->unified, v2_files[c], F_OK, 0) == 0;
    return g->dirs[c] >= 0;
}

void cgroup_forget_missing(const struct cgroup *g, struct spec_resources *r)
{
    if (!cgroup_limits(g, CGROUP_MEMORY))
        r->memory = r->memory_swap = r->memory_reservation = r->memory_swappiness = SPEC_UNSET;
    if (!cgroup_limits(g, CGROUP_CPU))
        r->cpu_quota_us = r->cpu_period_us = r->cpu_shares = SPEC_UNSET;
    if (!cgroup_limits(g, CGROUP_PIDS))
        r->pids = SPEC_UNSET;
    if (!cgroup_limits(g, CGROUP_CPUSET))
        r->cpuset_cpus = r->cpuset_mems = NULL;
    if (!cgroup_limits(g, CGROUP_BLKIO)) {
        r->blkio_weight = SPEC_UNSET;
        r->io_count = 0;
    }
}
