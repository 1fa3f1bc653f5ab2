/* SPDX-License-Identifier: Apache-2.0 */
/* Which project ids are taken (quota.h): one file each, so that claiming costs the same with one or with many. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "store/quota.h"

#define DIRECTORY "projects"
#define NAME_SIZE 16
#define OWNER_MAX 256
#define LAST (QUOTA_PROJECT_FIRST + QUOTA_PROJECT_COUNT - 1)

/* Only a hint of where to look first. */
static uint32_t read_hint(int dir)
{
    _cleanup_buf_ struct buf text = {0};
    struct err ignored = {0};
    uint64_t next = 0;
    if (io_read_file_at(dir, "next", NAME_SIZE, &text, &ignored) < 0 || !text.data ||
        num_parse_u64(text.data, LAST, &next, &ignored) < 0 || next < QUOTA_PROJECT_FIRST)
        return QUOTA_PROJECT_FIRST;
    return (uint32_t)next;
}

static void write_hint(int dir, uint32_t taken)
{
    char text[NAME_SIZE];
    struct err ignored = {0};
    int n = snprintf(text, sizeof(text), "%u", taken == LAST ? QUOTA_PROJECT_FIRST : taken + 1);
    _cleanup_close_ int fd = openat(dir, "next", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)io_write_all(fd, text, (size_t)n, &ignored);
}

/* Locked and written before it has a name. */
static int write_claim(int dir, const char *owner, struct err *e)
{
    _cleanup_close_ int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        return err_errno(e, "claim a project id");
    int r = io_write_all(fd, owner, strlen(owner), e);
    return r < 0 ? r : steal_fd(&fd);
}

int quota_claim(const struct store *s, const char *owner, uint32_t *ret_project, int *ret_lock, struct err *e)
{
    _cleanup_close_ int dir = path_make_dir_at(s->root, DIRECTORY, 0700, e);
    _cleanup_close_ int claim = dir < 0 ? dir : write_claim(dir, owner, e);
    if (claim < 0)
        return claim;
    uint32_t start = read_hint(dir) - QUOTA_PROJECT_FIRST;
    for (uint32_t i = 0; i < QUOTA_PROJECT_COUNT; i++) {
        uint32_t project = QUOTA_PROJECT_FIRST + (start + i) % QUOTA_PROJECT_COUNT;
        char name[NAME_SIZE];
        (void)snprintf(name, sizeof(name), "%u", project);
        if (linkat(claim, "", dir, name, AT_EMPTY_PATH) < 0) {
            if (errno == EEXIST)
                continue;
            return err_errno(e, "claim a project id");
        }
        write_hint(dir, project);
        *ret_project = project;
        *ret_lock = steal_fd(&claim);
        return 0;
    }
    return err_set(e, EUSERS, "all %u project ids are in use: remove containers or volumes",
                   QUOTA_PROJECT_COUNT);
}

void quota_release(const struct store *s, uint32_t project)
{
    char name[NAME_SIZE + sizeof(DIRECTORY)];
    struct err ignored = {0};
    const struct quota_limit none = {QUOTA_NONE, QUOTA_NONE};
    if (project < QUOTA_PROJECT_FIRST || project > LAST)
        return;
    (void)quota_set(s->root, project, &none, &ignored);
    (void)snprintf(name, sizeof(name), DIRECTORY "/%u", project);
    (void)unlinkat(s->root, name, 0);
}

static void sweep_one(const struct store *s, int dir, const char *name,
                      bool (*exists)(const struct store *s, const char *owner))
{
    struct err ignored = {0};
    uint64_t project = 0;
    _cleanup_buf_ struct buf owner = {0};
    if (num_parse_u64(name, LAST, &project, &ignored) < 0)
        return;
    _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || io_read_to_end(fd, OWNER_MAX, &owner, &ignored) < 0)
        return;
    if (!owner.data || !exists(s, owner.data))
        quota_release(s, (uint32_t)project);
}

void quota_sweep(const struct store *s, bool (*exists)(const struct store *s, const char *owner))
{
    _cleanup_close_ int dir = openat(s->root, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = dir < 0 ? NULL : fdopendir(dir);
    if (!d)
        return;
    (void)steal_fd(&dir);
    for (struct dirent *entry; (entry = readdir(d));)
        sweep_one(s, dirfd(d), entry->d_name, exists);
}
