/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip A B ROUNDS: exchanges two names so many times, as fast as the kernel lets it, and says when it is done: what a hostile container
 * does while files are copied. Run inside of containers, so it is static.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXCHANGE 2U /* RENAME_EXCHANGE */

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    long rounds = strtol(argv[3], NULL, 10);
    for (long i = 0; i < rounds; i++)
        if (syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, argv[2], EXCHANGE) < 0) {
            perror("flip");
            return 1;
        }
    printf("flipped %ld\n", rounds);
    return 0;
}
