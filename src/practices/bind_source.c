/* SPDX-License-Identifier: Apache-2.0 */
/* Protected paths of the host (bind_source.h). The paths to judge are the caller's; the answer must not depend on how they are written. */
#include "practices/bind_source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/identity.h"
#include "base/io.h"
#include "base/path.h"
#include "practices/mount_table.h"
#include "practices/refuse.h"

#define PRACTICE 5
#define UNIX_SOCKETS "/proc/net/unix"
#define UNIX_SOCKETS_MAX (16U << 20)

enum protection {
    NEVER,   /* Casemate's own: no policy opens it */
    ALWAYS,  /* reading it is enough to do harm */
    WRITING, /* only a writable bind */
};

struct protected_path {
    const char *path;
    enum protection protection;
    const char *why;
};

static const struct protected_path protected_paths[] = {
    {"/", ALWAYS, "the whole host"},
    {"/etc", ALWAYS, "the host's configuration and accounts"},
    {"/proc", ALWAYS, "the host's processes and kernel settings"},
    {"/sys", ALWAYS, "the host's kernel and devices"},
    {"/dev", ALWAYS, "the host's devices"},
    {"/boot", ALWAYS, "the host's kernel"},
    {"/root/.ssh", ALWAYS, "root's keys"},
    {"/root/.gnupg", ALWAYS, "root's keys"},
    {"/usr", WRITING, "the host's programs"},
    {"/bin", WRITING, "the host's programs"},
    {"/sbin", WRITING, "the host's programs"},
    {"/lib", WRITING, "the host's libraries"},
    {"/lib32", WRITING, "the host's libraries"},
    {"/lib64", WRITING, "the host's libraries"},
    {"/libx32", WRITING, "the host's libraries"},
    {"/var/spool/cron", ALWAYS, "the host's scheduled commands"},
    {"/run/systemd", ALWAYS, "the host's service manager"},
    {"/run/dbus", ALWAYS, "the host's message bus"},
    {"/run/docker", ALWAYS, "another container engine"},
    {"/run/containerd", ALWAYS, "another container engine"},
    {"/run/podman", ALWAYS, "another container engine"},
    {"/run/crio", ALWAYS, "another container engine"},
    {"/run/buildkit", ALWAYS, "another container engine"},
    {"/run/libpod", ALWAYS, "another container engine"},
    {"/var/lib/docker", ALWAYS, "another container engine"},
    {"/var/lib/containerd", ALWAYS, "another container engine"},
    {"/var/lib/containers", ALWAYS, "another container engine"},
    {"/var/lib/kubelet", ALWAYS, "another container engine"},
};

/* Exactly this directory, not what lies in it: it holds too much that is not the caller's. */
static const struct protected_path protected_itself[] = {
    {"/root", ALWAYS, "root's home"},
    {"/run", ALWAYS, "sockets of the host's services"},
    {"/var", ALWAYS, "the state of the host's services"},
    {"/var/lib", ALWAYS, "the state of the host's services"},
};

/* Fine to read in a container although they lie in /etc. */
static const char *const readable[] = {"/etc/localtime", "/etc/timezone", "/etc/ssl/certs"};

/* Kernel interfaces, wherever they are mounted. */
static const char *const kernel_types[] = {
    "proc",    "sysfs",       "devtmpfs",   "devpts",   "cgroup",   "cgroup2", "debugfs",
    "tracefs", "securityfs",  "bpf",        "configfs", "efivarfs", "pstore",  "selinuxfs",
    "smackfs", "binfmt_misc", "rpc_pipefs", "nfsd",     "nsfs",     "fusectl",
};

/* Last components of sockets that command an engine, wherever it was told to put them. */
static const char *const engine_sockets[] = {"docker.sock",   "containerd.sock",  "podman.sock",
                                             "crio.sock",     "cri-dockerd.sock", "buildkitd.sock",
                                             "casemate.sock", "dockershim.sock"};

/* Where something is: as we see it, and in its file system, which is the same for every mount of it. */
struct place {
    char path[PATH_LENGTH_MAX + 1];
    char fs_path[2 * PATH_LENGTH_MAX + 2];
    dev_t dev;
    const struct mount_entry *mount;
    mode_t mode;
};

/* True when path is `top` or below it. */
static bool is_below(const char *path, const char *top)
{
    size_t n = strlen(top);
    if (str_equal(top, "/"))
        return true;
    return strncmp(path, top, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool place_below(const struct place *p, const struct place *top)
{
    return is_below(p->path, top->path) || (p->dev == top->dev && is_below(p->fs_path, top->fs_path));
}

static const char *what_follows(const char *path, const char *top)
{
    return str_equal(top, "/") ? path : path + strlen(top);
}

/* Joins without doubling the slash; -ENAMETOOLONG. */
static int join(char *ret, size_t size, const char *top, const char *rest, struct err *e)
{
    while (*rest == '/')
        rest++;
    int n = snprintf(ret, size, "%s%s%s", str_equal(top, "/") ? "" : top,
                     *rest || str_equal(top, "/") ? "/" : "", rest);
    return n < 0 || (size_t)n >= size ? err_set(e, ENAMETOOLONG, "path too long") : 0;
}

/* `below`: what does not exist yet under fd; "" when fd is the place itself. */
static int place_of(const struct mount_table *mounts, int fd, const char *below, struct place *ret,
                    struct err *e)
{
    char link[64];
    char seen[PATH_LENGTH_MAX + 1];
    struct statx st;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, seen, sizeof(seen) - 1);
    if (n < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_MNT_ID, &st) < 0)
        return err_errno(e, "look at the bind source");
    seen[n] = '\0';
    if (seen[0] != '/' || st.stx_nlink == 0)
        return err_set(e, ENOENT, "the bind source was removed");
    ret->mode = *below ? S_IFDIR : st.stx_mode;
    ret->mount = mount_table_find(mounts, st.stx_mnt_id);
    if (!ret->mount || !is_below(seen, ret->mount->point))
        return err_set(e, ENOENT, "the mount of the bind source is not visible");
    ret->dev = ret->mount->dev;
    int r = join(ret->path, sizeof(ret->path), seen, below, e);
    return r < 0 ? r
                 : join(ret->fs_path, sizeof(ret->fs_path), ret->mount->root,
                        what_follows(ret->path, ret->mount->point), e);
}

/* 1, or 0 when there is nothing: then only the path as text can be compared. */
static int place_of_path(const struct mount_table *mounts, const char *path, struct place *ret, struct err *e)
{
    _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || (errno == EACCES && identity_rootless())
                   ? 0 /* where an ordinary user cannot go, nothing can be bound from */
                   : err_errno(e, "open %s", path);
    int r = place_of(mounts, fd, "", ret, e);
    return r < 0 ? r : 1;
}

/* One question: may this place be bound? */
struct judging {
    const struct mount_table *mounts;
    const struct place *place;
    bool read_only;
    enum protection found; /* of what was found */
    char why[512];         /* "" when nothing protects it */
};

static void found(struct judging *j, enum protection protection, const char *relation, const char *path,
                  const char *why)
{
    if (j->why[0] && (j->found == NEVER || protection != NEVER))
        return;
    j->found = protection;
    (void)snprintf(j->why, sizeof(j->why), "it %s %.300s (%s)", relation, path, why);
}

static int is_readable_exception(const struct judging *j, struct err *e)
{
    for (size_t i = 0; i < ARRAY_SIZE(readable); i++) {
        struct place exception = {0};
        int r = place_of_path(j->mounts, readable[i], &exception, e);
        if (r < 0 || (r > 0 && place_below(j->place, &exception)))
            return r;
    }
    return 0;
}

static int judge_tree(struct judging *j, const struct protected_path *p, struct err *e)
{
    struct place top = {0};
    if (p->protection == WRITING && j->read_only)
        return 0;
    int r = place_of_path(j->mounts, p->path, &top, e);
    if (r == 0 &&
        is_below(j->place->path, p->path)) /* it would be made in the place of what is still to come */
        found(j, p->protection, "would be in", p->path, p->why);
    if (r <= 0)
        return r;
    bool root = str_equal(p->path, "/");
    if (!root && place_below(j->place, &top)) {
        r = j->read_only ? is_readable_exception(j, e) : 0;
        if (r == 0)
            found(j, p->protection, str_equal(j->place->path, top.path) ? "is" : "is in", p->path, p->why);
        return r < 0 ? r : 0;
    }
    if (place_below(&top, j->place))
        found(j, p->protection, root ? "is" : "contains", p->path, p->why);
    return 0;
}

static int judge_itself(struct judging *j, const struct protected_path *p, struct err *e)
{
    struct place top = {0};
    if (p->protection == WRITING && j->read_only)
        return 0;
    int r = place_of_path(j->mounts, p->path, &top, e);
    if (r > 0 && place_below(&top, j->place))
        found(j, p->protection, str_equal(j->place->path, top.path) ? "is" : "contains", p->path, p->why);
    return r < 0 ? r : 0;
}

static int judge_own_state(struct judging *j, struct err *e)
{
    const struct protected_path own[] = {
        {dirs_data_root(), NEVER, "Casemate's own state"},
        {dirs_run(), NEVER, "Casemate's own state"},
        {dirs_conf(), NEVER, "Casemate's policy"},
        {dirs_libexec(), WRITING, "Casemate's programs"},
    };
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(own) && r == 0; i++)
        r = judge_tree(j, &own[i], e);
    return r;
}

/* What an ordinary user's own containers must not get by accident. */
static int judge_home(struct judging *j, struct err *e)
{
    static const struct {
        const char *below;
        enum protection protection;
        const char *why;
    } kept[] = {{"/.ssh", ALWAYS, "your keys"},
                {"/.gnupg", ALWAYS, "your keys"},
                {"/.config/casemate", ALWAYS, "your policy"},
                {"/.docker", ALWAYS, "your credentials"}};
    const char *home = getenv("HOME");
    if (!identity_rootless() || !str_set(home))
        return 0;
    const struct protected_path whole = {home, ALWAYS, "your whole home"};
    int r = judge_itself(j, &whole, e);
    for (size_t i = 0; i < ARRAY_SIZE(kept) && r == 0; i++) {
        char path[PATH_LENGTH_MAX + 1];
        r = join(path, sizeof(path), home, kept[i].below, e);
        const struct protected_path p = {path, kept[i].protection, kept[i].why};
        if (r == 0)
            r = judge_tree(j, &p, e);
    }
    return r;
}

static bool is_kernel_type(const char *type)
{
    for (size_t i = 0; i < ARRAY_SIZE(kernel_types); i++)
        if (str_equal(type, kernel_types[i]))
            return true;
    return false;
}

/* A bind brings what is mounted below its source. Other mounts of protected directories are judged by what they show. */
static int judge_mounts_below(struct judging *j, struct err *e)
{
    if (is_kernel_type(j->place->mount->type))
        found(j, ALWAYS, "is in", j->place->mount->point, "an interface of the kernel");
    for (size_t i = 0; i < j->mounts->count; i++) {
        const struct mount_entry *m = &j->mounts->entries[i];
        struct place below = {.dev = m->dev, .mount = m, .mode = S_IFDIR};
        if (!is_below(m->point, j->place->path) || str_equal(m->point, j->place->path))
            continue;
        if (is_kernel_type(m->type))
            found(j, ALWAYS, "contains", m->point, "an interface of the kernel");
        int r = str_put(below.path, sizeof(below.path), m->point, e);
        if (r == 0)
            r = str_put(below.fs_path, sizeof(below.fs_path), m->root, e);
        struct judging inner = {.mounts = j->mounts, .place = &below, .read_only = j->read_only};
        for (size_t k = 0; k < ARRAY_SIZE(protected_paths) && r == 0; k++)
            r = judge_tree(&inner, &protected_paths[k], e);
        if (r == 0)
            r = judge_own_state(&inner, e);
        if (r < 0)
            return r;
        if (inner.why[0])
            found(j, inner.found, "contains", m->point, "a mount of what is protected");
    }
    return 0;
}

static bool is_engine_socket(const char *path)
{
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; slash && i < ARRAY_SIZE(engine_sockets); i++)
        if (str_equal(slash + 1, engine_sockets[i]))
            return true;
    return false;
}

/* A socket, or a directory in which an engine listens. Paths in /proc/net/unix are as the listener has bound them. */
static int judge_sockets(struct judging *j, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    if (S_ISSOCK(j->place->mode) || is_engine_socket(j->place->path)) {
        found(j, ALWAYS, "is", j->place->path, "a socket of the host's services");
        return 0;
    }
    int r = S_ISDIR(j->place->mode) ? io_read_path(UNIX_SOCKETS, UNIX_SOCKETS_MAX, &text, e) : 0;
    char *rest = text.data;
    char *line;
    while (r == 0 && rest && (line = strsep(&rest, "\n"))) {
        struct place socket = {0};
        const char *path = strchr(line, '/');
        if (!path || !is_engine_socket(path))
            continue;
        r = place_of_path(j->mounts, path, &socket, e);
        if (r > 0 && place_below(&socket, j->place))
            found(j, ALWAYS, "contains", path, "the socket of a container engine");
        r = r < 0 ? r : 0;
    }
    return r;
}

static int judge_place(struct judging *j, struct err *e)
{
    int r = judge_own_state(j, e);
    for (size_t i = 0; i < ARRAY_SIZE(protected_paths) && r == 0; i++)
        r = judge_tree(j, &protected_paths[i], e);
    for (size_t i = 0; i < ARRAY_SIZE(protected_itself) && r == 0; i++)
        r = judge_itself(j, &protected_itself[i], e);
    if (r == 0)
        r = judge_home(j, e);
    if (r == 0)
        r = judge_sockets(j, e);
    return r < 0 ? r : judge_mounts_below(j, e);
}

/* A right covers a path that it names, and everything below. */
static const struct policy_right *covering_right(const struct policy_rights *rights, const char *path)
{
    for (size_t i = 0; i < rights->count; i++) {
        const struct policy_right *right = &rights->items[i];
        if (right->kind != POLICY_ALLOW_HOST_PATH)
            continue;
        _cleanup_free_ char *real = realpath(right->value, NULL);
        if (is_below(path, right->value) || (real && is_below(path, real)))
            return right;
    }
    return NULL;
}

static int refuse(const struct judging *j, const char *source, struct err *e)
{
    char line[PATH_LENGTH_MAX + 32];
    const char *writing = j->found == WRITING ? " in a writable bind" : "";
    if (j->found == NEVER)
        return err_refuse(e, PRACTICE, "bind source %s is refused: %s, which no policy opens", source,
                          j->why);
    (void)snprintf(line, sizeof(line), "allow-host-path = %s", j->place->path);
    return refuse_by_policy(e, PRACTICE, line, "bind source %s is refused%s: %s%s", source, writing, j->why,
                            *writing ? ", :ro would do" : "");
}

/* What the two entry points share. rights NULL: read the policy when it is needed. */
static int judge(int fd, const char *source, const char *below, bool read_only,
                 const struct policy_rights *rights, const struct policy_right **ret_right, struct err *e)
{
    _cleanup_mount_table_ struct mount_table mounts = {0};
    struct place place = {0};
    *ret_right = NULL;
    int r = mount_table_read_self(&mounts, e);
    if (r == 0)
        r = place_of(&mounts, fd, below, &place, e);
    if (r < 0)
        return err_wrap(e, "bind source %s", source);
    if (S_ISBLK(place.mode) || S_ISCHR(place.mode))
        return err_refuse(e, PRACTICE,
                          "bind source %s is refused: it is a device node, which does not work in a bind",
                          source);
    struct judging j = {.mounts = &mounts, .place = &place, .read_only = read_only};
    r = judge_place(&j, e);
    if (r < 0)
        return err_wrap(e, "bind source %s", source);
    if (!j.why[0])
        return 0;
    *ret_right = j.found == NEVER ? NULL : covering_right(rights, place.path);
    return *ret_right ? 0 : refuse(&j, source, e);
}

/* Every right that some section gives: which image may have it was decided when the container was created. */
static int all_rights(struct policy_rights *ret, struct err *e)
{
    _cleanup_policy_ struct policy policy = {0};
    int r = policy_load(&policy, e);
    for (size_t g = 0; g <= policy.grant_count && r == 0; g++) {
        const struct policy_rights *from = g < policy.grant_count ? &policy.grants[g].rights : &policy.rights;
        for (size_t i = 0; i < from->count && r == 0; i++)
            r = policy_rights_add(ret, from->items[i].kind, from->items[i].value, from->items[i].source, e);
    }
    return r;
}

int bind_source_check(int fd, const char *source, bool read_only, struct err *e)
{
    const struct policy_rights none = {0};
    const struct policy_right *right = NULL;
    struct policy_rights rights = {0};
    int r = judge(fd, source, "", read_only, &none, &right, e);
    if (r != -EPERM || e->practice != PRACTICE)
        return r;
    struct err why = {0};
    r = all_rights(&rights, &why);
    if (r < 0)
        *e = why;
    else
        r = judge(fd, source, "", read_only, &rights, &right, e);
    policy_rights_clear(&rights);
    return r;
}

/* Opens the deepest part of the path that exists; *ret_below is the rest. */
static int open_deepest(const char *source, const char **ret_below, struct err *e)
{
    char path[PATH_LENGTH_MAX + 1];
    size_t cut = strlen(source);
    for (;;) {
        (void)snprintf(path, sizeof(path), "%.*s", (int)cut, source);
        int fd = open(path, O_PATH | O_CLOEXEC);
        if (fd >= 0) {
            *ret_below = source + cut;
            return fd;
        }
        if (errno != ENOENT || cut <= 1)
            return err_errno(e, "open %s", path);
        while (cut > 1 && source[cut - 1] == '/')
            cut--;
        while (cut > 1 && source[cut - 1] != '/')
            cut--;
    }
}

/* ".." behind what does not exist has no meaning yet. */
static bool goes_up(const char *path)
{
    for (const char *p = path; p && *p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
        if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == '\0'))
            return true;
    return false;
}

int bind_source_judge(const char *source, bool read_only, const struct policy_rights *rights,
                      const struct policy_right **ret_right, struct err *e)
{
    const char *below = "";
    int r = path_check_absolute(source, e);
    if (r < 0)
        return err_wrap(e, "bind source %s", source);
    _cleanup_close_ int fd = open_deepest(source, &below, e);
    if (fd < 0)
        return err_wrap(e, "bind source %s", source);
    if (goes_up(below))
        return err_set(e, ENOENT, "bind source %s does not exist", source);
    return judge(fd, source, below, read_only, rights, ret_right, e);
}
