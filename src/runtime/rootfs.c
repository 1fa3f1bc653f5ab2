/* SPDX-License-Identifier: Apache-2.0 */
/* The container's view of files (rootfs.h). Runs as the container's root, in its namespaces, on trees that may be hostile. */
#include "runtime/rootfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "runtime/fill.h"
#include "runtime/fsmount.h"
#include "runtime/masks.h"
#include "runtime/textfiles.h"

#define QUIET (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

void rootfs_close(struct rootfs *f)
{
    close_fd(&f->root);
    close_fd(&f->proc);
    close_fd(&f->sys);
    close_fd(&f->dev);
    close_fd(&f->pts);
    close_fd(&f->image);
}

/* Makes the attached-nowhere root the root of this mount namespace and drops the old one. */
static int pivot(int root_fd, struct err *e)
{
    static const char *const places[] = {"/tmp", "/mnt", "/usr", "/etc"};
    int r = -1;
    for (size_t i = 0; i < ARRAY_SIZE(places) && r < 0; i++)
        r = move_mount(root_fd, "", AT_FDCWD, places[i], MOVE_MOUNT_F_EMPTY_PATH);
    if (r < 0)
        return err_errno(e, "attach the root");
    if (fchdir(root_fd) < 0)
        return err_errno(e, "enter the root");
    if (sys_pivot_root(".", ".") < 0)
        return err_errno(e, "pivot_root");
    if (umount2(".", MNT_DETACH) < 0)
        return err_errno(e, "detach the host's root");
    return chdir("/") < 0 ? err_errno(e, "enter the root") : 0;
}

/* A directory right below the root that the engine mounts on. A link in its place is refused (CVE-2023-27561, CVE-2026-41579). */
static int system_dir(int root_fd, const char *name, struct err *e)
{
    if (mkdirat(root_fd, name, 0755) < 0 && errno != EEXIST)
        return err_errno(e, "make /%s", name);
    int fd = path_open_beneath(root_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, e);
    if (fd < 0)
        return err_set(e, ENOTDIR, "the image's /%s is not a directory (a link or a file there is refused)",
                       name);
    return fd;
}

static int attach_system(int root_fd, const char *name, int mount_fd, struct err *e)
{
    _cleanup_close_ int target = system_dir(root_fd, name, e);
    int r = target < 0 ? target : fsmount_attach(mount_fd, target, e);
    return r < 0 ? err_wrap(e, "mount /%s", name) : 0;
}

/* Makes a file system and attaches it on `name` below base, which only we have written. Returns its descriptor. */
static int add_inside(int base, const char *name, const char *type, const char *const *options, uint64_t attr,
                      struct err *e)
{
    _cleanup_close_ int target = path_open_beneath(base, name, O_PATH | O_DIRECTORY, 0, e);
    if (target < 0)
        return target;
    _cleanup_close_ int fd = fsmount_new(type, options, attr, e);
    int r = fd < 0 ? fd : fsmount_attach(fd, target, e);
    return r < 0 ? r : steal_fd(&fd);
}

/* The unified tree, or one tmpfs with a directory per controller that runtimes read their limits from. Read-only. */
static int add_cgroup_view(int sys_fd, enum cgroup_mode mode, struct err *e)
{
    static const char *const shown[] = {"memory", "cpu", "cpuacct", "cpuset", "pids"};
    static const char *const options[] = {"mode=755", "size=4k", NULL};
    if (mode == CGROUP_NONE) { /* its processes are in the caller's group, which is not its to see */
        int fd = add_inside(sys_fd, "fs/cgroup", "tmpfs", options, QUIET | MOUNT_ATTR_RDONLY, e);
        if (fd >= 0)
            close(fd);
        return fd < 0 ? fd : 0;
    }
    if (mode == CGROUP_V2) {
        int fd = add_inside(sys_fd, "fs/cgroup", "cgroup2", NULL, QUIET | MOUNT_ATTR_RDONLY, e);
        if (fd >= 0)
            close(fd);
        return fd < 0 ? fd : 0;
    }
    _cleanup_close_ int view = add_inside(sys_fd, "fs/cgroup", "tmpfs", options, QUIET, e);
    if (view < 0)
        return view;
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        const char *controller[] = {shown[i], NULL};
        struct err absent = {0};
        _cleanup_close_ int fd = fsmount_new("cgroup", controller, QUIET | MOUNT_ATTR_RDONLY, &absent);
        if (fd < 0)
            continue; /* co-mounted or missing on this host */
        if (mkdirat(view, shown[i], 0555) < 0)
            return err_errno(e, "make cgroup view");
        _cleanup_close_ int target = path_open_beneath(view, shown[i], O_PATH | O_DIRECTORY, 0, e);
        int r = target < 0 ? target : fsmount_attach(fd, target, e);
        if (r < 0)
            return r;
    }
    return fsmount_set(view, QUIET | MOUNT_ATTR_RDONLY, false, -1, e);
}

/* Before /dev/shm has its own file system. */
static int add_texts(const struct rootfs *f, const struct spec *s, struct err *e)
{
    _cleanup_close_ int place = path_open_beneath(f->dev, "shm", O_PATH | O_DIRECTORY, 0, e);
    return place < 0 ? place : textfiles_attach(s, f->root, place, e);
}

static int attach_shm(int dev, int tree, struct err *e)
{
    _cleanup_close_ int target = path_open_beneath(dev, "shm", O_PATH | O_DIRECTORY, 0, e);
    return target < 0 ? target : fsmount_attach(tree, target, e);
}

static int fill_dev(struct rootfs *f, uint64_t shm_size, int shared_shm, struct err *e)
{
    static const char *const pts_options[] = {"newinstance", "ptmxmode=0666", "mode=0620", "gid=5", NULL};
    char size[40];
    (void)snprintf(size, sizeof(size), "size=%llu", (unsigned long long)shm_size);
    const char *const shm_options[] = {"mode=1777", size, NULL};
    f->pts = add_inside(f->dev, "pts", "devpts", pts_options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, e);
    if (f->pts < 0)
        return err_wrap(e, "mount /dev/pts");
    bool own_shm = shm_size > 0 && shared_shm < 0;
    _cleanup_close_ int shm = own_shm ? add_inside(f->dev, "shm", "tmpfs", shm_options, QUIET, e) : -1;
    int r = own_shm ? (shm < 0 ? shm : 0) : shared_shm >= 0 ? attach_shm(f->dev, shared_shm, e) : 0;
    if (r < 0)
        return err_wrap(e, "mount /dev/shm");
    _cleanup_close_ int mqueue = add_inside(f->dev, "mqueue", "mqueue", NULL, QUIET, e);
    return mqueue < 0 ? err_wrap(e, "mount /dev/mqueue") : 0;
}

/* The kernel gives a container no fresh /proc where the one that is there is partly covered: it would show what is covered. */
static int fresh_proc(struct err *e)
{
    int fd = fsmount_new("proc", NULL, QUIET, e);
    if (fd != -EPERM)
        return fd;
    return err_set(
        e, EPERM,
        "a container cannot have its own /proc here, because parts of this machine's are covered (inside "
        "another "
        "container?): that one needs an uncovered /proc (docker run --security-opt systempaths=unconfined)");
}

int rootfs_enter(const struct spec *s, const struct rootfs_parts *parts, struct rootfs *ret, struct err *e)
{
    struct rootfs f = ROOTFS_INIT;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return err_errno(e, "make mounts private");
    f.root = overlay_mount(&parts->trees, e);
    if (f.root < 0)
        return f.root;
    /* While the host's root is attached: afterwards the kernel refuses fresh proc and sysfs ("mount too revealing"). */
    f.proc = fresh_proc(e);
    f.sys = f.proc < 0        ? -1
            : parts->sys >= 0 ? parts->sys
                              : fsmount_new("sysfs", NULL, QUIET | MOUNT_ATTR_RDONLY, e);
    f.dev = parts->dev;
    int r = f.proc < 0 ? f.proc : f.sys < 0 ? f.sys : 0;
    if (r == 0)
        r = pivot(f.root, e);
    if (r == 0)
        r = attach_system(f.root, "proc", f.proc, e);
    if (r == 0)
        r = attach_system(f.root, "sys", f.sys, e);
    if (r == 0)
        r = attach_system(f.root, "dev", f.dev, e);
    if (r == 0)
        r = devices_attach(f.dev, parts->nodes, e);
    if (r == 0)
        r = add_texts(&f, s, e);
    if (r == 0)
        r = fill_dev(&f, s->shm_size, parts->shm, e);
    if (r == 0)
        r = add_cgroup_view(f.sys, parts->cgroup_mode, e);
    if (r < 0)
        return r;
    *ret = f;
    return 0;
}

/* Mount points below /proc and /sys would undo the masks; the descriptor says where a target really is. */
static int check_target(int target, const char *path, struct err *e)
{
    struct statfs fs;
    if (fstatfs(target, &fs) < 0)
        return err_errno(e, "mount target %s", path);
    if (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC || fs.f_type == CGROUP_SUPER_MAGIC ||
        fs.f_type == CGROUP2_SUPER_MAGIC)
        return err_refuse(e, 5, "mount target %s lies in /proc or /sys; choose another target", path);
    return 0;
}

static int make_tmpfs(const struct spec_mount *m, struct err *e)
{
    char size[40], mode[24], uid[24], gid[24];
    (void)snprintf(size, sizeof(size), "size=%llu", (unsigned long long)m->size);
    (void)snprintf(mode, sizeof(mode), "mode=%o", m->mode);
    (void)snprintf(uid, sizeof(uid), "uid=%u", m->uid);
    (void)snprintf(gid, sizeof(gid), "gid=%u", m->gid);
    const char *const options[] = {size, mode, uid, gid, NULL};
    return fsmount_new("tmpfs", options, m->attr | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, e);
}

/* 1 or 0. The position in the directory is left at its beginning. */
static int has_entries(int dir, struct err *e)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = copy < 0 ? NULL : fdopendir(copy);
    if (!d) {
        close_fd(&copy);
        return err_errno(e, "read the image's directory");
    }
    int count = 0;
    while (count < 3 && readdir(d))
        count++;
    return count > 2;
}

/* A new volume starts with the content, owner and mode of the directory it covers, so that a program that owns it in the image can write. */
static int fill_volume(const struct rootfs *f, const struct spec_mount *m, int tree, struct err *e)
{
    struct stat st = {.st_mode = 0755};
    struct err missing = {0};
    _cleanup_close_ int to = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (to < 0)
        return err_errno(e, "open the volume");
    _cleanup_close_ int from = path_open_in_root(f->image, m->target, O_RDONLY | O_DIRECTORY, 0, &missing);
    if (from < 0 && from != -ENOENT && from != -ENOTDIR)
        return err_set(e, missing.code, "%s", missing.text);
    int full = from < 0 ? 0 : has_entries(from, e);
    if (full < 0 || (!full && !m->take_owner))
        return full;
    if (from >= 0 && fstat(from, &st) < 0)
        return err_errno(e, "stat");
    if (fchown(to, st.st_uid, st.st_gid) < 0 || fchmod(to, st.st_mode & 01777) < 0)
        return err_errno(e, "set the owner of a volume");
    const struct fill_request request = {.from = from, .to = to, .proc = f->proc, .sync = m->fill_sync};
    return full ? fill_tree(&request, e) : 0;
}

int rootfs_keep_image(struct rootfs *f, struct err *e)
{
    f->image = fsmount_clone(f->root, 0, e);
    return f->image < 0 ? f->image : 0;
}

int rootfs_add_mount(const struct rootfs *f, const struct spec_mount *m, int tree, struct err *e)
{
    bool dir = m->kind == SPEC_MOUNT_TMPFS || m->is_dir;
    _cleanup_close_ int target =
        dir ? path_make_dirs_in_root(f->root, m->target, 0755, (uid_t)-1, (gid_t)-1, e)
            : path_make_file_in_root(f->root, m->target, (uid_t)-1, (gid_t)-1, e);
    if (target < 0)
        return err_wrap(e, "mount target %s", m->target);
    int r = check_target(target, m->target, e);
    if (r < 0)
        return r;
    if (m->kind == SPEC_MOUNT_TMPFS) {
        _cleanup_close_ int tmpfs = make_tmpfs(m, e);
        r = tmpfs < 0 ? tmpfs : fsmount_attach(tmpfs, target, e);
    } else {
        r = m->filled >= 0 ? fill_volume(f, m, tree, e) : 0;
        if (r < 0)
            return err_wrap(e, "fill the volume of %s from the image (without: --volume NAME:%s:nocopy)",
                            m->target, m->target);
        r = fsmount_attach(tree, target, e);
        if (r == 0 && m->filled >= 0 && m->attr & MOUNT_ATTR_RDONLY)
            r = fsmount_set(tree, MOUNT_ATTR_RDONLY, false, -1, e);
    }
    return r < 0 ? err_wrap(e, "mount on %s", m->target) : 0;
}

/* NAME has dots; the file has slashes. A name from the plan was checked to be a namespaced one. */
static int set_sysctl(int proc_fd, const char *entry, struct err *e)
{
    char name[256];
    const char *equals = strchrnul(entry, '=');
    int n = snprintf(name, sizeof(name), "sys/%.*s", (int)(equals - entry), entry);
    if (n < 0 || (size_t)n >= sizeof(name) || !*equals)
        return err_set(e, EINVAL, "sysctl '%s'", entry);
    for (char *p = name + 4; *p; p++)
        if (*p == '.')
            *p = '/';
    _cleanup_close_ int fd = path_open_beneath(proc_fd, name, O_WRONLY, 0, e);
    if (fd < 0)
        return err_wrap(e, "sysctl %s", entry);
    int r = io_write_all(fd, equals + 1, strlen(equals + 1), e);
    return r < 0 ? err_wrap(e, "sysctl %s", entry) : 0;
}

int rootfs_finish(const struct rootfs *f, const struct spec *s, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < s->sysctls.count && r == 0; i++)
        r = set_sysctl(f->proc, s->sysctls.items[i], e);
    if (r == 0)
        r = masks_apply(f->proc, f->sys, f->dev, e);
    if (r == 0 && str_set(s->process.cwd)) {
        _cleanup_close_ int cwd =
            path_make_dirs_in_root(f->root, s->process.cwd, 0755, (uid_t)-1, (gid_t)-1, e);
        r = cwd < 0 ? err_wrap(e, "working directory") : 0;
    }
    if (r == 0 && s->root_read_only)
        r = fsmount_set(f->root, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, false, -1, e);
    return r;
}
