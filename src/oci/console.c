/* SPDX-License-Identifier: Apache-2.0 */
/* Handing descriptors to whoever has asked for them: the pty master, the listener of a filter (create.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"
#include "base/syscalls.h"
#include "oci/create.h"

static int connect_to(const char *path, const char *what, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int r = str_put(address.sun_path, sizeof(address.sun_path), path, e);
    if (r < 0)
        return err_wrap(e, "%s %s", what, path);
    _cleanup_close_ int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0 || connect(s, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return err_errno(e, "%s %s", what, path);
    return steal_fd(&s);
}

static int send_with(int s, const char *text, int fd, const char *what, struct err *e)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.space = {0}};
    struct iovec bytes = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof(control.space)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(int));
    ssize_t n;
    while ((n = sendmsg(s, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR)
        ;
    if (n < 0)
        return err_errno(e, "%s", what);
    return (size_t)n == bytes.iov_len ? 0 : err_set(e, EIO, "%s: the other side takes too little", what);
}

int oci_console_send(const char *path, int master, struct err *e)
{
    _cleanup_close_ int s = connect_to(path, "--console-socket", e);
    return s < 0 ? s : send_with(s, "/dev/ptmx", master, "--console-socket", e);
}

/* config-linux.md, "The Container Process State". */
static int agent_state(const struct oci_container *c, pid_t pid, char **ret, struct err *e)
{
    _cleanup_free_ char *state = NULL;
    _cleanup_str_list_ struct str_list fds = {0};
    _cleanup_json_ struct json_object *o = json_object_new_object();
    struct json_object *inner = NULL;
    int r =
        o ? oci_container_state(c, pid == c->pid ? OCI_CREATING : OCI_RUNNING, false, &state, e) : err_oom(e);
    if (r == 0)
        r = json_parse(state, strlen(state), &inner, e);
    if (r == 0)
        r = str_list_add(&fds, "seccompFd", e);
    if (r == 0)
        r = json_add_string(o, "ociVersion", c->config.version, e);
    if (r == 0)
        r = json_add_strings(o, "fds", &fds, e);
    if (r == 0)
        r = json_add_u64(o, "pid", (uint64_t)pid, e);
    if (r == 0)
        r = json_add_string(o, "metadata", c->config.linux_part.seccomp.listener_metadata, e);
    if (inner)
        r = json_add_object(o, "state", inner, e) < 0 ? -ENOMEM : r;
    return r == 0 ? str_copy(json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE), ret, e) : r;
}

int oci_listener_send(const struct oci_container *c, pid_t pid, int pidfd, int number, struct err *e)
{
    const char *path = c->config.linux_part.seccomp.listener_path;
    _cleanup_free_ char *text = NULL;
    _cleanup_close_ int listener = sys_pidfd_getfd(pidfd, number);
    if (listener < 0)
        return err_errno(e, "take the listener of linux.seccomp");
    int r = agent_state(c, pid, &text, e);
    if (r < 0)
        return r;
    _cleanup_close_ int s = connect_to(path, "linux.seccomp.listenerPath", e);
    return s < 0 ? s : send_with(s, text, listener, "linux.seccomp.listenerPath", e);
}
