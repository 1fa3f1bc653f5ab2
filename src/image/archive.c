/* SPDX-License-Identifier: Apache-2.0 */
/* Image archives (archive.h). Trusted; offsets and sizes come from a worker and are checked against the file. */
#include "image/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/path.h"
#include "base/worker.h"

#define MEMBERS_MAX 65536

static const struct worker_profile profile = {
    .program = "casemate-unpack",
    .neutral_userns = true,
    .memory_max = 1ULL << 30,
    .cpu_seconds = 3600,
    .files_max = 64,
};

void archive_close(const struct store *s, struct archive *a)
{
    struct err ignored = {0};
    close_fd(&a->fd);
    if (a->spool_dir >= 0)
        (void)path_remove_tree_at(s->staging, a->spool_name, &ignored);
    close_fd(&a->spool_dir);
    free(a->members);
    *a = (struct archive)ARCHIVE_INIT;
}

/* A file in staging/ that is removed by whoever finds our lock gone. */
static int make_spool(const struct store *s, struct archive *a, struct err *e)
{
    a->spool_dir = store_staging_make(s, a->spool_name, e);
    if (a->spool_dir < 0)
        return a->spool_dir;
    int fd = openat(a->spool_dir, "archive", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? err_errno(e, "create a file for the archive") : fd;
}

static bool is_seekable(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) == 0;
}

static int ask_worker(int archive_fd, int spool, int answer, struct message_unpack_index_done *ret_done,
                      struct err *e)
{
    _cleanup_worker_ struct worker w = WORKER_INIT;
    const struct message_unpack_index request = {.seekable = is_seekable(archive_fd)};
    const int fds[3] = {archive_fd, spool, answer};
    struct ipc_message *m = malloc(sizeof(*m));
    if (!m)
        return err_oom(e);
    m->fd_count = 0;
    int r = worker_start(&profile, &w, e);
    if (r == 0)
        r = ipc_send(w.socket, MESSAGE_UNPACK_INDEX, &request, sizeof(request), fds, 3, e);
    if (r == 0)
        r = worker_receive(&w, m, NULL, NULL, e);
    if (r == 0)
        r = ipc_expect(m, MESSAGE_UNPACK_INDEX_DONE, sizeof(*ret_done), 0, e);
    if (r == 0)
        memcpy(ret_done, m->payload, sizeof(*ret_done));
    ipc_message_clear(m);
    free(m);
    return r;
}

/* Reads the worker's table; every number and name is checked. */
static int take_members(struct archive *a, int answer, uint64_t count, struct err *e)
{
    struct stat st;
    if (count == 0)
        return err_set(e, EBADMSG, "the archive is empty");
    if (count > MEMBERS_MAX || fstat(answer, &st) < 0 || (uint64_t)st.st_size != count * sizeof(*a->members))
        return err_set(e, EBADMSG, "malformed answer of casemate-unpack");
    a->members = calloc(count, sizeof(*a->members));
    if (!a->members)
        return err_oom(e);
    if (lseek(answer, 0, SEEK_SET) < 0)
        return err_errno(e, "seek");
    ssize_t n = io_read_full(answer, a->members, count * sizeof(*a->members), e);
    if (n < 0 || (size_t)n != count * sizeof(*a->members))
        return n < 0 ? (int)n : err_set(e, EBADMSG, "malformed answer of casemate-unpack");
    for (size_t i = 0; i < count; i++) {
        const struct message_unpack_member *m = &a->members[i];
        if (!message_text_ok(m->name, sizeof(m->name)))
            return err_set(e, EBADMSG, "malformed answer of casemate-unpack");
        if (m->offset > a->size || m->size > a->size - m->offset)
            return err_set(e, EBADMSG, "the archive ends in the middle of %s", m->name);
    }
    a->count = count;
    return 0;
}

static int open_archive(const struct store *s, int archive_fd, struct archive *a, struct err *e)
{
    struct message_unpack_index_done done = {0};
    struct stat st;
    _cleanup_close_ int answer = memfd_create("members", MFD_CLOEXEC);
    if (answer < 0)
        return err_errno(e, "memfd_create");
    _cleanup_close_ int spool = make_spool(s, a, e);
    if (spool < 0)
        return spool;
    int r = ask_worker(archive_fd, spool, answer, &done, e);
    if (r < 0)
        return r;
    a->fd = done.in_place ? fcntl(archive_fd, F_DUPFD_CLOEXEC, 0) : steal_fd(&spool);
    if (a->fd < 0 || fstat(a->fd, &st) < 0)
        return err_errno(e, "open the archive");
    if (!S_ISREG(st.st_mode))
        return err_set(e, EBADMSG, "malformed answer of casemate-unpack");
    a->size = (uint64_t)st.st_size;
    return take_members(a, answer, done.members, e);
}

int archive_open(const struct store *s, int archive_fd, struct archive *ret_archive, struct err *e)
{
    struct archive a = ARCHIVE_INIT;
    int r = open_archive(s, archive_fd, &a, e);
    if (r < 0) {
        archive_close(s, &a);
        return r;
    }
    *ret_archive = a;
    return 0;
}

const struct message_unpack_member *archive_find(const struct archive *a, const char *name)
{
    for (size_t i = a->count; i > 0; i--)
        if (str_equal(a->members[i - 1].name, name))
            return &a->members[i - 1];
    return NULL;
}

int archive_member_fd(const struct archive *a, const struct message_unpack_member *m, struct err *e)
{
    _cleanup_close_ int fd = path_reopen(a->fd, O_RDONLY, e);
    if (fd < 0)
        return fd;
    if (lseek(fd, (off_t)m->offset, SEEK_SET) < 0)
        return err_errno(e, "seek in the archive");
    return steal_fd(&fd);
}

int archive_read(const struct archive *a, const struct message_unpack_member *m, size_t max,
                 struct buf *ret_data, struct err *e)
{
    if (m->size > max)
        return err_set(e, EFBIG, "it has %llu bytes (at most %zu)", (unsigned long long)m->size, max);
    size_t size = (size_t)m->size;
    int r = buf_reserve(ret_data, size, max, e);
    while (r == 0 && ret_data->length < size) {
        ssize_t n = pread(a->fd, ret_data->data + ret_data->length, size - ret_data->length,
                          (off_t)(m->offset + ret_data->length));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? err_errno(e, "read the archive")
                         : err_set(e, EBADMSG, "the archive ends in the middle of it");
        ret_data->length += (size_t)n;
        ret_data->data[ret_data->length] = '\0';
    }
    return r;
}
