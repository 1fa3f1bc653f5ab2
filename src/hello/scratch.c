/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The private directory (scratch.h).
 */
#include "hello/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static const char *const places[] = {"/tmp", "/var/tmp", "/dev/shm", "/run", "", "."};

int scratch_make(char path[SCRATCH_PATH_MAX], int start)
{
    for (int i = start; i < (int)ARRAY_SIZE(places); i++) {
        (void)snprintf(path, SCRATCH_PATH_MAX, "%s/.casemate-probe-XXXXXX", places[i]);
        if (mkdtemp(path))
            return i;
    }
    return -1;
}

void scratch_remove(const char *path)
{
    _cleanup_closedir_ DIR *d = opendir(path);
    const struct dirent *entry;
    while (d && (entry = readdir(d)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd(d), entry->d_name, 0);
    (void)rmdir(path);
}
