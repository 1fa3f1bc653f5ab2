/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions with casemate-files (files.h). Trusted; what comes back are numbers and short texts. */
#include "engine/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/first_process.h"
#include "engine/lock.h"
#include "image/image.h"
#include "image/layers.h"
#include "plan/policy.h"

static const struct worker_profile base_profile = {
    .program = "casemate-files",
    .memory_max = 2ULL << 30,
    .cpu_seconds = 36000,
    .files_max = 1400,
};

void files_close(struct files *f)
{
    worker_stop(&f->worker);
    if (f->container)
        hold_close(f->store, f->container, &f->hold);
    close_fd(&f->lock);
}

static int expect_done(struct files *f, struct err *e)
{
    static struct ipc_message m;
    int r = worker_receive(&f->worker, &m, NULL, NULL, e);
    if (r == 0)
        r = ipc_expect(&m, MESSAGE_DONE, 0, 0, e);
    ipc_message_clear(&m);
    return r;
}

static int begin(struct files *f, const struct worker_profile *profile,
                 const struct message_files_session *session, const int *fds, size_t fd_count, struct err *e)
{
    int r = worker_start(profile, &f->worker, e);
    if (r == 0)
        r = ipc_send(f->worker.socket, MESSAGE_FILES_SESSION, session, sizeof(*session), fds, fd_count, e);
    return r < 0 ? r : expect_done(f, e);
}

int files_check_policy(bool out, struct err *e)
{
    _cleanup_policy_ struct policy policy = {0};
    int r = policy_load(&policy, e);
    if (r < 0 || (out ? policy.copy_out : policy.copy_in))
        return r;
    return err_refuse(
        e, 13,
        "the policy lets no files %s containers; %s = yes in [practice \"files\"] of casemate.conf allows it",
        out ? "out of" : "into", out ? "copy-out" : "copy-in");
}

static int open_namespace(int pidfd, const char *kind, struct err *e)
{
    char path[64];
    pid_t pid;
    int r = proc_of_pidfd(pidfd, &pid, e);
    if (r < 0)
        return r;
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? err_set(e, ESRCH, "no process has this number")
                               : err_errno(e, "open %s", path);
    r = proc_of_pidfd(pidfd, &pid, e); /* still the same process: its number was not another's meanwhile */
    return r < 0 ? r : steal_fd(&fd);
}

static int begin_in(struct files *f, int user, int mount, enum message_files_root root, bool writable,
                    struct err *e)
{
    struct stat host;
    struct worker_profile profile = base_profile;
    if (stat("/", &host) < 0)
        return err_errno(e, "stat /");
    const struct message_files_session session = {
        .root = root, .writable = writable, .host_device = host.st_dev, .host_inode = host.st_ino};
    profile.user_namespace = &user;
    return begin(f, &profile, &session, &mount, 1, e);
}

static int begin_running(struct files *f, const struct container *c, enum message_files_root root,
                         bool writable, struct err *e)
{
    _cleanup_close_ int pidfd = first_process_open(c, e);
    _cleanup_close_ int user = pidfd < 0 ? pidfd : open_namespace(pidfd, "user", e);
    _cleanup_close_ int mount = user < 0 ? user : open_namespace(pidfd, "mnt", e);
    if (mount == -ESRCH) /* it has ended just now */
        return err_set(e, ESRCH, "Container %.12s is not running", c->id);
    return mount < 0 ? mount : begin_in(f, user, mount, root, writable, e);
}

int files_open_container(const struct store *s, struct container *c, enum message_files_root root,
                         bool writable, struct files *ret, struct err *e)
{
    _cleanup_files_ struct files f = FILES_INIT;
    int r = container_refresh(c, e);
    if (r == 0 && c->status != CONTAINER_RUNNING) { /* or about to: who starts it holds the lock */
        f.lock = lock_container(s, c, e);
        r = f.lock < 0 ? f.lock : container_refresh(c, e);
    }
    if (r < 0)
        return r;
    if (c->status == CONTAINER_RUNNING) {
        close_fd(&f.lock);
        r = begin_running(&f, c, root, writable, e);
    } else {
        f.store = s;
        f.container = c;
        r = hold_open(s, c, &f.hold, e);
        if (r == 0)
            r = begin_in(&f, f.hold.user_namespace, f.hold.mount_namespace, root, writable, e);
    }
    if (r < 0)
        return r;
    *ret = f;
    f = (struct files)FILES_INIT;
    return 0;
}

int files_open_directory(int dir, int readable, bool writable, struct files *ret, struct err *e)
{
    _cleanup_files_ struct files f = FILES_INIT;
    struct worker_profile profile = base_profile;
    const struct message_files_session session = {.root = FILES_ROOT_DIRECTORY, .writable = writable};
    const int fds[2] = {dir, readable};
    profile.keep_ids = true;
    int r = begin(&f, &profile, &session, fds, readable >= 0 ? 2 : 1, e);
    if (r < 0)
        return r;
    *ret = f;
    f = (struct files)FILES_INIT;
    return 0;
}

int files_open_store(int dir, const int *lower, size_t lower_count, struct files *ret, struct err *e)
{
    _cleanup_files_ struct files f = FILES_INIT;
    struct worker_profile profile = base_profile;
    const struct message_files_session session = {.root = FILES_ROOT_STORE};
    profile.neutral_userns = true;
    int r = worker_start(&profile, &f.worker, e);
    for (size_t i = 0; i < lower_count && r == 0; i += IPC_FDS_MAX) {
        size_t n = lower_count - i < IPC_FDS_MAX ? lower_count - i : IPC_FDS_MAX;
        r = ipc_send(f.worker.socket, MESSAGE_FILES_LOWER, NULL, 0, lower + i, n, e);
    }
    if (r == 0)
        r = ipc_send(f.worker.socket, MESSAGE_FILES_SESSION, &session, sizeof(session), &dir, 1, e);
    if (r == 0)
        r = expect_done(&f, e);
    if (r < 0)
        return r;
    *ret = f;
    f = (struct files)FILES_INIT;
    return 0;
}

struct layer_fds {
    int fds[IMAGE_LAYERS_MAX];
    size_t count;
};

static void layer_fds_close(struct layer_fds *l)
{
    while (l->count > 0)
        (void)close(l->fds[--l->count]);
}
#define _cleanup_layer_fds_ _cleanup_(layer_fds_close)

static int open_layers(const struct store *s, const char *image_id, struct layer_fds *ret, struct err *e)
{
    _cleanup_image_ struct image *image = NULL;
    size_t index[IMAGE_LAYERS_MAX];
    int r = image_find(s, image_id, &image, e);
    if (r < 0)
        return err_wrap(e, "image of the container");
    size_t count = image_distinct_layers(image, index);
    for (size_t i = count; i > 0; i--) {
        int fd = layer_open(s, &image->layers[index[i - 1]].blob, e);
        if (fd < 0)
            return fd;
        ret->fds[ret->count++] = fd;
    }
    return 0;
}

int files_open_writable(const struct store *s, const struct container *c, struct files *ret, struct err *e)
{
    _cleanup_layer_fds_ struct layer_fds layers = {.count = 0};
    int r = open_layers(s, c->plan.image_id, &layers, e);
    if (r < 0)
        return r;
    _cleanup_close_ int rw = path_open_dir_at(c->dir, "rw", e);
    _cleanup_close_ int upper = rw < 0 ? rw : path_open_dir_at(rw, "upper", e);
    return upper < 0 ? upper : files_open_store(upper, layers.fds, layers.count, ret, e);
}

int files_changes(struct files *f, bool executables, int out, struct err *e)
{
    const struct message_files_changes request = {.executables = executables};
    return ipc_send(f->worker.socket, MESSAGE_FILES_CHANGES, &request, sizeof(request), &out, 1, e);
}

int files_assemble(struct files *f, int skeleton, int out, struct err *e)
{
    const int fds[2] = {skeleton, out};
    return ipc_send(f->worker.socket, MESSAGE_FILES_ASSEMBLE, NULL, 0, fds, 2, e);
}

int files_stat(struct files *f, const char *path, bool follow, struct message_files_found *ret_found,
               struct err *e)
{
    static struct ipc_message m;
    struct message_files_path request = {.follow = follow};
    int r = str_put(request.path, sizeof(request.path), path, e);
    if (r == 0)
        r = ipc_send(f->worker.socket, MESSAGE_FILES_STAT, &request, sizeof(request), NULL, 0, e);
    if (r == 0)
        r = worker_receive(&f->worker, &m, NULL, NULL, e);
    if (r == 0)
        r = ipc_expect(&m, MESSAGE_FILES_FOUND, sizeof(*ret_found), 0, e);
    if (r == 0) {
        memcpy(ret_found, m.payload, sizeof(*ret_found));
        if (!message_text_ok(ret_found->target, sizeof(ret_found->target)))
            r = err_set(e, EBADMSG, "casemate-files: malformed answer");
    }
    ipc_message_clear(&m);
    return r;
}

int files_pack(struct files *f, const char *path, const char *name, unsigned flags, int out, struct err *e)
{
    struct message_files_pack request = {.flags = flags};
    int r = str_put(request.path, sizeof(request.path), path, e);
    if (r == 0)
        r = str_put(request.name, sizeof(request.name), name, e);
    return r < 0 ? r : ipc_send(f->worker.socket, MESSAGE_FILES_PACK, &request, sizeof(request), &out, 1, e);
}

int files_place(struct files *f, const char *path, const struct files_place_options *options, int in,
                struct err *e)
{
    struct message_files_place request = {.owners = options->owners,
                                          .drop_set_id = options->drop_set_id,
                                          .plain = options->plain,
                                          .tell = options->tell};
    int r = str_put(request.path, sizeof(request.path), path, e);
    return r < 0 ? r : ipc_send(f->worker.socket, MESSAGE_FILES_PLACE, &request, sizeof(request), &in, 1, e);
}

static int show(struct files *f, uint16_t type, const char *path, uint64_t max, int out, struct err *e)
{
    struct message_files_show request = {.max = max};
    int r = str_put(request.path, sizeof(request.path), path, e);
    return r < 0 ? r : ipc_send(f->worker.socket, type, &request, sizeof(request), &out, 1, e);
}

int files_list(struct files *f, const char *path, uint64_t max, int out, struct err *e)
{
    return show(f, MESSAGE_FILES_LIST, path, max, out, e);
}

int files_read(struct files *f, const char *path, uint64_t max, int out, struct err *e)
{
    return show(f, MESSAGE_FILES_READ, path, max, out, e);
}

int files_wait(struct files *f, files_progress progress, void *context,
               struct message_files_counts *ret_counts, struct err *e)
{
    static struct ipc_message m;
    int r = worker_receive(&f->worker, &m, progress, context, e);
    if (r == 0)
        r = ipc_expect(&m, MESSAGE_FILES_COUNTS, sizeof(*ret_counts), 0, e);
    if (r == 0)
        memcpy(ret_counts, m.payload, sizeof(*ret_counts));
    ipc_message_clear(&m);
    return r;
}
