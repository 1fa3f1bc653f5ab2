/* SPDX-License-Identifier: Apache-2.0 */
/* Hierarchies of the host, and a container's group in each (cgroup.h). */
#include "oci/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "oci/rootless.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define OWN_GROUPS_MAX (64U << 10)
#define CPUSET_MAX 4096

static int fs_magic(int fd, long *ret, struct err *e)
{
    struct statfs s;
    if (fstatfs(fd, &s) < 0)
        return err_errno(e, "look at a control group hierarchy");
    *ret = (long)s.f_type;
    return 0;
}

void oci_cgroup_close(struct oci_cgroup *g)
{
    for (size_t i = 0; i < g->count; i++) {
        free(g->all[i].path);
        close_fd(&g->all[i].dir);
    }
    *g = (struct oci_cgroup){0};
}

/* ---- which hierarchies there are ---- */

static int add_hierarchy(struct oci_cgroup *g, const char *controllers, struct err *e)
{
    if (g->count == OCI_HIERARCHIES_MAX)
        return err_set(e, E2BIG, "more than %d control group hierarchies", OCI_HIERARCHIES_MAX);
    struct oci_hierarchy *h = &g->all[g->count];
    *h = (struct oci_hierarchy){.dir = -1};
    int r = str_put(h->controllers, sizeof(h->controllers), controllers, e);
    if (r == 0)
        g->count++;
    return r;
}

/* Directories of CGROUP_ROOT that are mounts of cgroup v1, by the names that distributions give them: those of their controllers; and
 * "unified". Links (cpu -> cpu,cpuacct) are left out: they are the same hierarchy again. */
static int add_v1(struct oci_cgroup *g, int root, const char *name, struct err *e)
{
    long magic = 0;
    _cleanup_close_ int fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOTDIR || errno == ELOOP || errno == EACCES
                   ? 0
                   : err_errno(e, "open " CGROUP_ROOT "/%s", name);
    int r = fs_magic(fd, &magic, e);
    if (r < 0)
        return r;
    if (magic == CGROUP_SUPER_MAGIC)
        return add_hierarchy(g, str_equal(name, "systemd") ? "name=systemd" : name, e);
    return magic == CGROUP2_SUPER_MAGIC && str_equal(name, "unified") ? add_hierarchy(g, "", e) : 0;
}

/* One that is overlooked would be left behind when the container is removed: what cannot be read is an error. */
static int find_v1(struct oci_cgroup *g, struct err *e)
{
    _cleanup_closedir_ DIR *d = opendir(CGROUP_ROOT);
    if (!d)
        return err_errno(e, "open " CGROUP_ROOT);
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(d);
        if (!entry && errno)
            return err_errno(e, "read " CGROUP_ROOT);
        if (!entry)
            break;
        if (!path_is_component(entry->d_name) || entry->d_type == DT_LNK)
            continue;
        int r = add_v1(g, dirfd(d), entry->d_name, e);
        if (r < 0)
            return r;
    }
    return g->count > 0 ? 0
                        : err_set(e, ENOSYS, "no control groups at " CGROUP_ROOT " (mount cgroup2 there)");
}

static int find_hierarchies(struct oci_cgroup *g, struct err *e)
{
    long magic = 0;
    _cleanup_close_ int root = open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return err_errno(e, "open " CGROUP_ROOT);
    int r = fs_magic(root, &magic, e);
    if (r < 0)
        return r;
    g->v2 = magic == CGROUP2_SUPER_MAGIC;
    return g->v2 ? add_hierarchy(g, "", e) : find_v1(g, e);
}

static int open_root(const struct oci_cgroup *g, const struct oci_hierarchy *h, struct err *e)
{
    char path[sizeof(CGROUP_ROOT) + OCI_CONTROLLERS_MAX + 1];
    long magic = 0;
    const char *name = g->v2 ? "" : *h->controllers ? h->controllers : "unified";
    const char *named = str_after(name, "name=");
    (void)snprintf(path, sizeof(path), CGROUP_ROOT "/%s", named ? named : name);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "open %s", path);
    int r = fs_magic(fd, &magic, e);
    if (r < 0)
        return r;
    if (magic != (*h->controllers ? CGROUP_SUPER_MAGIC : CGROUP2_SUPER_MAGIC))
        return err_set(e, ENOTDIR, "%s is not a cgroup file system", path);
    return steal_fd(&fd);
}

/* ---- where the group is ---- */

/* The caller's own group in a hierarchy, from a text like /proc/self/cgroup: lines ID:CONTROLLERS:PATH. */
static int own_path(const char *text, const char *controllers, char **ret, struct err *e)
{
    size_t length = strlen(controllers);
    for (const char *line = text; line && *line;) {
        const char *end = strchrnul(line, '\n');
        const char *first = strchr(line, ':');
        const char *second = first && first < end ? strchr(first + 1, ':') : NULL;
        if (second && second < end && (size_t)(second - first - 1) == length &&
            strncmp(first + 1, controllers, length) == 0)
            return str_copy_n(second + 1, (size_t)(end - second - 1), ret, e);
        line = *end ? end + 1 : NULL;
    }
    return str_copy("/", ret, e);
}

static int group_path(const struct oci_hierarchy *h, const char *path, const char *id, const char *own_text,
                      char **ret, struct err *e)
{
    if (path && *path == '/')
        return str_copy(path, ret, e);
    _cleanup_free_ char *own = NULL;
    int r = own_path(own_text, h->controllers, &own, e);
    if (r < 0)
        return r;
    return str_format(ret, e, "%s/%s", str_equal(own, "/") ? "" : own, str_set(path) ? path : id);
}

/* ---- making it ---- */

static int copy_cpuset(int from, int to, const char *file, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_buf_ struct buf there = {0};
    int r = io_read_file_at(to, file, CPUSET_MAX, &there, e);
    if (r < 0 || there.length > 1)
        return r;
    r = io_read_file_at(from, file, CPUSET_MAX, &text, e);
    return r < 0 || text.length <= 1 ? r : io_write_existing_at(to, file, text.data, e);
}

/* A new group of a v1 cpuset has no processors: nothing could run there. */
static int inherit_cpuset(int parent, int dir, struct err *e)
{
    int r = copy_cpuset(parent, dir, "cpuset.cpus", e);
    return r == 0 ? copy_cpuset(parent, dir, "cpuset.mems", e) : r;
}

/* Every controller that the parent has, for its children. One that cannot be passed on is missed where a limit needs it. */
static void pass_controllers_on(int parent)
{
    _cleanup_buf_ struct buf text = {0};
    struct err ignored = {0};
    if (io_read_file_at(parent, "cgroup.controllers", CPUSET_MAX, &text, &ignored) < 0 || !text.data)
        return;
    for (char *rest = text.data, *name; (name = strsep(&rest, " \n"));)
        if (*name)
            (void)io_write_existingf_at(parent, "cgroup.subtree_control", &ignored, "+%s", name);
}

/* One component further down. */
static int make_step(const struct oci_hierarchy *h, int parent, const char *name, struct err *e)
{
    if (!path_is_component(name))
        return err_set(e, EINVAL, "linux.cgroupsPath: \"%s\" is no name of a control group", name);
    if (!*h->controllers)
        pass_controllers_on(parent);
    if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
        return err_errno(e, "make control group %s", name);
    _cleanup_close_ int dir = path_open_dir_at(parent, name, e);
    int r = dir < 0 ? dir : str_equal(h->controllers, "cpuset") ? inherit_cpuset(parent, dir, e) : 0;
    return r < 0 ? r : steal_fd(&dir);
}

/* Returns the group's directory. */
static int walk(const struct oci_cgroup *g, const struct oci_hierarchy *h, bool make, struct err *e)
{
    _cleanup_free_ char *copy = NULL;
    int r = str_copy(h->path, &copy, e);
    _cleanup_close_ int at = r < 0 ? -1 : open_root(g, h, e);
    if (r < 0 || at < 0)
        return r < 0 ? r : at;
    for (char *rest = copy, *name; (name = strsep(&rest, "/"));) {
        if (!*name)
            continue;
        int next = make ? make_step(h, at, name, e) : path_open_dir_at(at, name, e);
        if (next < 0)
            return next;
        close(at);
        at = next;
    }
    return steal_fd(&at);
}

int oci_hierarchy_open(const struct oci_cgroup *g, const struct oci_hierarchy *h, struct err *e)
{
    return walk(g, h, false, e);
}

int oci_cgroup_find(const char *path, const char *id, struct oci_cgroup *ret, struct err *e)
{
    _cleanup_oci_cgroup_ struct oci_cgroup g = {0};
    _cleanup_buf_ struct buf own = {0};
    int r = find_hierarchies(&g, e);
    if (r == 0)
        r = io_read_path("/proc/self/cgroup", OWN_GROUPS_MAX, &own, e);
    for (size_t i = 0; i < g.count && r == 0; i++)
        r = group_path(&g.all[i], path, id, own.data ? own.data : "", &g.all[i].path, e);
    if (r < 0)
        return err_wrap(e, "control group");
    *ret = g;
    g = (struct oci_cgroup){0};
    return 0;
}

int oci_cgroup_make(struct oci_cgroup *g, struct err *e)
{
    for (size_t i = 0; i < g->count; i++) {
        int dir = walk(g, &g->all[i], true, e);
        if ((dir == -EACCES || dir == -EPERM || dir == -EROFS) && oci_is_rootless()) {
            err_clear(e); /* an ordinary user: whatever is not delegated is missed when a limit needs it */
            continue;
        }
        if (dir < 0)
            return err_wrap(e, "control group");
        g->all[i].dir = dir;
    }
    return 0;
}

int oci_cgroup_open(const struct str_list *description, struct oci_cgroup *ret, struct err *e)
{
    _cleanup_oci_cgroup_ struct oci_cgroup g = {0};
    int r = find_hierarchies(&g, e);
    for (size_t i = 0; i < g.count && r == 0; i++) {
        struct oci_hierarchy *h = &g.all[i];
        size_t length = strlen(h->controllers);
        for (size_t j = 0; j < description->count && r == 0 && !h->path; j++)
            if (strncmp(description->items[j], h->controllers, length) == 0 &&
                description->items[j][length] == ':')
                r = str_copy(description->items[j] + length + 1, &h->path, e);
        struct err gone = {0};
        if (r == 0 && h->path)
            h->dir = walk(&g, h, false, &gone);
        if (h->dir < 0 && gone.code && gone.code != ENOENT) {
            *e = gone;
            r = err_wrap(e, "control group");
        }
    }
    if (r < 0)
        return r;
    *ret = g;
    g = (struct oci_cgroup){0};
    return 0;
}

int oci_cgroup_describe(const struct oci_cgroup *g, struct str_list *ret, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < g->count && r == 0; i++)
        r = str_list_addf(ret, e, "%s:%s", g->all[i].controllers, g->all[i].path);
    return r;
}

static bool names(const char *controllers, const char *one)
{
    size_t length = strlen(one);
    for (const char *at = controllers; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, one, length) == 0 && (at[length] == ',' || !at[length]))
            return true;
    return false;
}

int oci_cgroup_dir(const struct oci_cgroup *g, const char *controller)
{
    if (g->v2)
        return oci_cgroup_unified(g);
    for (size_t i = 0; i < g->count; i++)
        if (names(g->all[i].controllers, controller))
            return g->all[i].dir;
    return -1;
}

int oci_cgroup_unified(const struct oci_cgroup *g)
{
    for (size_t i = 0; i < g->count; i++)
        if (!*g->all[i].controllers)
            return g->all[i].dir;
    return -1;
}
