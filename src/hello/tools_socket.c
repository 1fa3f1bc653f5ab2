/* SPDX-License-Identifier: Apache-2.0 */
/* Tools for tests of what can be reached: nothing is sent. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "hello/hello.h"

int verb_connect(int argc, char **argv)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = argc == 2 ? strlen(argv[1]) : 0;
    if (n < 2 || n >= sizeof(to.sun_path)) {
        fprintf(stderr, "hello: connect: needs PATH or @NAME\n");
        return 2;
    }
    memcpy(to.sun_path, argv[1], n);
    if (argv[1][0] == '@') /* unix(7): an abstract name begins with NUL and has no end but its length */
        to.sun_path[0] = '\0';
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return verb_fail("connect", "socket");
    if (connect(fd, (const struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) <
        0)
        return verb_fail("connect", argv[1]);
    puts("connected");
    return 0;
}
