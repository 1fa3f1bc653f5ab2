/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups (cgroup.h): what v1, hybrid and v2 share. The limits themselves: cgroup_v1.c, cgroup_v2.c. */
#include "runtime/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/identity.h"
#include "base/io.h"
#include "base/num.h"
#include "base/path.h"
#include "runtime/cgroup_delegate.h"
#include "runtime/cgroup_limits.h"
#include "runtime/cgroup_state.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define PROCS_MAX (1U << 20)
#define REMOVE_TRIES 2000 /* milliseconds in which killed processes must be gone */

static const char *const controller_names[CGROUP_CONTROLLERS] = {
    [CGROUP_MEMORY] = "memory",   [CGROUP_CPU] = "cpu",        [CGROUP_CPUACCT] = "cpuacct",
    [CGROUP_CPUSET] = "cpuset",   [CGROUP_PIDS] = "pids",      [CGROUP_BLKIO] = "blkio",
    [CGROUP_DEVICES] = "devices", [CGROUP_FREEZER] = "freezer"};

const char *cgroup_controller_name(enum cgroup_controller c)
{
    return controller_names[c];
}

void cgroup_close(struct cgroup *g)
{
    for (int c = 0; c < CGROUP_CONTROLLERS; c++)
        close_fd(&g->dirs[c]);
    close_fd(&g->unified);
}

static long fs_magic(int fd)
{
    struct statfs s;
    return fstatfs(fd, &s) < 0 ? 0 : (long)s.f_type;
}

/* Opens CGROUP_ROOT/name when it is a cgroup file system of the wanted kind; else -1. */
static int open_hierarchy(const char *name, long magic)
{
    char path[64];
    (void)snprintf(path, sizeof(path), CGROUP_ROOT "%s%s", *name ? "/" : "", name);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fs_magic(fd) != magic)
        return -1;
    return steal_fd(&fd);
}

static int detect_host_mode(enum cgroup_mode *ret_mode, struct err *e)
{
    _cleanup_close_ int root = open_hierarchy("", CGROUP2_SUPER_MAGIC);
    if (root >= 0) {
        *ret_mode = CGROUP_V2;
        return 0;
    }
    _cleanup_close_ int pids = open_hierarchy("pids", CGROUP_SUPER_MAGIC);
    _cleanup_close_ int memory = open_hierarchy("memory", CGROUP_SUPER_MAGIC);
    if (pids < 0 && memory < 0)
        return err_set(e, ENOSYS, "no control groups at " CGROUP_ROOT " (mount cgroup2 there)");
    _cleanup_close_ int unified = open_hierarchy("unified", CGROUP2_SUPER_MAGIC);
    *ret_mode = unified >= 0 ? CGROUP_HYBRID : CGROUP_V1;
    return 0;
}

/* Where PARENT is: in the root of the hierarchy, for an ordinary user in what is delegated of it. -1: nowhere. */
static int open_base(enum cgroup_mode mode, int where, bool join)
{
    _cleanup_close_ int root = where != CGROUP_CONTROLLERS
                                   ? open_hierarchy(controller_names[where], CGROUP_SUPER_MAGIC)
                                   : open_hierarchy(mode == CGROUP_V2 ? "" : "unified", CGROUP2_SUPER_MAGIC);
    if (root < 0 || !identity_rootless())
        return steal_fd(&root);
    return cgroup_delegated(root, where, join);
}

/* Calls `visit` with the directory of each hierarchy that PARENT is in; where: the controller, or CGROUP_CONTROLLERS for the unified
 * one. join: the groups are for children of this process. */
typedef int hierarchy_function(int root, int where, void *context, struct err *e);

static int for_each_hierarchy(enum cgroup_mode mode, bool join, hierarchy_function *visit, void *context,
                              struct err *e)
{
    int r = 0;
    if (mode == CGROUP_HYBRID || mode == CGROUP_V2) {
        _cleanup_close_ int root = open_base(mode, CGROUP_CONTROLLERS, join);
        if (root >= 0)
            r = visit(root, CGROUP_CONTROLLERS, context, e);
    }
    for (int c = 0; c < CGROUP_CONTROLLERS && r == 0 && (mode == CGROUP_V1 || mode == CGROUP_HYBRID); c++) {
        _cleanup_close_ int root = open_base(mode, c, join);
        if (root >= 0)
            r = visit(root, c, context, e);
    }
    return r;
}

static int found_base(int root, int where, void *context, struct err *e)
{
    (void)root;
    (void)where;
    (void)e;
    *(bool *)context = true;
    return 0;
}

static int detect_mode(bool join, enum cgroup_mode *ret_mode, struct err *e)
{
    bool found = false;
    *ret_mode = CGROUP_NONE;
    int r = detect_host_mode(ret_mode, e);
    if (!identity_rootless())
        return r;
    if (r == 0)
        r = for_each_hierarchy(*ret_mode, join, found_base, &found, e);
    if (r < 0 || !found)
        *ret_mode = CGROUP_NONE;
    err_clear(e);
    return 0;
}

int cgroup_detect_mode(enum cgroup_mode *ret_mode, struct err *e)
{
    return detect_mode(false, ret_mode, e);
}

struct group_request {
    const char *parent;
    const char *id;
    uint64_t total_memory;
    struct cgroup *group;
    bool found;
};

static void keep_directory(struct cgroup *g, int where, int dir)
{
    if (where == CGROUP_CONTROLLERS)
        g->unified = dir;
    else
        g->dirs[where] = dir;
}

/* Controllers that are mounted together have one directory. */
static bool is_kept(const struct cgroup *g, int dir)
{
    struct stat found, kept;
    for (size_t i = 0; i < ARRAY_SIZE(g->dirs); i++)
        if (g->dirs[i] >= 0 && fstat(g->dirs[i], &kept) == 0 && fstat(dir, &found) == 0 &&
            kept.st_dev == found.st_dev && kept.st_ino == found.st_ino)
            return true;
    return false;
}

static int remove_in_hierarchy(int root, int where, void *context, struct err *e);

/* A group that is there already is what a killed command has left: it may have processes, and be frozen. It goes. */
static int make_group(int root, int parent, int where, struct group_request *q, struct err *e)
{
    if (mkdirat(parent, q->id, 0755) < 0) {
        if (errno != EEXIST)
            return err_errno(e, "make control group %s/%s", q->parent, q->id);
        int dir = path_open_dir_at(parent, q->id, e);
        if (dir < 0 || is_kept(q->group, dir))
            return dir;
        (void)close(dir);
        int r = remove_in_hierarchy(root, where, q, e);
        if (r < 0)
            return r;
        if (mkdirat(parent, q->id, 0755) < 0)
            return err_errno(e, "make control group %s/%s", q->parent, q->id);
    }
    return path_open_dir_at(parent, q->id, e);
}

/* mkdir PARENT and PARENT/ID in one hierarchy. */
static int make_in_hierarchy(int root, int where, void *context, struct err *e)
{
    struct group_request *q = context;
    if (mkdirat(root, q->parent, 0755) < 0 && errno != EEXIST)
        return err_errno(e, "make control group %s", q->parent);
    _cleanup_close_ int parent = path_open_dir_at(root, q->parent, e);
    if (parent < 0)
        return parent;
    int r = where == CGROUP_CONTROLLERS
                ? cgroup_v2_prepare(root, parent, q->total_memory, e)
                : cgroup_v1_prepare((enum cgroup_controller)where, root, parent, q->total_memory, e);
    if (r < 0)
        return r;
    int dir = make_group(root, parent, where, q, e);
    if (dir < 0)
        return dir;
    keep_directory(q->group, where, dir);
    return where == CGROUP_CPUSET ? cgroup_v1_inherit_cpuset(parent, dir, e) : 0;
}

int cgroup_make(const char *parent, const char *id, const struct spec_resources *r, uint64_t total_memory,
                struct cgroup *ret_group, struct err *e)
{
    _cleanup_cgroup_ struct cgroup g = CGROUP_INIT;
    struct spec_resources wanted = *r;
    int result = detect_mode(true, &g.mode, e);
    if (result < 0)
        return result;
    struct group_request q = {.parent = parent, .id = id, .total_memory = total_memory, .group = &g};
    result = for_each_hierarchy(g.mode, true, make_in_hierarchy, &q, e);
    if (identity_rootless())
        cgroup_forget_missing(&g, &wanted); /* explain says so */
    if (result == 0)
        result = cgroup_set(&g, &wanted, e);
    if (result == 0)
        result = cgroup_restrict_devices(&g, r, e);
    if (result < 0) {
        struct err ignored = {0};
        cgroup_close(&g);
        (void)cgroup_remove(parent, id, &ignored);
        return err_wrap(e, "control group");
    }
    *ret_group = g;
    g = (struct cgroup)CGROUP_INIT;
    return 0;
}

static int open_in_hierarchy(int root, int where, void *context, struct err *e)
{
    struct group_request *q = context;
    (void)e;
    _cleanup_close_ int parent = openat(root, q->parent, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int dir = parent < 0 ? -1 : openat(parent, q->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir >= 0) {
        keep_directory(q->group, where, dir);
        q->found = true;
    }
    return 0;
}

int cgroup_open(const char *parent, const char *id, struct cgroup *ret_group, struct err *e)
{
    _cleanup_cgroup_ struct cgroup g = CGROUP_INIT;
    int r = cgroup_detect_mode(&g.mode, e);
    if (r < 0)
        return r;
    struct group_request q = {.parent = parent, .id = id, .group = &g};
    r = for_each_hierarchy(g.mode, false, open_in_hierarchy, &q, e);
    if (r < 0)
        return r;
    if (!q.found && identity_rootless())
        g.mode = CGROUP_NONE; /* it was started where nothing is delegated */
    else if (!q.found)
        return err_set(e, ENOENT, "control group %s/%.12s does not exist", parent, id);
    *ret_group = g;
    g = (struct cgroup)CGROUP_INIT;
    return 0;
}

int cgroup_need(const struct cgroup *g, struct err *e)
{
    return g->mode != CGROUP_NONE
               ? 0
               : err_set(e, ENOSYS,
                         "it has no control group: none was delegated to the user where it "
                         "was started (systemd-run --user --scope casemate start ...)");
}

int cgroup_attach_unified(const struct cgroup *g, pid_t pid, struct err *e)
{
    int r = g->unified < 0 ? 0 : io_write_existingf_at(g->unified, "cgroup.procs", e, "%d", (int)pid);
    if (r == -EACCES && identity_rootless())
        return err_set(
            e, EACCES,
            "from here no process can be put into the container's control group, which holds its limits: "
            "systemd-run --user --scope casemate exec ...");
    return r;
}

int cgroup_set(const struct cgroup *g, const struct spec_resources *r, struct err *e)
{
    int result = g->mode == CGROUP_V2 && g->unified >= 0 ? cgroup_v2_set(g, r, e) : cgroup_v1_set(g, r, e);
    return result < 0 ? result : cgroup_set_io(g, r, e);
}

int cgroup_open_oom(const struct cgroup *g)
{
    if (g->mode == CGROUP_V2 && g->unified >= 0)
        return openat(g->unified, "memory.events", O_RDONLY | O_CLOEXEC);
    return g->dirs[CGROUP_MEMORY] < 0
               ? -1
               : openat(g->dirs[CGROUP_MEMORY], "memory.oom_control", O_RDONLY | O_CLOEXEC);
}

int cgroup_open_pids(const struct cgroup *g)
{
    int dir = g->mode == CGROUP_V2 ? g->unified : g->dirs[CGROUP_PIDS];
    return dir < 0 ? -1 : openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Sends SIGKILL to every process in a group. Returns how many there were. */
static int kill_members(int dir, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = io_read_file_at(dir, "cgroup.procs", PROCS_MAX, &text, e);
    if (r < 0)
        return r;
    int count = 0;
    for (char *rest = text.data, *line; rest && (line = strsep(&rest, "\n")) && *line; count++) {
        uint64_t pid;
        if (num_parse_u64(line, INT32_MAX, &pid, e) == 0 && pid > 1)
            (void)kill((pid_t)pid, SIGKILL);
    }
    return count;
}

static int remove_in_hierarchy(int root, int where, void *context, struct err *e)
{
    const struct group_request *q = context;
    (void)where;
    _cleanup_close_ int parent = openat(root, q->parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (parent < 0)
        return 0;
    for (int i = 0; i < REMOVE_TRIES; i++) {
        if (unlinkat(parent, q->id, AT_REMOVEDIR) == 0 || errno == ENOENT)
            return 0;
        if (errno != EBUSY)
            return err_errno(e, "remove control group %s/%.12s", q->parent, q->id);
        if (i == 0) /* paused processes end when they go on */
            cgroup_thaw(q->parent, q->id);
        _cleanup_close_ int dir = openat(parent, q->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir >= 0 && kill_members(dir, e) < 0)
            continue;
        (void)poll(NULL, 0, 1);
    }
    return err_set(e, EBUSY, "control group %s/%.12s still has processes", q->parent, q->id);
}

int cgroup_remove(const char *parent, const char *id, struct err *e)
{
    enum cgroup_mode mode = CGROUP_NONE;
    int r = cgroup_detect_mode(&mode, e);
    if (r < 0)
        return r;
    struct group_request q = {.parent = parent, .id = id};
    return for_each_hierarchy(mode, false, remove_in_hierarchy, &q, e);
}
