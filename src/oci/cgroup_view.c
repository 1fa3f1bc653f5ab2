/* SPDX-License-Identifier: Apache-2.0 */
/* What a container sees of control groups at /sys/fs/cgroup (cgroup.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "oci/cgroup.h"
#include "runtime/fsmount.h"

#define QUIET (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* The whole file system is of the own cgroup namespace; without one the container gets its own group alone. */
static int make_view(const struct oci_cgroup *g, const struct oci_hierarchy *h, bool own_namespace,
                     struct err *e)
{
    const char *options[] = {h->controllers, NULL, NULL};
    if (!own_namespace) {
        _cleanup_close_ int dir = oci_hierarchy_open(g, h, e);
        return dir < 0 ? dir : fsmount_clone(dir, 0, e);
    }
    if (!*h->controllers)
        return fsmount_new("cgroup2", NULL, QUIET, e);
    if (str_after(h->controllers, "name=")) {
        options[0] = "none";
        options[1] = h->controllers;
        return fsmount_new("cgroup", options, QUIET, e);
    }
    /* "cpu,cpuacct" is two options of fsconfig(2). */
    char names[OCI_CONTROLLERS_MAX];
    const char *list[8] = {NULL};
    size_t count = 0;
    (void)snprintf(names, sizeof(names), "%s", h->controllers);
    for (char *rest = names, *name; count < ARRAY_SIZE(list) - 1 && (name = strsep(&rest, ","));)
        list[count++] = name;
    return fsmount_new("cgroup", list, QUIET, e);
}

/* `cpu` for a hierarchy "cpu,cpuacct": where programs look. */
static int add_links(int view, const char *controllers, struct err *e)
{
    char names[OCI_CONTROLLERS_MAX];
    if (!strchr(controllers, ','))
        return 0;
    (void)snprintf(names, sizeof(names), "%s", controllers);
    for (char *rest = names, *name; (name = strsep(&rest, ","));)
        if (symlinkat(controllers, view, name) < 0 && errno != EEXIST)
            return err_errno(e, "link to %s", controllers);
    return 0;
}

static int add_hierarchy(const struct oci_cgroup *g, int view, const struct oci_hierarchy *h,
                         bool own_namespace, uint64_t attr, struct err *e)
{
    const char *named = str_after(h->controllers, "name=");
    const char *name = named ? named : *h->controllers ? h->controllers : "unified";
    if (h->dir < 0)
        return 0;
    _cleanup_close_ int tree = make_view(g, h, own_namespace, e);
    if (tree < 0)
        return tree;
    if (mkdirat(view, name, 0555) < 0)
        return err_errno(e, "make %s", name);
    _cleanup_close_ int target = path_open_beneath(view, name, O_PATH | O_DIRECTORY, 0, e);
    int r = target < 0 ? target : fsmount_set(tree, attr | QUIET, false, -1, e);
    if (r == 0)
        r = fsmount_attach(tree, target, e);
    return r == 0 ? add_links(view, h->controllers, e) : r;
}

int oci_cgroup_show(const struct oci_cgroup *g, bool own_namespace, int target, uint64_t attr, struct err *e)
{
    static const char *const options[] = {"mode=755", "size=64k", NULL};
    if (g->v2) {
        if (oci_cgroup_unified(g) < 0)
            return err_set(e, ENOENT, "this container has no control group to show");
        _cleanup_close_ int tree = make_view(g, &g->all[0], own_namespace, e);
        int r = tree < 0 ? tree : fsmount_set(tree, attr, false, -1, e);
        return r == 0 ? fsmount_attach(tree, target, e) : r;
    }
    _cleanup_close_ int view = fsmount_new("tmpfs", options, attr & ~(uint64_t)MOUNT_ATTR_RDONLY, e);
    int r = view < 0 ? view : fsmount_attach(view, target, e);
    for (size_t i = 0; i < g->count && r == 0; i++)
        r = add_hierarchy(g, view, &g->all[i], own_namespace, attr, e);
    return r == 0 ? fsmount_set(view, attr, false, -1, e) : r;
}
