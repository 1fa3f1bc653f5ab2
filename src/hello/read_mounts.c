/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the mount table (read_mounts.h).
 */
#include "hello/read_mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "hello/parse.h"

static size_t lines_count(const char *text)
{
    size_t lines = 0;
    for (const char *p = text; (p = strchr(p, '\n')); p++)
        lines++;
    return lines;
}

/* The whole file; it holds no zero byte. */
static char *table_read(void)
{
    _cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
    _cleanup_free_ char *text = NULL;
    size_t room = 0;
    if (!f || getdelim(&text, &room, '\0', f) <= 0)
        return NULL;
    return steal_ptr(text);
}

void mounts_read(struct mounts *ret_mounts)
{
    *ret_mounts = (struct mounts){.text = table_read()};
    size_t room = ret_mounts->text ? lines_count(ret_mounts->text) : 0;
    char *rest = ret_mounts->text, *text;
    ret_mounts->list = calloc(room + 1, sizeof(*ret_mounts->list));
    if (!ret_mounts->list)
        return;
    while (ret_mounts->count < room && (text = strsep(&rest, "\n"))) {
        struct mount_line line;
        if (!parse_mount_line(text, &line))
            continue;
        ret_mounts->list[ret_mounts->count++] = (struct mount_seen){
            .point = line.point,
            .type = line.type,
            .options = line.options,
            .read_only = parse_has_option(line.options, "ro") || parse_has_option(line.super_options, "ro"),
            .shows_host = parse_mount_shows_host(&line),
        };
    }
}

void mounts_clear(struct mounts *mounts)
{
    free(mounts->text);
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
