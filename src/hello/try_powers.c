/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goes through the powers of all groups (try_powers.h).
 */
#include "hello/try_powers.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hello/attempt.h"
#include "hello/scratch.h"

const char *power_directory;

const char *power_file(const char *name)
{
    static char path[SCRATCH_PATH_MAX + 32];
    if (!power_directory)
        return NULL;
    (void)snprintf(path, sizeof(path), "%s/%s", power_directory, name);
    return path;
}

static void group_try(struct powers group, struct power_results *results)
{
    for (size_t i = 0; i < group.count && results->tried < POWERS_MAX; i++) {
        bool works = attempt_succeeds(group.list[i].try, NULL);
        results->name[results->tried] = group.list[i].name;
        results->works[results->tried] = works;
        results->tried++;
        results->working += works;
    }
}

void try_powers(struct power_results *results)
{
    char directory[SCRATCH_PATH_MAX];
    power_directory = scratch_make(directory, 0) >= 0 ? directory : NULL;
    memset(results, 0, sizeof(*results));
    group_try(powers_mount(), results);
    group_try(powers_identity(), results);
    group_try(powers_network(), results);
    group_try(powers_machine(), results);
    group_try(powers_process(), results);
    if (power_directory)
        scratch_remove(directory);
    power_directory = NULL;
}
