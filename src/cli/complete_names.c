/* SPDX-License-Identifier: Apache-2.0 */
/* Names for completion, from the data root: fast, and silent when it cannot be read. */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/str.h"
#include "cli/complete.h"
#include "image/image.h"

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

/* Does not make a data root where there is none. */
static void add_images(struct str_list *candidates)
{
    struct err e = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_image_list_ struct image_list images = {0};
    if (access(dirs_data_root(), W_OK) < 0 || store_open(&s, &e) < 0 || image_list(&s, &images, &e) < 0)
        return;
    for (size_t i = 0; i < images.count; i++)
        for (size_t k = 0; k < images.items[i]->names.count && candidates->count < NAMES_MAX; k++)
            if (!strchr(images.items[i]->names.items[k], '@') &&
                str_list_add(candidates, images.items[i]->names.items[k], &e) < 0)
                return;
}

void complete_names(const char *what, struct str_list *candidates)
{
    if (str_equal(what, "containers"))
        add_directory("names", candidates);
    if (str_equal(what, "volumes"))
        add_directory("volumes", candidates);
    if (str_equal(what, "images"))
        add_images(candidates);
}
