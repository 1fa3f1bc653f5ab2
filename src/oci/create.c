/* SPDX-License-Identifier: Apache-2.0 */
/* Creating a container (create.h). The command's half; the other one is child.c. */
#include "oci/create.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/ipc.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/syscalls.h"
#include "oci/child.h"
#include "oci/hooks.h"
#include "oci/id_maps.h"
#include "oci/job.h"
#include "oci/namespaces.h"
#include "oci/net_devices.h"
#include "oci/notify.h"
#include "oci/rootfs.h"
#include "oci/rootless.h"
#include "oci/sync.h"
#include "oci/systemd.h"

#define CONFIG_FILE "config.json"

/* Everything that a creation opens. */
struct creation {
    const struct oci_create *o;
    struct oci_container *container;
    struct oci_cgroup cgroup;
    struct oci_cgroup_join join;
    struct oci_scope scope;
    bool scope_started; /* else one of that name is somebody else's */
    struct oci_sources sources;
    struct oci_namespaces namespaces;
    struct filter *filter;
    struct oci_net_given *devices; /* interfaces that it has been given */
    char *started_state;           /* "created", for startContainer hooks */
    int enter, job, start, sync, their_sync;
    int pidfd;
    int terminal;
};

static void creation_clear(struct creation *x)
{
    oci_cgroup_close(&x->cgroup);
    oci_cgroup_join_close(&x->join);
    oci_scope_close(&x->scope);
    oci_sources_close(&x->sources);
    oci_namespaces_close(&x->namespaces);
    free(x->filter);
    free(x->devices);
    free(x->started_state);
    const int fds[] = {x->enter, x->job, x->start, x->sync, x->their_sync, x->pidfd, x->terminal};
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* Out of the way of the descriptors that the container gets. */
static int move_up(int *fd, unsigned keep, struct err *e)
{
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, 3 + (int)keep);
    if (moved < 0)
        return err_errno(e, "descriptor");
    close(*fd);
    *fd = moved;
    return 0;
}

/* The name is given by descriptor: a path of 108 bytes is not enough for every --root. */
static int listen_for_start(int dir, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" OCI_START_SOCKET, dir);
    _cleanup_close_ int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (s < 0 || bind(s, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(s, 1) < 0)
        return err_errno(e, "make " OCI_START_SOCKET);
    return steal_fd(&s);
}

static int write_job(struct creation *x, struct err *e)
{
    const struct oci_config *config = &x->container->config;
    char keyring[OCI_ID_MAX + 8];
    _cleanup_str_list_ struct str_list unknown = {0};
    (void)snprintf(keyring, sizeof(keyring), "_ses.%s", x->container->id);
    const struct oci_job j = {
        .config = config,
        .process = &config->process,
        .filter = x->filter,
        .listener = oci_filter_notifies(x->filter),
        .state = x->started_state,
        .keyring = x->o->no_new_keyring ? NULL : keyring,
        .set_groups = oci_id_maps_allow_groups(&config->linux_part),
        .sync = x->their_sync,
        .start = x->start,
        .keep_fds = x->o->preserve_fds,
        .listen_fds = x->o->listen_fds,
    };
    x->job = oci_job_write(&j, &unknown, e);
    for (size_t i = 0; i < unknown.count && x->job >= 0; i++)
        fprintf(stderr, "casemate-runtime: process.capabilities: %s is not known and left out\n",
                unknown.items[i]);
    return x->job < 0 ? x->job : move_up(&x->job, x->o->preserve_fds, e);
}

static int prepare(struct creation *x, struct err *e)
{
    struct oci_container *c = x->container;
    const struct oci_config *config = &c->config;
    int pair[2] = {-1, -1};
    if (!config->process.set)
        return err_set(e, EINVAL, "process: is missing");
    int r = oci_filter(config, &x->filter, e);
    if (r == 0)
        r = oci_namespaces_open(config, &x->namespaces, e);
    if (r == 0)
        r = oci_sources_open(config, c->bundle, &x->sources, e);
    if (r == 0)
        r = (x->enter = oci_enter_open(e)) < 0 ? x->enter : 0;
    if (r == 0)
        r = (x->start = listen_for_start(c->dir, e)) < 0 ? x->start
                                                         : move_up(&x->start, x->o->preserve_fds, e);
    if (r == 0)
        r = ipc_pair(pair, e);
    if (r < 0)
        return r;
    x->sync = pair[0];
    x->their_sync = pair[1];
    r = move_up(&x->their_sync, x->o->preserve_fds, e);
    if (r == 0)
        r = oci_container_state(c, OCI_CREATED, false, &x->started_state, e);
    return r == 0 ? write_job(x, e) : r;
}

/* Its name is written down before it is there, for whoever finds what a killed command leaves. */
static int start_scope(struct creation *x, struct err *e)
{
    struct oci_container *c = x->container;
    struct oci_unit unit;
    bool user = oci_is_rootless();
    int r = oci_unit_name(c->config.linux_part.cgroups_path, c->id, user, &unit, e);
    if (r == 0)
        r = str_copy(unit.scope, &c->scope, e);
    if (r == 0)
        r = oci_container_save(c, e);
    if (r == 0)
        r = oci_scope_start(&unit, user, &c->config, &x->scope, e);
    x->scope_started = r == 0;
    return r;
}

static int find_cgroup(struct creation *x, struct err *e)
{
    struct oci_container *c = x->container;
    _cleanup_free_ char *path = NULL;
    if (!x->o->systemd)
        return oci_cgroup_find(c->config.linux_part.cgroups_path, c->id, &x->cgroup, e);
    int r = start_scope(x, e);
    if (r == 0)
        r = oci_scope_path(&x->scope, &path, e);
    return r == 0 ? oci_cgroup_find(path, c->id, &x->cgroup, e) : r;
}

static int set_limits(struct creation *x, struct err *e)
{
    const struct oci_resources *limits = &x->container->config.linux_part.resources;
    int r = oci_cgroup_set(&x->cgroup, limits, e);
    if (r == 0)
        r = oci_cgroup_set_devices(&x->cgroup, &limits->devices, e);
    return r == 0 && x->o->systemd && oci_resources_limit(limits)
               ? oci_scope_tell_limits(x->container->scope, oci_is_rootless(), &x->cgroup, e)
               : r;
}

static int make_cgroup(struct creation *x, struct err *e)
{
    int r = find_cgroup(x, e);
    if (r == 0)
        r = oci_cgroup_describe(&x->cgroup, &x->container->cgroup, e);
    /* Before they are made: whoever finds what a killed command leaves knows its groups. */
    if (r == 0)
        r = oci_container_save(x->container, e);
    if (r == 0)
        r = oci_cgroup_make(&x->cgroup, e);
    if (r == 0)
        r = set_limits(x, e);
    return r == 0 ? oci_cgroup_join_open(&x->cgroup, &x->join, e) : r;
}

/* An ordinary user may not move a process out of its session: systemd does. */
static bool by_systemd(const struct creation *x)
{
    return x->scope.holder > 0 && oci_is_rootless();
}

/* Ids, the unified group and the score of the process, which waits meanwhile. */
static int equip(struct creation *x, struct err *e)
{
    struct oci_container *c = x->container;
    const struct oci_config *config = &c->config;
    const struct oci_namespace *user = oci_config_namespace(config, CLONE_NEWUSER);
    int r = user && !str_set(user->path) ? oci_id_maps_write(&config->linux_part, c->pid, e) : 0;
    if (r == 0 && by_systemd(x))
        r = oci_scope_attach(c->scope, NULL, true, c->pid, e);
    else if (r == 0 && x->namespaces.joined_count > 0)
        r = oci_cgroup_attach_unified(&x->cgroup, c->pid, e);
    return r == 0 ? oci_oom_score_set(c->pid, &config->process.oom_score_adj, e) : r;
}

static int start_process(struct creation *x, struct err *e)
{
    struct oci_container *c = x->container;
    const struct oci_child child = {
        .config = &c->config,
        .sources = &x->sources,
        .cgroup = &x->cgroup,
        .join = &x->join,
        .container = c,
        .sync = x->their_sync,
        .enter = x->enter,
        .job = x->job,
        .start = x->start,
        .no_pivot = x->o->no_pivot,
        .awaits_maps = oci_namespaces_need_maps_of_user(&x->namespaces),
        .may_set_groups = oci_id_maps_allow_groups(&c->config.linux_part),
    };
    pid_t pid = oci_namespaces_clone(&c->config, &x->namespaces,
                                     by_systemd(x) ? -1 : oci_cgroup_unified(&x->cgroup), &x->pidfd, e);
    if (pid == 0) {
        close(x->sync);
        oci_child_run(&child);
    }
    if (pid < 0)
        return pid;
    close_fd(&x->their_sync);
    c->pid = pid;
    int r = proc_start_time(pid, &c->pid_start, e);
    if (r == 0)
        r = equip(x, e);
    if (r == 0)
        r = oci_container_save(c, e);
    oci_scope_close(&x->scope); /* it has a process now */
    return r == 0 ? oci_sync_answer(x->sync, e) : r;
}

/* The last of the container's surroundings, then the hooks that find them complete. */
static int give_and_run_hooks(struct creation *x, struct err *e)
{
    const struct oci_container *c = x->container;
    const struct oci_hooks *h = &c->config.hooks;
    int r = oci_net_devices_give(&c->config.linux_part.net_devices, c->pid, &x->devices, e);
    if (r < 0)
        return r;
    _cleanup_free_ char *state = NULL;
    if (h->prestart.count + h->create_runtime.count == 0)
        return 0;
    r = oci_container_state(c, OCI_CREATING, false, &state, e);
    if (r == 0)
        r = oci_hooks_run(&h->prestart, "prestart", state, e);
    return r == 0 ? oci_hooks_run(&h->create_runtime, "createRuntime", state, e) : r;
}

static int take_terminal(struct creation *x, int *master, struct err *e)
{
    if (x->o->console_socket)
        return oci_console_send(x->o->console_socket, *master, e);
    x->terminal = steal_fd(master);
    return 0;
}

/* Does what the process asks for until it is ready. */
static int serve(struct creation *x, struct err *e)
{
    for (;;) {
        enum enter_step step;
        _cleanup_close_ int fd = -1;
        int status;
        int r = oci_sync_receive(x->sync, &step, &fd, &status, e);
        if (r == 0)
            return err_set(e, ECHILD, "the container's process has ended during its creation");
        if (r < 0 || step == ENTER_READY)
            return r < 0 ? r : 0;
        if (step == ENTER_BUILT)
            r = give_and_run_hooks(x, e);
        else if (step == ENTER_TERMINAL && fd >= 0)
            r = take_terminal(x, &fd, e);
        else if (step == ENTER_NOTIFIES)
            r = oci_listener_send(x->container, x->container->pid, x->pidfd, status, e);
        else
            return err_set(e, EBADMSG, "the container's process speaks another protocol");
        if (r == 0)
            r = oci_sync_answer(x->sync, e);
        if (r < 0)
            return r;
    }
}

/* Of the groups that were found, not of those that could be opened: one may have been made and no more. False: they are there, and so is the container's
 * directory to be for whoever deletes it. */
static bool remove_groups(const struct oci_container *c)
{
    _cleanup_oci_cgroup_ struct oci_cgroup g = {0};
    struct err ignored = {0};
    return c->cgroup.count == 0 ||
           (oci_cgroup_open(&c->cgroup, &g, &ignored) == 0 && oci_cgroup_remove(&g, &ignored) == 0);
}

static void abandon(struct creation *x)
{
    siginfo_t info;
    struct err ignored = {0};
    oci_net_devices_take_back(&x->container->config.linux_part.net_devices, x->devices, x->container->pid);
    if (x->pidfd >= 0) {
        (void)sys_pidfd_send_signal(x->pidfd, SIGKILL);
        while (waitid(P_PIDFD, (id_t)x->pidfd, &info, WEXITED) < 0 && errno == EINTR)
            ;
    }
    if (x->scope_started)
        (void)oci_scope_stop(x->container->scope, oci_is_rootless(), &ignored);
    if (remove_groups(x->container))
        (void)oci_container_remove(x->container, &ignored);
}

int oci_pid_file_write(const char *path, pid_t pid, struct err *e)
{
    char text[24];
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *parent = NULL;
    int r = str_copy_n(path, slash ? (size_t)(slash - path) + 1 : 0, &parent, e);
    _cleanup_close_ int dir = r < 0 ? -1 : open(*parent ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r < 0 || dir < 0)
        return r < 0 ? r : err_errno(e, "--pid-file %s", path);
    int n = snprintf(text, sizeof(text), "%d", (int)pid);
    r = io_replace_file_at(dir, slash ? slash + 1 : path, text, (size_t)n, 0644, false, e);
    return r < 0 ? err_wrap(e, "--pid-file %s", path) : 0;
}

static int read_bundle(const char *path, char **ret_absolute, struct buf *text, struct err *e)
{
    *ret_absolute = realpath(path, NULL);
    if (!*ret_absolute)
        return err_errno(e, "bundle %s", path);
    _cleanup_close_ int dir = open(*ret_absolute, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = dir < 0 ? err_errno(e, "bundle") : io_read_file_at(dir, CONFIG_FILE, OCI_CONFIG_MAX, text, e);
    return r < 0 ? err_wrap(e, "bundle %s", path) : 0;
}

static int check_console(const struct oci_create *o, const struct oci_config *config, struct err *e)
{
    if (o->console_socket && !config->process.terminal)
        return err_set(e, EINVAL,
                       "--console-socket: process.terminal is not set, so there is no terminal to send");
    if (!o->console_socket && config->process.terminal && o->needs_console)
        return err_set(e, EINVAL,
                       "process.terminal: is set, so a command that does not stay needs --console-socket");
    return 0;
}

int oci_create(int root, const struct oci_create *o, struct oci_container *ret, int *ret_terminal,
               struct err *e)
{
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    _cleanup_(creation_clear) struct creation x = {.o = o,
                                                   .container = &c,
                                                   .scope = OCI_SCOPE_INIT,
                                                   .enter = -1,
                                                   .job = -1,
                                                   .start = -1,
                                                   .sync = -1,
                                                   .their_sync = -1,
                                                   .pidfd = -1,
                                                   .terminal = -1};
    _cleanup_free_ char *bundle = NULL;
    _cleanup_buf_ struct buf text = {0};
    int r = read_bundle(o->bundle, &bundle, &text, e);
    if (r == 0)
        r = oci_container_make(root, o->id, bundle, text.data ? text.data : "", text.length, &c, e);
    if (r < 0)
        return r;
    r = check_console(o, &c.config, e);
    if (r == 0 && o->review)
        r = o->review(&c, e);
    if (r == 0 && o->notify)
        r = oci_notify_prepare(&c, e);
    if (r == 0)
        r = prepare(&x, e);
    if (r == 0)
        r = make_cgroup(&x, e);
    if (r == 0)
        r = start_process(&x, e);
    if (r == 0)
        r = serve(&x, e);
    if (r == 0 && o->pid_file)
        r = oci_pid_file_write(o->pid_file, c.pid, e);
    if (r < 0) {
        abandon(&x);
        return r;
    }
    *ret_terminal = steal_fd(&x.terminal);
    *ret = c;
    c = (struct oci_container)OCI_CONTAINER_INIT;
    return 0;
}
