/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the audit log (audit_files.h). Trusted; the directory belongs to root alone. */
#include "engine/audit_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"

#define DIRECTORY "audit"
#define HEAD "head"
#define HEAD_VERSION "1"
#define HEAD_SIZE 160 /* always: blanks fill it up, so that one pwrite(2) replaces all of it */
#define HEAD_WORDS 5
#define LOCK_WAIT \
    (5 * CLOCK_SECOND) /* a writer that syncs needs milliseconds; one that is stopped holds nobody up */
#define LOCK_PAUSE_US 200

int audit_lock(const struct store *s, bool exclusive, struct err *e)
{
    _cleanup_close_ int fd = openat(s->root, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        fd = path_make_dir_at(s->root, DIRECTORY, 0700, e);
    if (fd < 0)
        return err_wrap(e, "audit log");
    int operation = (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB;
    for (int64_t end = 0; flock(fd, operation) < 0;) {
        int64_t now = clock_monotonic();
        if (errno != EWOULDBLOCK && errno != EINTR)
            return err_errno(e, "lock the audit log");
        if (end == 0)
            end = now + LOCK_WAIT;
        if (now > end)
            return err_set(e, EBUSY, "the audit log has been locked by another command for %d seconds",
                           (int)(LOCK_WAIT / CLOCK_SECOND));
        (void)usleep(LOCK_PAUSE_US);
    }
    return steal_fd(&fd);
}

void audit_file_name(unsigned number, char *ret_name)
{
    (void)snprintf(ret_name, AUDIT_NAME_MAX, number ? "log.%u" : "log", number);
}

static int parse_head(char *text, struct audit_head *ret, struct err *e)
{
    struct audit_head h = {0};
    _cleanup_str_list_ struct str_list words = {0};
    text[strcspn(text, "\n")] = '\0';
    for (size_t n = strlen(text); n > 0 && text[n - 1] == ' '; n--)
        text[n - 1] = '\0';
    int r = str_list_split(text, ' ', HEAD_WORDS, &words, e);
    if (r == 0 && (words.count != HEAD_WORDS || !str_equal(words.items[0], HEAD_VERSION)))
        r = err_set(e, EBADMSG, "its version is not known");
    if (r == 0)
        r = num_parse_u64(words.items[1], UINT64_MAX, &h.first, e);
    if (r == 0)
        r = num_parse_u64(words.items[2], UINT64_MAX - 1, &h.chain.seq, e);
    if (r == 0)
        r = num_parse_u64(words.items[3], INT64_MAX, &h.size, e);
    if (r == 0)
        r = digest_parse_hex(words.items[4], &h.chain.last, e);
    if (r == 0)
        *ret = h;
    return r;
}

int audit_head_read(int dir, struct audit_head *ret, struct err *e)
{
    char text[HEAD_SIZE + 1] = {0};
    _cleanup_close_ int fd = openat(dir, HEAD, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_errno(e, "open audit/" HEAD);
    if (pread(fd, text, HEAD_SIZE, 0) < 0)
        return err_errno(e, "read audit/" HEAD);
    if (parse_head(text, ret, e) < 0) {
        (void)err_wrap(e, "audit/" HEAD);
        e->code = EBADMSG;
        return -EBADMSG;
    }
    return 1;
}

int audit_head_write(int dir, const struct audit_head *head, bool sync, struct err *e)
{
    char hex[DIGEST_HEX_LENGTH + 1];
    char text[HEAD_SIZE + 1];
    digest_format_hex(&head->chain.last, hex);
    int n = snprintf(text, sizeof(text), HEAD_VERSION " %llu %llu %llu %s", (unsigned long long)head->first,
                     (unsigned long long)head->chain.seq, (unsigned long long)head->size, hex);
    memset(text + n, ' ', HEAD_SIZE - (size_t)n - 1);
    text[HEAD_SIZE - 1] = '\n';
    _cleanup_close_ int fd =
        openat(dir, HEAD, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "open audit/" HEAD);
    ssize_t written = pwrite(fd, text, HEAD_SIZE, 0);
    if (written != HEAD_SIZE)
        return written < 0 ? err_errno(e, "write audit/" HEAD) : err_set(e, ENOSPC, "write audit/" HEAD);
    return sync && fdatasync(fd) < 0 ? err_errno(e, "write audit/" HEAD) : 0;
}

/* Number of the first record in a file; 0 when it has none. */
static uint64_t first_record(int dir, unsigned number)
{
    char name[AUDIT_NAME_MAX];
    struct err ignored = {0};
    _cleanup_audit_record_ struct audit_record r = {0};
    _cleanup_free_ char *text = malloc(AUDIT_LINE_MAX);
    audit_file_name(number, name);
    _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = fd < 0 || !text ? -1 : io_read_full(fd, text, AUDIT_LINE_MAX, &ignored);
    const char *end = n > 0 ? memchr(text, '\n', (size_t)n) : NULL;
    return end && audit_record_parse(text, (size_t)(end - text), &r, &ignored) == 0 ? r.seq : 0;
}

static bool file_exists(int dir, unsigned number)
{
    char name[AUDIT_NAME_MAX];
    audit_file_name(number, name);
    return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int audit_rotate(int dir, struct audit_head *head, struct err *e)
{
    unsigned free_number = 1;
    while (free_number < AUDIT_FILES_MAX - 1 && file_exists(dir, free_number))
        free_number++;
    if (file_exists(dir, free_number)) {
        uint64_t first = first_record(dir, free_number - 1);
        head->first = first > head->first ? first : head->first;
        int r = audit_head_write(dir, head, true, e);
        if (r < 0)
            return r;
    }
    for (unsigned number = free_number; number > 0; number--) {
        char from[AUDIT_NAME_MAX];
        char to[AUDIT_NAME_MAX];
        audit_file_name(number - 1, from);
        audit_file_name(number, to);
        if (renameat(dir, from, dir, to) < 0 && errno != ENOENT)
            return err_errno(e, "rename audit/%s", from);
    }
    return 0;
}
