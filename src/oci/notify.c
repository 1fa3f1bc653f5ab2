/* SPDX-License-Identifier: Apache-2.0 */
/* Readiness of a container, for the service manager of who starts it (notify.h). Where the container has its socket is as with runc. */
#include "oci/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"

#define DIRECTORY "notify" /* of the container's own one */
#define SOCKET "notify.sock"
#define INSIDE "/run/notify"
#define VARIABLE "NOTIFY_SOCKET="
#define MESSAGE_MAX 4096

void oci_notify_close(struct oci_notify *n)
{
    close_fd(&n->socket);
    close_fd(&n->manager);
}

static int read_address(const char *text, struct sockaddr_un *ret, socklen_t *ret_length, struct err *e)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((*text != '/' && *text != '@') || !text[1])
        return err_set(e, EINVAL, VARIABLE "%s: neither a path nor @ and a name", text);
    int r = str_put(ret->sun_path, sizeof(ret->sun_path), text, e);
    if (r < 0)
        return err_wrap(e, VARIABLE "%s", text);
    *ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(text) + (*text == '/'));
    if (*text == '@')
        ret->sun_path[0] = '\0';
    return 0;
}

int oci_notify_check(const char *address, struct err *e)
{
    struct sockaddr_un unused;
    socklen_t length;
    return read_address(address, &unused, &length, e);
}

/* The list of that name, made when it is missing. */
static struct json_object *list_of(struct json_object *parent, const char *name)
{
    struct json_object *list = json_object_object_get(parent, name);
    if (!list && (list = json_object_new_array()) && json_object_object_add(parent, name, list) < 0)
        return NULL;
    return list;
}

static int add_mount(struct json_object *document, const char *directory, struct err *e)
{
    static const char *const options[] = {"bind", "nosuid", "noexec", "nodev", "ro"};
    _cleanup_str_list_ struct str_list list = {0};
    _cleanup_json_ struct json_object *mount = json_object_new_object();
    struct json_object *mounts = list_of(document, "mounts");
    int r = mount && mounts ? 0 : err_oom(e);
    for (size_t i = 0; i < ARRAY_SIZE(options) && r == 0; i++)
        r = str_list_add(&list, options[i], e);
    if (r == 0)
        r = json_add_string(mount, "destination", INSIDE, e);
    if (r == 0)
        r = json_add_string(mount, "source", directory, e);
    if (r == 0)
        r = json_add_strings(mount, "options", &list, e);
    if (r == 0 && json_object_array_add(mounts, mount) < 0)
        r = err_oom(e);
    if (r == 0)
        (void)steal_ptr(mount);
    return r;
}

/* In the place of one that the configuration has: programs take the first of a name. */
static int set_variable(struct json_object *process, struct err *e)
{
    struct json_object *env = list_of(process, "env");
    struct json_object *ours = json_object_new_string(VARIABLE INSIDE "/" SOCKET);
    for (size_t i = env ? json_object_array_length(env) : 0; i > 0; i--)
        if (str_after(json_object_get_string(json_object_array_get_idx(env, i - 1)), VARIABLE) &&
            json_object_array_del_idx(env, i - 1, 1) < 0)
            return err_oom(e);
    if (env && ours && json_object_array_add(env, ours) == 0)
        return 0;
    json_object_put(ours);
    return err_oom(e);
}

int oci_notify_prepare(struct oci_container *c, struct err *e)
{
    char link[32], path[4096];
    struct json_object *process = json_object_object_get(c->config.document, "process");
    if (!process)
        return err_set(e, EINVAL, "process: is missing");
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", c->dir);
    ssize_t n = readlink(link, path, sizeof(path) - sizeof("/" DIRECTORY));
    if (n < 0)
        return err_errno(e, "directory of the container");
    memcpy(path + n, "/" DIRECTORY, sizeof("/" DIRECTORY));
    /* The container's users may go there; nobody else gets through the directory above. */
    if (mkdirat(c->dir, DIRECTORY, 0755) < 0 || fchmodat(c->dir, DIRECTORY, 0755, 0) < 0)
        return err_errno(e, "make " DIRECTORY);
    int r = add_mount(c->config.document, path, e);
    if (r == 0)
        r = set_variable(process, e);
    return r == 0 ? oci_container_rewrite(c, e) : r;
}

static int make_socket(int dir, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SOCKET, dir);
    _cleanup_close_ int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)unlinkat(dir, SOCKET, 0); /* of a start that did not come to its end */
    mode_t mask = umask(0);         /* who runs in the container may write to it, whatever its id is */
    int r = s < 0 ? -1 : bind(s, (const struct sockaddr *)&address, sizeof(address));
    int error = errno;
    (void)umask(mask);
    errno = error;
    return r < 0 ? err_errno(e, "make " SOCKET) : steal_fd(&s);
}

int oci_notify_open(const struct oci_container *c, const char *address, struct oci_notify *ret, struct err *e)
{
    _cleanup_oci_notify_ struct oci_notify n = OCI_NOTIFY_INIT;
    struct sockaddr_un to;
    socklen_t length;
    _cleanup_close_ int dir = openat(c->dir, DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return errno == ENOENT ? 0 : err_errno(e, "open " DIRECTORY);
    int r = read_address(address, &to, &length, e);
    if (r < 0)
        return r;
    n.manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (n.manager < 0 || connect(n.manager, (const struct sockaddr *)&to, length) < 0)
        return err_errno(e, VARIABLE "%s", address);
    n.socket = make_socket(dir, e);
    if (n.socket < 0)
        return n.socket;
    *ret = n;
    n = (struct oci_notify)OCI_NOTIFY_INIT;
    return 0;
}

static bool has_line(const char *text, const char *line)
{
    size_t length = strlen(line);
    for (const char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (strncmp(at, line, length) == 0 && (at[length] == '\n' || !at[length]))
            return true;
    return false;
}

/* One message, so that the manager does not see a ready service whose main process it does not know. */
static int tell_manager(const struct oci_notify *n, struct err *e)
{
    char text[64] = "READY=1\n";
    if (n->main_id > 0)
        (void)snprintf(text, sizeof(text), "READY=1\nMAINPID=%d\n", (int)n->main_id);
    ssize_t sent;
    while ((sent = send(n->manager, text, strlen(text), MSG_NOSIGNAL)) < 0 && errno == EINTR)
        ;
    return sent < 0 ? err_errno(e, "tell the service manager that the container is ready") : 1;
}

int oci_notify_forward(const struct oci_notify *n, struct err *e)
{
    char text[MESSAGE_MAX + 1];
    ssize_t length = recv(n->socket, text, MESSAGE_MAX, 0);
    if (length < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : err_errno(e, "hear whether the container is ready");
    text[length] = '\0';
    return has_line(text, "READY=1") ? tell_manager(n, e) : 0;
}

int oci_notify_await(const struct oci_notify *n, int process, struct err *e)
{
    for (;;) {
        struct pollfd p[2] = {{.fd = n->socket, .events = POLLIN}, {.fd = process, .events = POLLIN}};
        if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
            return err_errno(e, "poll");
        int r = p[0].revents ? oci_notify_forward(n, e) : 0;
        if (r != 0)
            return r < 0 ? r : 0;
        if (p[1].revents && !p[0].revents) /* what it said before its end is read first */
            return 0;
    }
}
