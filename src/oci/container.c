/* SPDX-License-Identifier: Apache-2.0 */
/* Directories and states of containers (container.h). */
#include "oci/container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/json.h"
#include "base/path.h"
#include "base/proc.h"
#include "oci/rootless.h"

#define STATE_MAX (1U << 20)
#define STAT_MAX 4096
#define GROUPS_MAX 64

void oci_container_close(struct oci_container *c)
{
    close_fd(&c->root);
    close_fd(&c->dir);
    free(c->id);
    free(c->bundle);
    free(c->rootfs);
    free(c->created);
    free(c->scope);
    str_list_clear(&c->cgroup);
    oci_config_clear(&c->config);
    *c = (struct oci_container)OCI_CONTAINER_INIT;
}

/* /run is root's. */
static int default_root(char **ret, struct err *e)
{
    const char *own = oci_is_rootless() ? getenv("XDG_RUNTIME_DIR") : NULL;
    return str_set(own) ? str_format(ret, e, "%s/casemate-runtime", own) : str_copy(OCI_ROOT, ret, e);
}

int oci_root_open(const char *path, struct err *e)
{
    _cleanup_free_ char *chosen = NULL;
    int result = path ? 0 : default_root(&chosen, e);
    if (result < 0)
        return result;
    const char *root = path ? path : chosen;
    _cleanup_close_ int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_free_ char *absolute = *root == '/' ? NULL : realpath(".", NULL);
    _cleanup_free_ char *full = NULL;
    int r = *root == '/' ? str_copy(root, &full, e)
                         : str_format(&full, e, "%s/%s", absolute ? absolute : "", root);
    _cleanup_close_ int dir =
        r < 0 || at < 0 ? -1 : path_make_dirs_in_root(at, full, 0700, (uid_t)-1, (gid_t)-1, e);
    if (r < 0 || dir < 0)
        return err_wrap(e, "--root %s", root);
    return path_reopen(dir, O_RDONLY | O_DIRECTORY, e);
}

int oci_id_check(const char *id, struct err *e)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.";
    if (!*id)
        return err_set(e, EINVAL, "container id cannot be empty");
    if (strlen(id) > OCI_ID_MAX || id[strspn(id, allowed)] || !path_is_component(id))
        return err_set(e, EINVAL,
                       "invalid container id \"%.64s\": letters, digits, _ + - . and at most %d of them", id,
                       OCI_ID_MAX);
    return 0;
}

static int lock(int dir, struct err *e)
{
    while (flock(dir, LOCK_EX) < 0)
        if (errno != EINTR)
            return err_errno(e, "lock the container");
    return 0;
}

/* Directories of others that are in the way of ours are never followed: dir was opened without following links. */
static int open_dir(int root, const char *id, bool wanted_lock, struct err *e)
{
    struct stat st, named;
    for (;;) {
        _cleanup_close_ int dir = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir < 0 && errno == ENOENT)
            return err_set(e, ENOENT, "container \"%s\" does not exist", id);
        if (dir < 0)
            return err_errno(e, "container \"%s\"", id);
        int r = wanted_lock ? lock(dir, e) : 0;
        if (r < 0)
            return r;
        /* Removed while we waited for it, and perhaps there again: then that one. */
        if (fstat(dir, &st) == 0 && fstatat(root, id, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_ino == named.st_ino)
            return steal_fd(&dir);
    }
}

int oci_container_make(int root, const char *id, const char *bundle, const char *text, size_t length,
                       struct oci_container *ret, struct err *e)
{
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    char now[CLOCK_TEXT_LENGTH + 1];
    int r = oci_id_check(id, e);
    if (r == 0)
        r = oci_config_read(text, length, &c.config, e);
    if (r < 0)
        return r;
    if (mkdirat(root, id, 0700) < 0)
        return errno == EEXIST ? err_set(e, EEXIST, "container with id exists: %s", id)
                               : err_errno(e, "make container \"%s\"", id);
    c.root = fcntl(root, F_DUPFD_CLOEXEC, 0);
    c.dir = open_dir(root, id, true, e);
    c.owner = getuid();
    clock_format(clock_now(), now);
    r = c.dir < 0 ? c.dir : str_copy(id, &c.id, e);
    if (r == 0)
        r = str_copy(bundle, &c.bundle, e);
    if (r == 0)
        r = str_copy(now, &c.created, e);
    if (r == 0)
        r = *c.config.root.path == '/' ? str_copy(c.config.root.path, &c.rootfs, e)
                                       : str_format(&c.rootfs, e, "%s/%s", bundle, c.config.root.path);
    if (r == 0)
        r = io_replace_file_at(c.dir, "config.json", text, length, 0600, false, e);
    if (r == 0)
        r = oci_container_save(&c, e);
    if (r < 0) {
        struct err ignored = {0};
        (void)path_remove_tree_at(root, id, &ignored);
        return r;
    }
    *ret = c;
    c = (struct oci_container)OCI_CONTAINER_INIT;
    return 0;
}

int oci_container_rewrite(struct oci_container *c, struct err *e)
{
    struct oci_config now = {0};
    const char *text = json_object_to_json_string_ext(c->config.document, JSON_C_TO_STRING_NOSLASHESCAPE);
    if (!text)
        return err_oom(e);
    int r = oci_config_read(text, strlen(text), &now, e);
    if (r == 0)
        r = io_replace_file_at(c->dir, "config.json", text, strlen(text), 0600, false, e);
    if (r < 0) {
        oci_config_clear(&now);
        return r;
    }
    oci_config_clear(&c->config);
    c->config = now;
    return 0;
}

int oci_container_save(const struct oci_container *c, struct err *e)
{
    _cleanup_json_ struct json_object *o = json_object_new_object();
    if (!o)
        return err_oom(e);
    int r = json_add_string(o, "bundle", c->bundle, e);
    if (r == 0)
        r = json_add_string(o, "rootfs", c->rootfs, e);
    if (r == 0)
        r = json_add_string(o, "created", c->created, e);
    if (r == 0)
        r = json_add_u64(o, "owner", c->owner, e);
    if (r == 0)
        r = json_add_u64(o, "pid", (uint64_t)c->pid, e);
    if (r == 0)
        r = json_add_u64(o, "pidStart", c->pid_start, e);
    if (r == 0)
        r = json_add_strings(o, "cgroup", &c->cgroup, e);
    if (r == 0 && c->scope)
        r = json_add_string(o, "scope", c->scope, e);
    if (r < 0)
        return r;
    const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE);
    return io_replace_file_at(c->dir, "state.json", text, strlen(text), 0600, false, e);
}

static int load_state(struct oci_container *c, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_json_ struct json_object *o = NULL;
    const char *bundle = NULL, *rootfs = NULL, *created = NULL, *scope = NULL;
    uint64_t pid = 0;
    int r = io_read_file_at(c->dir, "state.json", STATE_MAX, &text, e);
    if (r == 0)
        r = json_parse(text.data ? text.data : "", text.length, &o, e);
    if (r == 0 &&
        (json_get_string(o, "bundle", &bundle, e) != 1 || json_get_string(o, "rootfs", &rootfs, e) != 1 ||
         json_get_string(o, "created", &created, e) != 1 || json_get_u64(o, "owner", &c->owner, e) != 1 ||
         json_get_u64(o, "pid", &pid, e) != 1 || json_get_u64(o, "pidStart", &c->pid_start, e) != 1 ||
         pid > INT32_MAX || json_get_strings(o, "cgroup", GROUPS_MAX, &c->cgroup, e) < 0 ||
         json_get_string(o, "scope", &scope, e) < 0))
        r = e->code ? -e->code : err_set(e, EINVAL, "state.json is not what it was written as");
    c->pid = (pid_t)pid;
    if (r == 0)
        r = str_copy(bundle, &c->bundle, e);
    if (r == 0)
        r = str_copy(rootfs, &c->rootfs, e);
    if (r == 0)
        r = str_copy(scope, &c->scope, e);
    return r == 0 ? str_copy(created, &c->created, e) : r;
}

int oci_container_open(int root, const char *id, bool wanted_lock, struct oci_container *ret, struct err *e)
{
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    _cleanup_buf_ struct buf text = {0};
    int r = oci_id_check(id, e);
    if (r < 0)
        return r;
    c.root = fcntl(root, F_DUPFD_CLOEXEC, 0);
    c.dir = open_dir(root, id, wanted_lock, e);
    r = c.dir < 0 ? c.dir : str_copy(id, &c.id, e);
    if (r < 0)
        return r;
    r = load_state(&c, e);
    if (r == 0)
        r = io_read_file_at(c.dir, "config.json", OCI_CONFIG_MAX, &text, e);
    if (r == 0)
        r = oci_config_read(text.data ? text.data : "", text.length, &c.config, e);
    if (r == -ENOENT) /* its maker was killed before it had begun */
        r = err_set(e, ENOENT,
                    "container \"%s\" does not exist (its creation was interrupted; delete --force removes "
                    "what is left)",
                    id);
    if (r < 0)
        return r;
    *ret = c;
    c = (struct oci_container)OCI_CONTAINER_INIT;
    return 0;
}

/* False for a process that has ended and was not waited for. */
static bool is_alive(pid_t pid, uint64_t start)
{
    char path[32];
    uint64_t now;
    _cleanup_buf_ struct buf text = {0};
    struct err ignored = {0};
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (pid <= 0 || proc_start_time(pid, &now, &ignored) < 0 || now != start ||
        io_read_path(path, STAT_MAX, &text, &ignored) < 0)
        return false;
    const char *name_end = text.data ? strrchr(text.data, ')') : NULL;
    return name_end && name_end[1] == ' ' && name_end[2] != 'Z' && name_end[2] != 'X';
}

enum oci_status oci_container_status(const struct oci_container *c)
{
    _cleanup_oci_cgroup_ struct oci_cgroup g = {0};
    struct err ignored = {0};
    if (c->pid == 0)
        return OCI_CREATING;
    if (!is_alive(c->pid, c->pid_start))
        return OCI_STOPPED;
    if (faccessat(c->dir, OCI_START_SOCKET, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return OCI_CREATED;
    if (oci_cgroup_open(&c->cgroup, &g, &ignored) == 0 && oci_cgroup_is_frozen(&g))
        return OCI_PAUSED;
    return OCI_RUNNING;
}

const char *oci_status_name(enum oci_status s)
{
    static const char *const names[] = {[OCI_CREATING] = "creating",
                                        [OCI_CREATED] = "created",
                                        [OCI_RUNNING] = "running",
                                        [OCI_PAUSED] = "paused",
                                        [OCI_STOPPED] = "stopped"};
    return names[s];
}

static int add_annotations(struct json_object *o, const struct oci_config *config, struct err *e)
{
    struct json_object *annotations = json_object_new_object();
    int r = annotations ? 0 : err_oom(e);
    for (size_t i = 0; i < config->annotations.count && r == 0; i++) {
        const struct oci_pair *p = OCI_ITEM(&config->annotations, struct oci_pair, i);
        r = json_add_string(annotations, p->key, p->value, e);
    }
    return json_add_object(o, "annotations", annotations, e) < 0 ? -ENOMEM : r;
}

int oci_container_state(const struct oci_container *c, enum oci_status status, bool with_more,
                        char **ret_text, struct err *e)
{
    _cleanup_json_ struct json_object *o = json_object_new_object();
    int r = o ? json_add_string(o, "ociVersion", c->config.version, e) : err_oom(e);
    if (r == 0)
        r = json_add_string(o, "id", c->id, e);
    if (r == 0)
        r = json_add_u64(o, "pid", status == OCI_STOPPED ? 0 : (uint64_t)c->pid, e);
    if (r == 0)
        r = json_add_string(o, "status", oci_status_name(status), e);
    if (r == 0)
        r = json_add_string(o, "bundle", c->bundle, e);
    if (r == 0 && with_more)
        r = json_add_string(o, "rootfs", c->rootfs, e);
    if (r == 0 && with_more)
        r = json_add_string(o, "created", c->created, e);
    if (r == 0 && (c->config.annotations.count > 0 || !with_more))
        r = add_annotations(o, &c->config, e);
    if (r == 0 && with_more)
        r = json_add_string(o, "owner", "", e);
    if (r < 0)
        return r;
    int flags =
        JSON_C_TO_STRING_NOSLASHESCAPE | (with_more ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : 0);
    return str_copy(json_object_to_json_string_ext(o, flags), ret_text, e);
}

int oci_container_process(const struct oci_container *c, struct err *e)
{
    struct err ignored = {0};
    int fd = is_alive(c->pid, c->pid_start) ? proc_open(c->pid, c->pid_start, &ignored) : -1;
    return fd < 0 ? err_set(e, ESRCH, "container not running") : fd;
}

int oci_container_remove(struct oci_container *c, struct err *e)
{
    return path_remove_tree_at(c->root, c->id, e);
}
