/* SPDX-License-Identifier: Apache-2.0 */
/* One mount of config.json (rootfs.h). */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/mount_options.h"
#include "oci/rootfs.h"
#include "runtime/fill.h"
#include "runtime/fsmount.h"
#include "runtime/userns.h"

/* What may be mounted below /proc besides procfs itself: files that show a container its own limits (lxcfs and its like). */
static const char *const proc_files[] = {"/proc/cpuinfo",
                                         "/proc/diskstats",
                                         "/proc/meminfo",
                                         "/proc/stat",
                                         "/proc/swaps",
                                         "/proc/uptime",
                                         "/proc/loadavg",
                                         "/proc/slabinfo",
                                         "/proc/sys/kernel/ns_last_pid",
                                         "/proc/net/dev",
                                         "/proc/sys/crypto/fips_enabled"};

static bool is_type(const struct oci_mount *m, const char *type)
{
    return m->type && str_equal(m->type, type);
}

/* Where a descriptor is, below the root: "/proc/sys". "" when it cannot be said. */
static void place_in_root(const struct oci_rootfs *f, int fd, char *ret, size_t size)
{
    char link[32], path[4096];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    size_t root = strlen(f->path);
    const char *below = root == 1 ? path : path + root;
    bool inside = strncmp(path, f->path, root) == 0 && (root == 1 || *below == '/' || !*below);
    (void)snprintf(ret, size, "%s", inside ? (*below ? below : "/") : "");
}

/* /proc and /sys must be there under their own names, and nothing may cover a part of /proc but known files (CVE-2019-16884,
 * CVE-2019-19921): otherwise what is written there (labels, limits) would go elsewhere. */
static int check_target(const struct oci_rootfs *f, const struct oci_mount *m, int target, struct err *e)
{
    char place[4096];
    place_in_root(f, target, place, sizeof(place));
    bool system = is_type(m, "proc") || is_type(m, "sysfs");
    size_t named = strlen(m->destination);
    while (named > 1 && m->destination[named - 1] == '/')
        named--;
    if (system && (strlen(place) != named || strncmp(place, m->destination, named) != 0))
        return err_set(e, EINVAL,
                       "a %s file system is mounted on a directory, not through links: %s leads to %s",
                       m->type, m->destination, place);
    if (is_type(m, "proc"))
        return 0;
    if (str_equal(place, "/proc")) {
        struct statfs fs;
        if (fstatfs(target, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
            return err_set(e, EINVAL, "nothing but procfs may be mounted on /proc");
        return 0;
    }
    if (!str_after(place, "/proc/"))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(proc_files); i++)
        if (str_equal(place, proc_files[i]))
            return 0;
    return err_set(e, EINVAL, "nothing may be mounted on %s: it is inside of /proc", place);
}

/* The mount point: made when it is missing, a directory unless what is mounted there is none. */
static int open_target(const struct oci_rootfs *f, const struct oci_mount *m, bool directory, struct err *e)
{
    return directory ? path_make_dirs_in_root(f->root, m->destination, 0755, (uid_t)-1, (gid_t)-1, e)
                     : path_make_file_in_root(f->root, m->destination, (uid_t)-1, (gid_t)-1, e);
}

static int set_attributes(int tree, uint64_t set, uint64_t clear, bool recursive, struct err *e)
{
    struct mount_attr a = {.attr_set = set, .attr_clr = clear};
    if (set == 0 && clear == 0)
        return 0;
    if (mount_setattr(tree, "", (unsigned)(AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0)), &a, sizeof(a)) <
        0)
        return err_errno(e, "set mount options");
    return 0;
}

static int set_propagation(int tree, const struct oci_mount_options *o, struct err *e)
{
    for (size_t i = 0; i < o->propagation_count; i++) {
        struct mount_attr a = {.propagation = o->propagation[i] & ~(unsigned long)MS_REC};
        unsigned recursive = o->propagation[i] & MS_REC ? AT_RECURSIVE : 0;
        if (mount_setattr(tree, "", AT_EMPTY_PATH | recursive, &a, sizeof(a)) < 0)
            return err_errno(e, "set mount propagation");
    }
    return 0;
}

/* A detached tree of what is bound, opened by the path as this process sees it. */
static int open_bind(const struct oci_mount *m, const struct oci_mount_options *o, const char *bundle,
                     struct err *e)
{
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (o->recursive ? AT_RECURSIVE : 0);
    if (!str_set(m->source))
        return err_set(e, EINVAL, "source: is missing");
    _cleanup_close_ int dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int tree = dir < 0 ? -1 : open_tree(dir, m->source, flags);
    return tree < 0 ? err_errno(e, "source %s", m->source) : tree;
}

static int map_ids(const struct oci_mount *m, int tree, bool recursive, struct err *e);

/* Attributes and ids of a bind, before anybody can see it. */
static int prepare_bind(const struct oci_mount *m, const struct oci_mount_options *o, int tree, struct err *e)
{
    int r = set_attributes(tree, o->set, o->clear, false, e);
    if (r == 0)
        r = set_attributes(tree, o->set_recursive, o->clear_recursive, true, e);
    if (r == 0 && m->uid_mappings.count > 0)
        r = map_ids(m, tree, o->ridmap, e);
    return r;
}

static void read_map(const struct schema_list *from, struct id_map *to)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct oci_id_map *m = OCI_ITEM(from, struct oci_id_map, i);
        to[i] = (struct id_map){.inside = (uint32_t)m->container_id.value,
                                .outside = (uint32_t)m->host_id.value,
                                .count = (uint32_t)m->size.value};
    }
}

static int map_ids(const struct oci_mount *m, int tree, bool recursive, struct err *e)
{
    _cleanup_free_ struct id_map *uids = calloc(m->uid_mappings.count, sizeof(*uids));
    _cleanup_free_ struct id_map *gids = calloc(m->gid_mappings.count, sizeof(*gids));
    if (!uids || !gids)
        return err_oom(e);
    read_map(&m->uid_mappings, uids);
    read_map(&m->gid_mappings, gids);
    _cleanup_close_ int userns =
        userns_for_idmap(uids, m->uid_mappings.count, gids, m->gid_mappings.count, e);
    int r = userns < 0 ? userns : fsmount_set(tree, 0, recursive, userns, e);
    return r < 0 ? err_wrap(e, "uidMappings") : 0;
}

int oci_sources_open(const struct oci_config *c, const char *bundle, struct oci_sources *ret, struct err *e)
{
    *ret = (struct oci_sources){.bundle = bundle, .count = c->mounts.count};
    ret->trees = calloc(c->mounts.count + 1, sizeof(int));
    if (!ret->trees)
        return err_oom(e);
    for (size_t i = 0; i < ret->count; i++)
        ret->trees[i] = -1;
    for (size_t i = 0; i < ret->count; i++) {
        const struct oci_mount *m = OCI_ITEM(&c->mounts, struct oci_mount, i);
        _cleanup_oci_mount_options_ struct oci_mount_options o = {0};
        int r = oci_mount_options_read(m, &o, e);
        if (r == 0 && o.bind && !o.remount) {
            ret->trees[i] = open_bind(m, &o, bundle, e);
            if (ret->trees[i] == -EPERM) { /* no right to do that here: the container's own process has it */
                ret->trees[i] = -1;
                err_clear(e);
                continue;
            }
            r = ret->trees[i] < 0 ? ret->trees[i] : prepare_bind(m, &o, ret->trees[i], e);
        }
        if (r < 0)
            return err_wrap(e, "mounts[%zu] (%s)", i, m->destination);
    }
    return 0;
}

void oci_sources_close(struct oci_sources *s)
{
    for (size_t i = 0; s->trees && i < s->count; i++)
        close_fd(&s->trees[i]);
    free(s->trees);
    s->trees = NULL;
}

/* Attaches a tree, and remembers it when it is the procfs of /proc or the sysfs of /sys. */
static int attach(struct oci_rootfs *f, const struct oci_mount *m, int tree, int target, struct err *e)
{
    int *kept = str_equal(m->destination, "/proc")  ? &f->proc
                : str_equal(m->destination, "/sys") ? &f->sys
                                                    : NULL;
    struct statfs fs;
    int r = fsmount_attach(tree, target, e);
    if (r < 0 || !kept)
        return r;
    close_fd(kept);
    if (fstatfs(tree, &fs) < 0 || (fs.f_type != PROC_SUPER_MAGIC && fs.f_type != SYSFS_MAGIC))
        return 0;
    *kept = fcntl(tree, F_DUPFD_CLOEXEC, 3);
    return *kept < 0 ? err_errno(e, "descriptor") : 0;
}

static int add_bind(struct oci_rootfs *f, const struct oci_sources *sources, size_t index,
                    const struct oci_mount *m, const struct oci_mount_options *o, struct err *e)
{
    struct stat st;
    int r = 0;
    _cleanup_close_ int own = -1;
    int tree = sources->trees[index];
    if (tree < 0) {
        tree = own = open_bind(m, o, sources->bundle, e);
        r = own < 0 ? own : prepare_bind(m, o, own, e);
    }
    if (r < 0)
        return r;
    if (fstat(tree, &st) < 0)
        return err_errno(e, "source");
    _cleanup_close_ int target = open_target(f, m, S_ISDIR(st.st_mode), e);
    r = target < 0 ? target : check_target(f, m, target, e);
    if (r == 0)
        r = attach(f, m, tree, target, e);
    return r == 0 ? set_propagation(tree, o, e) : r;
}

/* The options of a new file system as fsmount_new takes them. */
static int list_options(const struct oci_mount *m, const struct oci_mount_options *o, const char *label,
                        struct str_list *ret, struct err *e)
{
    static const char *const of_the_kernel[] = {"proc",   "sysfs",  "tmpfs",  "devpts",
                                                "mqueue", "cgroup", "cgroup2"};
    bool kernel = false;
    for (size_t i = 0; i < ARRAY_SIZE(of_the_kernel); i++)
        kernel = kernel || is_type(m, of_the_kernel[i]);
    int r = str_set(m->source) ? str_list_addf(ret, e, "source=%s", m->source) : 0;
    if (r == 0 && !kernel && o->set & MOUNT_ATTR_RDONLY)
        r = str_list_add(ret, "ro", e); /* a disk is not to be written at all */
    if (r == 0 && str_set(label) && !is_type(m, "proc") && !is_type(m, "sysfs") &&
        faccessat(AT_FDCWD, "/sys/fs/selinux/enforce", F_OK, 0) == 0)
        r = str_list_addf(ret, e, "context=%s", label);
    for (size_t i = 0; i < o->data.count && r == 0; i++)
        r = str_list_add(ret, o->data.items[i], e);
    return r;
}

/* What the image has at the place of a tmpfs. */
struct covered {
    int dir; /* -1: nothing */
    struct stat st;
};

static void covered_close(struct covered *c)
{
    close_fd(&c->dir);
}

static int look_below(const struct oci_rootfs *f, const struct oci_mount *m, struct covered *ret,
                      struct err *e)
{
    struct err missing = {0};
    *ret = (struct covered){
        .dir = path_open_in_root(f->root, m->destination, O_RDONLY | O_DIRECTORY, 0, &missing)};
    if (ret->dir < 0)
        return 0;
    return fstat(ret->dir, &ret->st) < 0 ? err_errno(e, "stat") : 0;
}

static bool has_mode(const struct oci_mount_options *o)
{
    for (size_t i = 0; i < o->data.count; i++)
        if (str_after(o->data.items[i], "mode="))
            return true;
    return false;
}

/* A tmpfs has the mode of the directory that it covers, unless an option says another; with tmpcopyup its owner and its files too. */
static int resemble(const struct covered *c, const struct oci_mount_options *o, int tree, struct err *e)
{
    if (c->dir < 0)
        return 0;
    _cleanup_close_ int to = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (to < 0)
        return err_errno(e, "open the tmpfs");
    if (o->tmpcopyup && fchown(to, c->st.st_uid, c->st.st_gid) < 0)
        return err_errno(e, "tmpcopyup");
    if (!has_mode(o) && fchmod(to, c->st.st_mode & 07777) < 0)
        return err_errno(e, "mode of the tmpfs");
    if (!o->tmpcopyup)
        return 0;
    _cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        return err_errno(e, "open /proc");
    return fill_tree(&(struct fill_request){.from = c->dir, .to = to, .proc = proc}, e);
}

static int add_new(struct oci_rootfs *f, const struct oci_mount *m, const struct oci_mount_options *o,
                   const char *label, struct err *e)
{
    _cleanup_str_list_ struct str_list options = {0};
    if (!str_set(m->type))
        return err_set(e, EINVAL, "type: is missing, and the options have no bind");
    int r = list_options(m, o, label, &options, e);
    if (r < 0)
        return r;
    bool tmpfs = is_type(m, "tmpfs");
    _cleanup_(covered_close) struct covered covered = {.dir = -1};
    r = tmpfs ? look_below(f, m, &covered, e) : 0;
    _cleanup_close_ int target = r < 0 ? -1 : open_target(f, m, true, e);
    r = r < 0 ? r : target < 0 ? target : check_target(f, m, target, e);
    if (r < 0)
        return r;
    /* A tmpfs becomes read-only when it has what it shall have. */
    uint64_t late = tmpfs ? o->set & MOUNT_ATTR_RDONLY : 0;
    _cleanup_close_ int tree = fsmount_new(m->type, (const char *const *)options.items, o->set & ~late, e);
    r = tree < 0 ? tree : resemble(&covered, o, tree, e);
    if (r == 0)
        r = set_attributes(tree, o->set_recursive | late, 0, false, e);
    if (r == 0)
        r = attach(f, m, tree, target, e);
    return r == 0 ? set_propagation(tree, o, e) : r;
}

static int add_remount(const struct oci_rootfs *f, const struct oci_mount *m,
                       const struct oci_mount_options *o, struct err *e)
{
    _cleanup_close_ int target = path_open_in_root(f->root, m->destination, O_PATH, 0, e);
    int r = target < 0 ? target : set_attributes(target, o->set, o->clear, false, e);
    if (r == 0)
        r = set_attributes(target, o->set_recursive, o->clear_recursive, true, e);
    return r == 0 ? set_propagation(target, o, e) : r;
}

/* /sys/fs/cgroup as the container shall see it (cgroup_view.c). */
static int add_cgroup(const struct oci_config *c, const struct oci_rootfs *f, const struct oci_mount *m,
                      const struct oci_mount_options *o, const struct oci_cgroup *cgroup, struct err *e)
{
    _cleanup_close_ int target = open_target(f, m, true, e);
    int r = target < 0 ? target : check_target(f, m, target, e);
    bool own = oci_config_namespace(c, CLONE_NEWCGROUP) != NULL;
    return r == 0 ? oci_cgroup_show(cgroup, own, target, o->set, e) : r;
}

/* A destination without "." and "..", which are taken out by name: below a directory that is still to be made they mean nothing to the kernel. */
static int clean_destination(const char *destination, char ret[PATH_LENGTH_MAX + 1], struct err *e)
{
    size_t n = 0;
    if (strlen(destination) >= PATH_LENGTH_MAX)
        return err_set(e, ENAMETOOLONG, "destination: is longer than %d bytes", PATH_LENGTH_MAX);
    ret[0] = '\0';
    for (const char *at = destination; *at; at += strspn(at, "/")) {
        size_t length = strcspn(at, "/");
        if (length == 2 && strncmp(at, "..", 2) == 0) {
            while (n > 0 && ret[--n] != '/')
                ;
        } else if (length > 0 && !(length == 1 && *at == '.')) {
            ret[n++] = '/';
            memcpy(ret + n, at, length);
            n += length;
        }
        ret[n] = '\0';
        at += length;
    }
    if (n == 0)
        memcpy(ret, "/", 2);
    return 0;
}

int oci_mount_add(const struct oci_config *c, struct oci_rootfs *f, const struct oci_sources *sources,
                  size_t index, const struct oci_cgroup *cgroup, struct err *e)
{
    char destination[PATH_LENGTH_MAX + 1];
    const struct oci_mount *listed = OCI_ITEM(&c->mounts, struct oci_mount, index);
    struct oci_mount cleaned = *listed;
    const struct oci_mount *m = &cleaned;
    _cleanup_oci_mount_options_ struct oci_mount_options o = {0};
    int r = clean_destination(listed->destination, destination, e);
    cleaned.destination = destination;
    if (r == 0)
        r = oci_mount_options_read(m, &o, e);
    if (r == 0 && o.remount)
        r = add_remount(f, m, &o, e);
    else if (r == 0 && o.bind)
        r = add_bind(f, sources, index, m, &o, e);
    else if (r == 0 && (is_type(m, "cgroup") || is_type(m, "cgroup2")))
        r = add_cgroup(c, f, m, &o, cgroup, e);
    else if (r == 0)
        r = add_new(f, m, &o, c->linux_part.mount_label, e);
    return r < 0 ? err_wrap(e, "mounts[%zu] (%s)", index, listed->destination) : 0;
}
