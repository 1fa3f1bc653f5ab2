/* SPDX-License-Identifier: Apache-2.0 */
/* `start` and `delete` (create.h). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/syscalls.h"
#include "oci/create.h"
#include "oci/hooks.h"
#include "oci/rootless.h"
#include "oci/sync.h"
#include "oci/systemd.h"

#define END_MS 10000 /* until a killed process is gone */

static int connect_to_start(int dir, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" OCI_START_SOCKET, dir);
    _cleanup_close_ int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (s < 0 || connect(s, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return err_errno(e, "wake the container's process");
    return steal_fd(&s);
}

/* The end of the connection says that the program runs, a report why it does not. */
static int await_program(int connection, int *ret_status, struct err *e)
{
    enum enter_step step;
    _cleanup_close_ int fd = -1;
    int r = oci_sync_receive(connection, &step, &fd, ret_status, e);
    return r > 0 ? err_set(e, EBADMSG, "the container's process speaks another protocol") : r;
}

/* Kills the first process, with which its process namespace ends, and waits. */
static int end_process(const struct oci_container *c, struct err *e)
{
    struct err gone = {0};
    _cleanup_close_ int process = oci_container_process(c, &gone);
    struct pollfd p = {.fd = process, .events = POLLIN};
    if (process < 0)
        return 0;
    if (sys_pidfd_send_signal(process, SIGKILL) < 0 && errno != ESRCH)
        return err_errno(e, "kill the container's process");
    int n;
    while ((n = poll(&p, 1, END_MS)) < 0 && errno == EINTR)
        ;
    return n == 0 ? err_set(e, ETIMEDOUT, "the container's process does not end") : 0;
}

int oci_start(struct oci_container *c, int *ret_status, struct err *e)
{
    enum oci_status status = oci_container_status(c);
    *ret_status = 1;
    if (status == OCI_STOPPED)
        return err_set(e, EINVAL, "cannot start a container that has stopped");
    if (status != OCI_CREATED)
        return err_set(e, EINVAL, "cannot start an already running container");
    _cleanup_close_ int connection = connect_to_start(c->dir, e);
    if (connection < 0)
        return connection;
    if (unlinkat(c->dir, OCI_START_SOCKET, 0) < 0)
        return err_errno(e, "remove " OCI_START_SOCKET);
    int r = await_program(connection, ret_status, e);
    if (r < 0 || c->config.hooks.poststart.count == 0)
        return r;
    _cleanup_free_ char *state = NULL;
    r = oci_container_state(c, OCI_RUNNING, false, &state, e);
    r = r == 0 ? oci_hooks_run(&c->config.hooks.poststart, "poststart", state, e) : r;
    struct err ignored = {0};
    if (r < 0) /* an error by now, not a container that runs without what the hook should have set up */
        (void)end_process(c, &ignored);
    return r;
}

/* A scope ends with its last process: what is left is killed first, for systemd would ask it kindly and wait. */
static int end_scope(const struct oci_container *c, const struct oci_cgroup *g, struct err *e)
{
    struct err ignored = {0};
    if (!c->scope || c->cgroup.count == 0)
        return 0;
    (void)oci_cgroup_signal(g, SIGKILL, &ignored);
    return oci_scope_stop(c->scope, oci_is_rootless(), e);
}

int oci_delete(struct oci_container *c, bool force, struct str_list *warnings, struct err *e)
{
    _cleanup_oci_cgroup_ struct oci_cgroup g = {0};
    enum oci_status status = oci_container_status(c);
    if ((status == OCI_RUNNING || status == OCI_PAUSED) && !force)
        return err_set(e, EBUSY, "cannot delete container %s that is not stopped: %s", c->id,
                       oci_status_name(status));
    struct err failed = {0};
    /* Groups that cannot be read are not gone: without them nothing would say what is left. */
    int r = oci_cgroup_open(&c->cgroup, &g, e);
    if (r == 0 && status == OCI_PAUSED)
        (void)oci_cgroup_freeze(&g, false, &failed);
    if (r == 0)
        r = end_process(c, e);
    if (r == 0)
        r = end_scope(c, &g, e);
    if (r == 0)
        r = oci_cgroup_remove(&g, e);
    if (r < 0)
        return r;
    _cleanup_free_ char *state = NULL;
    if (c->config.hooks.poststop.count > 0 &&
        oci_container_state(c, OCI_STOPPED, false, &state, &failed) == 0)
        oci_hooks_run_all(&c->config.hooks.poststop, "poststop", state, warnings);
    return oci_container_remove(c, e);
}
