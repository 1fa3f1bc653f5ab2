/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the mount table (read_mounts.h).
 */
#include "read_mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "parse.h"

#define MOUNTS_MAX 4096

static bool mounts_add(struct mounts *mounts, size_t *room, const struct mount_line *line)
{
    if (mounts->count == *room) {
        size_t more = *room ? *room * 2 : 32;
        struct mount_seen *grown = reallocarray(mounts->list, more, sizeof(*grown));
        if (!grown)
            return false;
        mounts->list = grown;
        *room = more;
    }
    struct mount_seen seen = {
        .point = strdup(line->point),
        .type = strdup(line->type),
        .options = strdup(line->options),
        .read_only = parse_has_option(line->options, "ro") || parse_has_option(line->super_options, "ro"),
        .shows_host = parse_mount_shows_host(line),
    };
    if (!seen.point || !seen.type || !seen.options) {
        free(seen.point);
        free(seen.type);
        free(seen.options);
        return false;
    }
    mounts->list[mounts->count++] = seen;
    return true;
}

void mounts_read(struct mounts *ret_mounts)
{
    _cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
    _cleanup_free_ char *text = NULL;
    size_t text_room = 0, room = 0;
    struct mount_line line;
    *ret_mounts = (struct mounts){0};
    while (f && ret_mounts->count < MOUNTS_MAX && getline(&text, &text_room, f) > 0)
        if (parse_mount_line(text, &line) && !mounts_add(ret_mounts, &room, &line))
            return;
}

void mounts_clear(struct mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++) {
        free(mounts->list[i].point);
        free(mounts->list[i].type);
        free(mounts->list[i].options);
    }
    free(mounts->list);
    *mounts = (struct mounts){0};
}

void mounts_list(const struct mounts *mounts, struct names *ret_all, struct names *ret_without_nosuid)
{
    for (size_t i = 0; i < mounts->count; i++) {
        const struct mount_seen *m = &mounts->list[i];
        names_add_format(ret_all, "%s %s %s", m->point, m->type, m->options);
        if (!parse_has_option(m->options, "nosuid"))
            names_add(ret_without_nosuid, m->point);
    }
}

bool mounts_has_point(const struct mounts *mounts, const char *path)
{
    for (size_t i = 0; i < mounts->count; i++)
        if (strcmp(mounts->list[i].point, path) == 0)
            return true;
    return false;
}
