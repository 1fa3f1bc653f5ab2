/* SPDX-License-Identifier: Apache-2.0 */
/* Names for completion, straight from the directories of the data root: fast, and silent when they cannot be read. */
#include <dirent.h>
#include <stdio.h>

#include "base/dirs.h"
#include "base/str.h"
#include "cli/complete.h"

#define NAMES_MAX 1000

static void add_directory(const char *below, struct str_list *candidates)
{
    struct err e;
    _cleanup_free_ char *path = NULL;
    if (str_format(&path, &e, "%s/%s", dirs_data_root(), below) < 0)
        return;
    _cleanup_closedir_ DIR *dir = opendir(path);
    if (!dir)
        return;
    for (struct dirent *entry; candidates->count < NAMES_MAX && (entry = readdir(dir));)
        if (entry->d_name[0] != '.' && str_list_add(candidates, entry->d_name, &e) < 0)
            return;
}

void complete_names(const char *what, struct str_list *candidates)
{
    if (str_equal(what, "containers"))
        add_directory("names", candidates);
    if (str_equal(what, "volumes"))
        add_directory("volumes", candidates);
}
