/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the audit log (audit_read.h). Files are opened and measured under the lock, and read without it: they only grow. */
#include "engine/audit_read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "engine/audit_files.h"

struct files {
    int fd[AUDIT_FILES_MAX]; /* by number; -1: there is none */
    uint64_t size[AUDIT_FILES_MAX];
    struct audit_head head;
    bool has_head;
};

static void files_close(struct files *f)
{
    for (size_t i = 0; i < AUDIT_FILES_MAX; i++)
        close_fd(&f->fd[i]);
}
#define _cleanup_files_ _cleanup_(files_close)

static int open_file(int dir, unsigned number, struct files *f, struct err *e)
{
    char name[AUDIT_NAME_MAX];
    struct stat st;
    audit_file_name(number, name);
    f->fd[number] = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (f->fd[number] < 0 && errno == ENOENT)
        return 0;
    if (f->fd[number] < 0 || fstat(f->fd[number], &st) < 0)
        return err_errno(e, "open audit/%s", name);
    if (!S_ISREG(st.st_mode) || st.st_size > AUDIT_READ_MAX)
        return err_set(e, EBADMSG, "%s: it is no file that Casemate writes", name);
    f->size[number] = (uint64_t)st.st_size;
    return 0;
}

static int files_open(const struct store *s, struct files *f, struct err *e)
{
    for (size_t i = 0; i < AUDIT_FILES_MAX; i++)
        f->fd[i] = -1;
    _cleanup_close_ int dir = audit_lock(s, false, e);
    int r = dir < 0 ? dir : audit_head_read(dir, &f->head, e);
    if (r < 0 && r != -EBADMSG)
        return r;
    f->has_head = r == 1;
    if (r == -EBADMSG)
        err_clear(e);
    for (unsigned i = 0; i < AUDIT_FILES_MAX; i++) {
        r = open_file(dir, i, f, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_file(const struct files *f, unsigned number, struct buf *b, struct err *e)
{
    b->length = 0;
    int r = buf_reserve(b, f->size[number], AUDIT_READ_MAX, e);
    if (r < 0)
        return r;
    while (b->length < f->size[number]) {
        ssize_t n = pread(f->fd[number], b->data + b->length, f->size[number] - b->length, (off_t)b->length);
        if (n < 0)
            return err_errno(e, "read the audit log");
        if (n == 0)
            break;
        b->length += (size_t)n;
    }
    return 0;
}

/* A record that admits a loss is none that verify accepts. */
static int count_record(const struct audit_record *r, void *context, struct err *e)
{
    struct audit_summary *sum = context;
    sum->count++;
    sum->torn += str_equal(r->event, audit_kind_name(AUDIT_TORN));
    if (str_equal(r->event, audit_kind_name(AUDIT_HEAD_LOST)))
        return err_set(
            e, EBADMSG,
            "record %llu: audit/head was gone when it was written; what came before may be cut off",
            (unsigned long long)r->seq);
    return 0;
}

/* What the writers said last about both ends of the log. */
static int check_head(const struct files *f, const struct audit_scan *scan, struct err *e)
{
    const struct audit_head *h = &f->head;
    if (!f->has_head && scan->chain.seq == 0)
        return 0;
    if (!f->has_head)
        return err_set(e, EBADMSG, "head: it is missing, or not what Casemate writes");
    if (h->chain.seq > scan->chain.seq)
        return err_set(e, EBADMSG, "record %llu: it is missing, and so is all up to record %llu",
                       (unsigned long long)scan->chain.seq + 1, (unsigned long long)h->chain.seq);
    if (h->chain.seq > 0 && !digest_equal(&h->chain.last, &scan->watched))
        return err_set(e, EBADMSG, "record %llu: it is not the one that was written",
                       (unsigned long long)h->chain.seq);
    return 0;
}

static int check_begin(const struct files *f, const struct audit_scan *scan, struct err *e)
{
    if (scan->begun && f->has_head && scan->first > f->head.first)
        return err_set(e, EBADMSG, "record %llu: it is missing, and so is all up to record %llu",
                       (unsigned long long)f->head.first, (unsigned long long)scan->first - 1);
    return 0;
}

static int scan_files(const struct files *f, struct audit_scan *scan, struct audit_summary *sum,
                      struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    char name[AUDIT_NAME_MAX];
    for (unsigned number = AUDIT_FILES_MAX; number-- > 0;) {
        if (f->fd[number] < 0)
            continue;
        if (scan->torn) /* only the newest file may end so */
            return err_set(e, EBADMSG, "record %llu: it is no record",
                           (unsigned long long)scan->chain.seq + 1);
        audit_file_name(number, name);
        int r = read_file(f, number, &text, e);
        if (r == 0)
            r = audit_scan_text(scan, name, text.data ? text.data : "", text.length, count_record, sum, e);
        if (r == 0)
            r = check_begin(f, scan, e);
        if (r < 0)
            return r;
    }
    return 0;
}

int audit_verify(const struct store *s, struct audit_summary *ret, struct err *e)
{
    _cleanup_files_ struct files f = {0};
    struct audit_scan scan = {0};
    struct audit_summary sum = {0};
    int r = files_open(s, &f, e);
    scan.watch = f.head.chain.seq;
    if (r == 0)
        r = scan_files(&f, &scan, &sum, e);
    if (r == 0)
        r = check_head(&f, &scan, e);
    if (r < 0)
        return r;
    sum.first = scan.first;
    sum.last = scan.chain.seq;
    sum.digest = scan.chain.last;
    sum.torn += scan.torn;
    *ret = sum;
    return 0;
}

static int visit_lines(const struct buf *text, audit_visit visit, void *context, uint64_t *skipped,
                       struct err *e)
{
    for (size_t at = 0; at < text->length;) {
        struct err none = {0};
        _cleanup_audit_record_ struct audit_record r = {0};
        const char *newline = memchr(text->data + at, '\n', text->length - at);
        size_t n = newline ? (size_t)(newline - text->data) - at : text->length - at;
        bool good = newline && audit_record_parse(text->data + at, n, &r, &none) == 0;
        int stop = good ? visit(&r, context, e) : 0;
        if (stop < 0)
            return stop;
        *skipped += !good;
        at += n + 1;
    }
    return 0;
}

int audit_for_each(const struct store *s, audit_visit visit, void *context, uint64_t *ret_skipped,
                   struct err *e)
{
    _cleanup_files_ struct files f = {0};
    _cleanup_buf_ struct buf text = {0};
    uint64_t skipped = 0;
    int r = files_open(s, &f, e);
    for (unsigned number = AUDIT_FILES_MAX; number-- > 0 && r == 0;) {
        if (f.fd[number] < 0)
            continue;
        r = read_file(&f, number, &text, e);
        if (r == 0)
            r = visit_lines(&text, visit, context, &skipped, e);
    }
    if (r == 0)
        *ret_skipped = skipped;
    return r;
}
