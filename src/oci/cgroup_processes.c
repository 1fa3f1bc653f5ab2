/* SPDX-License-Identifier: Apache-2.0 */
/* Processes of a container's groups (cgroup.h): joining, counting, stopping, ending, and removing the groups after them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "base/path.h"
#include "oci/cgroup.h"

#define PROCS_MAX (4U << 20)
#define WAIT_MS 10000 /* until killed processes are gone, or stopped ones stand */
#define DEPTH_MAX 32  /* of groups that a container has made below its own */

int oci_cgroup_join_open(const struct oci_cgroup *g, struct oci_cgroup_join *ret, struct err *e)
{
    *ret = (struct oci_cgroup_join){0};
    for (size_t i = 0; i < g->count; i++) {
        if (!*g->all[i].controllers || g->all[i].dir < 0)
            continue;
        int fd = openat(g->all[i].dir, "tasks", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) {
            oci_cgroup_join_close(ret);
            return err_errno(e, "control group %s", g->all[i].controllers);
        }
        ret->tasks[ret->count++] = fd;
    }
    return 0;
}

int oci_cgroup_join_self(struct oci_cgroup_join *j, struct err *e)
{
    for (size_t i = 0; i < j->count; i++)
        if (write(j->tasks[i], "0", 1) != 1)
            return err_errno(e, "join a control group");
    oci_cgroup_join_close(j);
    return 0;
}

void oci_cgroup_join_close(struct oci_cgroup_join *j)
{
    for (size_t i = 0; i < j->count; i++)
        close_fd(&j->tasks[i]);
    j->count = 0;
}

int oci_cgroup_attach_unified(const struct oci_cgroup *g, pid_t pid, struct err *e)
{
    int dir = oci_cgroup_unified(g);
    return dir < 0 ? 0 : io_write_existingf_at(dir, "cgroup.procs", e, "%d", (int)pid);
}

/* ---- who is there ---- */

struct pid_list {
    pid_t *pids;
    size_t count, capacity;
};

static int add_pid(struct pid_list *l, pid_t pid, struct err *e)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 64;
        pid_t *grown = reallocarray(l->pids, capacity, sizeof(*grown));
        if (!grown)
            return err_oom(e);
        l->pids = grown;
        l->capacity = capacity;
    }
    l->pids[l->count++] = pid;
    return 0;
}

static int add_members(int dir, struct pid_list *l, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = io_read_file_at(dir, "cgroup.procs", PROCS_MAX, &text, e);
    if (r == -EOPNOTSUPP || r == -ENODEV || r == -ENOENT) { /* a threaded group; one that is just going */
        err_clear(e);
        return 0;
    }
    for (char *rest = text.data, *line; r == 0 && rest && (line = strsep(&rest, "\n")) && *line;) {
        uint64_t pid;
        struct err ignored = {0};
        if (num_parse_u64(line, INT32_MAX, &pid, &ignored) == 0 && pid > 0)
            r = add_pid(l, (pid_t)pid, e);
    }
    return r;
}

static int add_tree(int dir, int depth, struct pid_list *l, struct err *e)
{
    int r = add_members(dir, l, e);
    int copy = r < 0 || depth == DEPTH_MAX ? -1 : openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = copy < 0 ? NULL : fdopendir(copy);
    for (struct dirent *entry; d && r == 0 && (entry = readdir(d));) {
        if (entry->d_type != DT_DIR || !path_is_component(entry->d_name))
            continue;
        _cleanup_close_ int below =
            openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = below < 0 ? 0 : add_tree(below, depth + 1, l, e);
    }
    return r;
}

/* Any hierarchy would do: all have the same processes. On hybrid hosts the unified one may be left by a process that was moved by its
 * id in v1 only, so a v1 one is asked first. */
static int main_dir(const struct oci_cgroup *g)
{
    static const char *const first[] = {"pids", "memory", "devices", "freezer"};
    for (size_t i = 0; i < ARRAY_SIZE(first) && !g->v2; i++)
        if (oci_cgroup_dir(g, first[i]) >= 0)
            return oci_cgroup_dir(g, first[i]);
    return oci_cgroup_unified(g);
}

int oci_cgroup_pids(const struct oci_cgroup *g, pid_t **ret, size_t *ret_count, struct err *e)
{
    struct pid_list l = {0};
    int dir = main_dir(g);
    int r = dir < 0 ? 0 : add_tree(dir, 0, &l, e);
    if (r < 0) {
        free(l.pids);
        return r;
    }
    *ret = l.pids;
    *ret_count = l.count;
    return 0;
}

int oci_cgroup_signal(const struct oci_cgroup *g, int sig, struct err *e)
{
    _cleanup_free_ pid_t *pids = NULL;
    size_t count = 0;
    struct err ignored = {0};
    int unified = oci_cgroup_unified(g);
    if (sig == SIGKILL && g->v2 && unified >= 0 &&
        io_write_existing_at(unified, "cgroup.kill", "1", &ignored) == 0)
        return 0;
    int r = oci_cgroup_pids(g, &pids, &count, e);
    for (size_t i = 0; i < count && r == 0; i++)
        if (kill(pids[i], sig) < 0 && errno != ESRCH)
            r = err_errno(e, "signal process %d", (int)pids[i]);
    return r;
}

/* ---- stopping ---- */

static bool file_says(int dir, const char *file, const char *word)
{
    _cleanup_buf_ struct buf text = {0};
    struct err ignored = {0};
    return dir >= 0 && io_read_file_at(dir, file, 4096, &text, &ignored) == 0 && text.data &&
           strstr(text.data, word);
}

bool oci_cgroup_is_frozen(const struct oci_cgroup *g)
{
    int freezer = g->v2 ? -1 : oci_cgroup_dir(g, "freezer");
    if (freezer >= 0)
        return file_says(freezer, "freezer.state", "FROZEN") ||
               file_says(freezer, "freezer.state", "FREEZING");
    return file_says(oci_cgroup_unified(g), "cgroup.freeze", "1");
}

static bool has_settled(const struct oci_cgroup *g, int freezer, bool frozen)
{
    if (freezer >= 0)
        return file_says(freezer, "freezer.state", frozen ? "FROZEN" : "THAWED");
    return file_says(oci_cgroup_unified(g), "cgroup.events", frozen ? "frozen 1" : "frozen 0");
}

int oci_cgroup_freeze(const struct oci_cgroup *g, bool frozen, struct err *e)
{
    int freezer = g->v2 ? -1 : oci_cgroup_dir(g, "freezer");
    int unified = oci_cgroup_unified(g);
    if (freezer < 0 && unified < 0)
        return err_set(e, ENOSYS, "the kernel has no freezer for this container's control group");
    for (int waited = 0; waited < WAIT_MS; waited++) {
        /* Written again and again: on v1 a process that forks meanwhile can leave it half frozen. */
        int r = freezer >= 0 ? io_write_existing_at(freezer, "freezer.state", frozen ? "FROZEN" : "THAWED", e)
                             : io_write_existing_at(unified, "cgroup.freeze", frozen ? "1" : "0", e);
        if (r < 0 || has_settled(g, freezer, frozen))
            return r;
        (void)poll(NULL, 0, 1);
    }
    return err_set(e, ETIMEDOUT, "the container's processes do not stop");
}

/* ---- removing ---- */

static int remove_tree(int parent, const char *name, int depth, struct err *e)
{
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    if (errno != EBUSY && errno != ENOTEMPTY)
        return err_errno(e, "remove control group %s", name);
    _cleanup_close_ int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int copy = dir < 0 ? -1 : openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = copy < 0 ? NULL : fdopendir(copy);
    for (struct dirent *entry; d && depth < DEPTH_MAX && (entry = readdir(d));)
        if (entry->d_type == DT_DIR && path_is_component(entry->d_name))
            (void)remove_tree(dir, entry->d_name, depth + 1, e);
    err_clear(e);
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    return err_errno(e, "remove control group %s", name);
}

static int remove_group(struct oci_hierarchy *h, struct err *e)
{
    const char *name = strrchr(h->path, '/');
    if (!name || !path_is_component(name + 1))
        return 0; /* the root of a hierarchy: made by nobody */
    _cleanup_close_ int parent = openat(h->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return parent < 0 ? err_errno(e, "control group %s", h->path) : remove_tree(parent, name + 1, 0, e);
}

int oci_cgroup_remove(struct oci_cgroup *g, struct err *e)
{
    struct err ignored = {0};
    for (int waited = 0; waited < WAIT_MS; waited++) {
        int r = 0;
        for (size_t i = 0; i < g->count; i++) {
            if (g->all[i].dir < 0)
                continue;
            err_clear(e);
            int removed = remove_group(&g->all[i], e);
            if (removed == 0)
                close_fd(&g->all[i].dir);
            else if (r == 0)
                r = removed;
        }
        if (r != -EBUSY && r != -ENOTEMPTY)
            return r;
        if (waited == 0 && oci_cgroup_is_frozen(g))
            (void)oci_cgroup_freeze(g, false, &ignored);
        (void)oci_cgroup_signal(g, SIGKILL, &ignored);
        (void)poll(NULL, 0, 1);
    }
    return err_set(e, EBUSY, "the container's control group still has processes");
}
