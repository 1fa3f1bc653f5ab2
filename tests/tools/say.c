/* SPDX-License-Identifier: Apache-2.0 */
/* say TEXT: sends TEXT to the datagram socket that NOTIFY_SOCKET names, as services do (sd_notify(3)). Run inside of containers, so it is static. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    if (argc != 2 || !path)
        return 2;
    (void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    int s = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (s < 0 || sendto(s, argv[1], strlen(argv[1]), 0, (const struct sockaddr *)&to, sizeof(to)) < 0) {
        perror("say");
        return 1;
    }
    return 0;
}
