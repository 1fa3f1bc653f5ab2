/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of ids (idpool.h). */
#include "store/idpool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/identity.h"
#include "base/ids.h"
#include "base/io.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"

#define NAME_SIZE 16
#define HOLDER_MAX 256
#define JOINED_NAME_SIZE (NAME_SIZE + HOLDER_MAX)

/* Where to look first: only a hint, so that two commands that read the same value just try twice. */
static unsigned read_hint(int dir)
{
    _cleanup_buf_ struct buf text = {0};
    struct err ignored = {0};
    uint64_t next = 0;
    if (io_read_file_at(dir, "next", NAME_SIZE, &text, &ignored) < 0 || !text.data ||
        num_parse_u64(text.data, identity_containers_max(), &next, &ignored) < 0 || next == 0)
        return 1;
    return (unsigned)next;
}

/* In place: half a hint is no harm, and a killed command leaves no temporary file. */
static void write_hint(int dir, unsigned next)
{
    char text[NAME_SIZE];
    struct err ignored = {0};
    int n = snprintf(text, sizeof(text), "%u", next);
    _cleanup_close_ int fd = openat(dir, "next", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)io_write_all(fd, text, (size_t)n, &ignored);
}

/* A nameless file that holds the id: with its name it gets everything at once, so no claim is ever without a holder. */
static int write_claim(int dir, const char *container_id, struct err *e)
{
    _cleanup_close_ int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "claim an id block");
    int r = io_write_all(fd, container_id, strlen(container_id), e);
    return r < 0 ? r : steal_fd(&fd);
}

int idpool_claim(const struct store *s, const char *container_id, struct err *e)
{
    _cleanup_close_ int dir = path_make_dir_at(s->run, IDPOOL_DIR, 0700, e);
    if (dir < 0)
        return dir;
    _cleanup_close_ int claim = write_claim(dir, container_id, e);
    if (claim < 0)
        return claim;
    char path[32];
    /* Not by AT_EMPTY_PATH, which before Linux 6.10 only root may. */
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", claim);
    unsigned start = read_hint(dir);
    unsigned last = identity_containers_max();
    for (unsigned i = 0; i < last; i++) {
        unsigned block = (start - 1 + i) % last + 1;
        char name[NAME_SIZE];
        (void)snprintf(name, sizeof(name), "%u", block);
        if (linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) < 0) {
            if (errno == EEXIST)
                continue;
            return err_errno(e, "claim an id block");
        }
        write_hint(dir, block % last + 1);
        return (int)block;
    }
    return err_set(e, EUSERS, "all %u id blocks are in use: stop some containers", last);
}

static void joined_name(unsigned block, const char *container_id, char ret[JOINED_NAME_SIZE])
{
    (void)snprintf(ret, JOINED_NAME_SIZE, "%u.%s", block, container_id);
}

int idpool_join(const struct store *s, unsigned block, const char *container_id, struct err *e)
{
    char name[JOINED_NAME_SIZE];
    _cleanup_close_ int dir = path_make_dir_at(s->run, IDPOOL_JOINED_DIR, 0700, e);
    if (dir < 0)
        return dir;
    joined_name(block, container_id, name);
    _cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? err_errno(e, "join id block %u", block) : 0;
}

/* One container that has joined the block: 1 and its id, or 0. */
static int find_joined(const struct store *s, unsigned block, char ret_id[HOLDER_MAX])
{
    char prefix[NAME_SIZE];
    int n = snprintf(prefix, sizeof(prefix), "%u.", block);
    _cleanup_close_ int fd =
        openat(s->run, IDPOOL_JOINED_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return 0;
    (void)steal_fd(&fd);
    for (struct dirent *entry; (entry = readdir(d));) {
        if (strncmp(entry->d_name, prefix, (size_t)n) != 0 || strlen(entry->d_name + n) >= HOLDER_MAX)
            continue;
        (void)snprintf(ret_id, HOLDER_MAX, "%s", entry->d_name + n);
        return 1;
    }
    return 0;
}

static void leave(const struct store *s, unsigned block, const char *container_id)
{
    char name[JOINED_NAME_SIZE];
    joined_name(block, container_id, name);
    _cleanup_close_ int dir =
        openat(s->run, IDPOOL_JOINED_DIR, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir >= 0)
        (void)unlinkat(dir, name, 0);
}

/* The claim gets another holder in one step: the block is never free in between. */
static int hand_over(const struct store *s, int dir, const char *name, unsigned block, const char *to,
                     struct err *e)
{
    int r = io_replace_file_at(dir, name, to, strlen(to), 0600, false, e);
    if (r == 0)
        leave(s, block, to);
    return r;
}

int idpool_release(const struct store *s, unsigned block, const char *container_id, struct err *e)
{
    char name[NAME_SIZE];
    char next[HOLDER_MAX];
    _cleanup_buf_ struct buf holder = {0};
    struct err absent = {0};
    _cleanup_close_ int dir = path_make_dir_at(s->run, IDPOOL_DIR, 0700, e);
    if (dir < 0)
        return dir;
    leave(s, block, container_id);
    (void)snprintf(name, sizeof(name), "%u", block);
    if (io_read_file_at(dir, name, HOLDER_MAX, &holder, &absent) < 0)
        return 0;
    if (!holder.data || !str_equal(holder.data, container_id))
        return 0;
    if (find_joined(s, block, next))
        return hand_over(s, dir, name, block, next, e);
    return unlinkat(dir, name, 0) < 0 && errno != ENOENT ? err_errno(e, "release id block %u", block) : 0;
}

void idpool_for_each(const struct store *s,
                     void (*visit)(unsigned block, const char *container_id, void *context), void *context)
{
    struct err ignored = {0};
    _cleanup_close_ int dir = path_make_dir_at(s->run, IDPOOL_DIR, 0700, &ignored);
    _cleanup_closedir_ DIR *d = dir < 0 ? NULL : fdopendir(dir);
    if (!d)
        return;
    (void)steal_fd(&dir);
    for (struct dirent *entry; (entry = readdir(d));) {
        uint64_t block;
        _cleanup_buf_ struct buf holder = {0};
        if (num_parse_u64(entry->d_name, IDS_BLOCK_COUNT, &block, &ignored) == 0 && block > 0 &&
            io_read_file_at(dirfd(d), entry->d_name, HOLDER_MAX, &holder, &ignored) == 0)
            visit((unsigned)block, holder.data ? holder.data : "", context);
    }
}
