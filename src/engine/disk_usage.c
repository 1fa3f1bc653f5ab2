/* SPDX-License-Identifier: Apache-2.0 */
/* The walk that counts (disk_usage.h). Reads names and inodes only, never content. */
#include "engine/disk_usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "engine/volume.h"

#define BLOCK 512 /* of st_blocks */
#define TABLE_SIZE (2 * DISK_USAGE_LINKS_MAX)

struct walk {
    struct disk_usage usage;
    dev_t dev;
    DIR *stack[DISK_USAGE_DEPTH_MAX];
    size_t depth;
    ino_t *links; /* open addressing; 0: free */
    size_t link_count;
};

static void walk_clear(struct walk *w)
{
    while (w->depth > 0)
        closedir(w->stack[--w->depth]);
    free(w->links);
    free(w);
}
DEFINE_CLEANUP(struct walk *, walk_clear);

/* True when this file of several names was counted before. */
static bool seen(struct walk *w, ino_t ino)
{
    if (!w->links)
        w->links = calloc(TABLE_SIZE, sizeof(*w->links));
    if (!w->links || w->link_count == DISK_USAGE_LINKS_MAX)
        return false;
    size_t at = (size_t)((uint64_t)ino * UINT64_C(0x9e3779b97f4a7c15) >> 32) % TABLE_SIZE;
    while (w->links[at] && w->links[at] != ino)
        at = (at + 1) % TABLE_SIZE;
    if (w->links[at])
        return true;
    w->links[at] = ino;
    w->link_count++;
    return false;
}

/* Takes fd. */
static void push(struct walk *w, int fd)
{
    _cleanup_close_ int owned = fd;
    DIR *d = owned < 0 || w->depth == DISK_USAGE_DEPTH_MAX ? NULL : fdopendir(owned);
    if (!d) {
        w->usage.partial = true;
        return;
    }
    (void)steal_fd(&owned);
    w->stack[w->depth++] = d;
}

static void count(struct walk *w, const struct stat *st)
{
    uint64_t stored = (uint64_t)st->st_blocks * BLOCK;
    if (S_ISDIR(st->st_mode) || (st->st_nlink > 1 && seen(w, st->st_ino)))
        return;
    w->usage.bytes += (uint64_t)st->st_size < stored || S_ISLNK(st->st_mode) ? (uint64_t)st->st_size : stored;
}

static void step(struct walk *w)
{
    struct stat st;
    DIR *top = w->stack[w->depth - 1];
    struct dirent *entry = readdir(top);
    if (!entry) {
        closedir(top);
        w->depth--;
        return;
    }
    if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
        return;
    if (fstatat(dirfd(top), entry->d_name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0) {
        w->usage.partial = w->usage.partial || errno != ENOENT;
        return;
    }
    if (st.st_dev != w->dev)
        return;
    w->usage.files++;
    count(w, &st);
    if (S_ISDIR(st.st_mode))
        push(w, openat(dirfd(top), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

int disk_usage_tree(int dir, struct disk_usage *ret, struct err *e)
{
    struct stat st;
    _cleanup_(walk_clearp) struct walk *w = calloc(1, sizeof(*w));
    if (!w)
        return err_oom(e);
    if (fstat(dir, &st) < 0)
        return err_errno(e, "measure a directory");
    w->dev = st.st_dev;
    push(w, openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    while (w->depth > 0)
        step(w);
    *ret = w->usage;
    return 0;
}

int disk_usage_container(const struct container *c, struct disk_usage *ret, struct err *e)
{
    _cleanup_close_ int upper = path_open_beneath(c->dir, "rw/upper", O_PATH | O_DIRECTORY, 0, e);
    return upper < 0 ? upper : disk_usage_tree(upper, ret, e);
}

int disk_usage_volume(int dir, struct disk_usage *ret, struct err *e)
{
    _cleanup_close_ int data = volume_open_data(dir, e);
    return data < 0 ? data : disk_usage_tree(data, ret, e);
}
