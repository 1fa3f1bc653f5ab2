/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side of attaching (attach.h). */
#include "engine/attach.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/shimproto.h"

int attach_connect(int shim_dir_fd, uint32_t want, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct {
        struct shim_packet packet;
        struct shim_hello hello;
    } first = {{.type = SHIM_HELLO, .length = sizeof(struct shim_hello)},
               {.version = SHIM_PROTOCOL, .flags = want}};
    /* By descriptor: a socket's path may be 107 bytes long, the data root's may be longer. */
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SHIM_SOCKET_FILE,
                   shim_dir_fd);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return err_errno(e, "attach to the container");
    if (send(fd, &first, sizeof(first), MSG_NOSIGNAL) != (ssize_t)sizeof(first))
        return err_errno(e, "attach to the container");
    return steal_fd(&fd);
}
