/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying a container's log (logs_verify.h): every line of every file, oldest first, against number and hash. */
#include "engine/logs_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "engine/logs_files.h"

#define CHUNK 65536
#define LOST_MEMBER ",\"lost\":"
#define ROTATION_TRIES 8 /* that many rotations while the files are opened: then it says so */

struct verifier {
    const char *id;
    const struct logs_anchor *anchors;
    size_t anchor_count;
    struct logs_summary sum;
    struct logchain chain; /* the record before */
    struct buf tail;       /* its tail, when it is in the same file */
    bool has_tail;
    struct buf line;      /* what of a line has been read */
    unsigned file;        /* number of the file at hand */
    uint64_t line_number; /* in it */
};

static void verifier_clear(struct verifier *v)
{
    buf_clear(&v->line);
    buf_clear(&v->tail);
}
#define _cleanup_verifier_ _cleanup_(verifier_clear)

/* The parts of a line. */
struct parts {
    const char *text;
    size_t text_length, tail_length; /* the tail follows the text */
    struct logchain chain;           /* as it says itself */
};

static int bad(const struct verifier *v, struct err *e, const char *what)
{
    char name[LOGS_NAME_MAX];
    logs_file_name(v->file, name);
    return err_set(e, EBADMSG, "record %llu is not intact: %s line %llu %s",
                   (unsigned long long)v->chain.number + 1, name, (unsigned long long)v->line_number, what);
}

/* Where the text ends: the first quotation mark that is not escaped; NULL when there is none. */
static const char *text_end(const char *at, const char *end)
{
    for (; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at : NULL;
}

static bool split(const char *line, size_t length, struct parts *ret)
{
    struct parts p = {0};
    size_t member = logchain_parse_member(line, length, &p.chain);
    if (member == 0 || length < LOGCHAIN_HEAD_LENGTH + member ||
        memcmp(line, LOGCHAIN_HEAD, LOGCHAIN_HEAD_LENGTH) != 0)
        return false;
    p.text = line + LOGCHAIN_HEAD_LENGTH;
    const char *tail = text_end(p.text, line + length - member);
    if (!tail)
        return false;
    p.text_length = (size_t)(tail - p.text);
    p.tail_length = length - member - LOGCHAIN_HEAD_LENGTH - p.text_length;
    *ret = p;
    return true;
}

/* The bytes that a gap says are missing: the last member of a tail. */
static uint64_t lost_of(const char *tail, size_t length)
{
    char digits[24] = {0};
    uint64_t lost = 0;
    struct err ignored = {0};
    size_t n = 0;
    while (n < length && n < sizeof(digits) - 1 && tail[length - 1 - n] >= '0' && tail[length - 1 - n] <= '9')
        n++;
    if (n == 0 || length - n < sizeof(LOST_MEMBER) - 1 ||
        memcmp(tail + length - n - (sizeof(LOST_MEMBER) - 1), LOST_MEMBER, sizeof(LOST_MEMBER) - 1) != 0)
        return 0;
    memcpy(digits, tail + length - n, n);
    return num_parse_u64(digits, UINT64_MAX, &lost, &ignored) == 0 ? lost : 0;
}

static bool same_hash(const struct logchain *a, const struct logchain *b)
{
    return memcmp(a->state, b->state, sizeof(a->state)) == 0;
}

/* The record just passed is one whose hash is known from elsewhere too. */
static int check_known(const struct verifier *v, struct err *e)
{
    const struct logchain *c = &v->chain;
    unsigned long long number = c->number;
    if (number == v->sum.state.last.number && !same_hash(c, &v->sum.state.last))
        return err_set(e, EBADMSG, "record %llu is not intact: its hash is not the one that log/head has",
                       number);
    for (size_t i = 0; i < v->anchor_count; i++)
        if (v->anchors[i].last.number == number && !same_hash(c, &v->anchors[i].last))
            return err_set(e, EBADMSG,
                           "record %llu is not intact: its hash is not the one that the audit log has",
                           number);
    return 0;
}

static int keep_tail(struct verifier *v, const struct parts *p, struct err *e)
{
    v->tail.length = 0;
    v->has_tail = true;
    return buf_add(&v->tail, p->text + p->text_length, p->tail_length, LOGS_LINE_MAX, e);
}

static int check_record(struct verifier *v, const struct parts *p, struct err *e)
{
    const char *tail = p->text + p->text_length;
    struct logchain next = v->chain;
    bool same = v->has_tail && v->tail.length == p->tail_length && v->tail.data &&
                memcmp(v->tail.data, tail, p->tail_length) == 0;
    logchain_add(&next, p->text, p->text_length + (same ? 0 : p->tail_length));
    if (!same_hash(&next, &p->chain))
        return bad(v, e, "does not have the hash of what stands there");
    v->chain = next;
    v->sum.first = v->sum.first ? v->sum.first : next.number;
    v->sum.last = next.number;
    v->sum.lost += lost_of(tail, p->tail_length);
    int r = check_known(v, e);
    return r < 0 ? r : keep_tail(v, p, e);
}

static int out_of_order(const struct verifier *v, uint64_t number, struct err *e)
{
    char what[96];
    (void)snprintf(what, sizeof(what), "is record %llu", (unsigned long long)number);
    return bad(v, e, what);
}

/* A line with its newline. */
static int take_line(struct verifier *v, const char *line, size_t length, struct err *e)
{
    struct parts p;
    v->line_number++;
    if (!split(line, length, &p)) {
        if (v->sum.state.origin != LOGCHAIN_UNCHAINED || v->chain.number > 0)
            return bad(v, e, "is no record");
        v->sum.unchained++;
        return 0;
    }
    /* A rotation that was cut short has announced that these go. */
    if (v->sum.first == 0 && p.chain.number <= v->sum.state.before.number)
        return 0;
    if (p.chain.number != v->chain.number + 1)
        return out_of_order(v, p.chain.number, e);
    return check_record(v, &p, e);
}

static int take_data(struct verifier *v, const char *data, size_t length, struct err *e)
{
    while (length > 0) {
        const char *end = memchr(data, '\n', length);
        size_t n = end ? (size_t)(end - data) + 1 : length;
        bool whole = end && v->line.length == 0;
        struct err full = {0};
        if (!whole && buf_add(&v->line, data, n, LOGS_LINE_MAX, &full) < 0) {
            v->line_number++;
            return bad(v, e, "is longer than any record");
        }
        int r = 0;
        if (end)
            r = whole ? take_line(v, data, n, e) : take_line(v, v->line.data, v->line.length, e);
        if (end)
            v->line.length = 0;
        if (r < 0)
            return r;
        data += n;
        length -= n;
    }
    return 0;
}

static int take_file(struct verifier *v, int fd, unsigned number, struct err *e)
{
    char data[CHUNK];
    v->file = number;
    v->line_number = 0;
    v->has_tail = false;
    for (ssize_t n; (n = read(fd, data, sizeof(data))) != 0;) {
        if (n < 0)
            return err_errno(e, "read the log");
        int r = take_data(v, data, (size_t)n, e);
        if (r < 0)
            return r;
    }
    if (v->line.length == 0)
        return 0;
    v->line.length = 0;
    v->line_number++;
    if (number > 0)
        return bad(v, e, "has no end");
    v->sum.torn = true;
    return 0;
}

static int check_end(const struct verifier *v, struct err *e)
{
    const struct logchain_state *s = &v->sum.state;
    uint64_t most = s->last.number;
    const char *who = "log/head";
    for (size_t i = 0; i < v->anchor_count; i++)
        if (v->anchors[i].last.number > most) {
            most = v->anchors[i].last.number;
            who = "the audit log";
        }
    if (v->chain.number < most)
        return err_set(e, EBADMSG,
                       "record %llu is not intact: it is missing, and with it the end of the log up to "
                       "record %llu, which %s has",
                       (unsigned long long)v->chain.number + 1, (unsigned long long)most, who);
    if (s->origin == LOGCHAIN_HEAD_LOST)
        return err_set(e, EBADMSG,
                       "log/head has been removed, and made anew behind record %llu: nobody knows what the "
                       "log had before",
                       (unsigned long long)s->last.number);
    return 0;
}

/* Without a run since the anchor nothing can have been rotated away. */
static int check_begin(const struct verifier *v, struct err *e)
{
    const struct logchain_state *s = &v->sum.state;
    struct logchain begin;
    logchain_begin(&begin, v->id);
    if (s->before.number == 0 && !same_hash(&begin, &s->before))
        return err_set(e, EBADMSG, "record 1 is not intact: log/head is not that of this container");
    for (size_t i = 0; i < v->anchor_count; i++) {
        const struct logs_anchor *a = &v->anchors[i];
        if (a->last.number == s->last.number && a->before < s->before.number)
            return err_set(e, EBADMSG,
                           "record %llu is not intact: records up to %llu were removed, and not by rotation",
                           (unsigned long long)a->before + 1, (unsigned long long)s->before.number);
    }
    return 0;
}

int logs_read_state(int log_dir, struct logchain_state *ret, struct err *e)
{
    char text[LOGCHAIN_STATE_SIZE];
    _cleanup_close_ int fd =
        openat(log_dir, LOGCHAIN_STATE_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_errno(e, "open log/head");
    ssize_t n = pread(fd, text, sizeof(text), 0);
    if (n < 0)
        return err_errno(e, "read log/head");
    if (n != (ssize_t)sizeof(text) || logchain_state_parse(text, ret) < 0)
        return err_set(e, EBADMSG, "log/head is not what a shim writes");
    return 1;
}

/* Head and files that belong together: no rotation in between. */
static int open_all(struct verifier *v, int log_dir, struct logs_files *files, struct err *e)
{
    for (int tries = 0; tries < ROTATION_TRIES; tries++) {
        struct logchain_state after = {0};
        logs_files_close(files);
        int r = logs_read_state(log_dir, &v->sum.state, e);
        if (r == 1)
            r = logs_files_open(log_dir, files, e);
        else if (r == 0)
            return logs_files_open(log_dir, files, e);
        if (r == 0)
            r = logs_read_state(log_dir, &after, e);
        if (r < 0)
            return r;
        if (r == 1 && after.before.number == v->sum.state.before.number)
            return 1;
    }
    return err_set(e, EAGAIN, "the log rotates faster than it can be read: try again");
}

static bool has_bytes(const struct logs_files *files)
{
    struct stat st;
    for (size_t i = 0; i < files->count; i++)
        if (fstat(files->fds[i], &st) == 0 && st.st_size > 0)
            return true;
    return false;
}

/* Without a head: there is no log, or one of an older version, or the head was removed. */
static int verify_headless(struct verifier *v, const struct logs_files *files, struct err *e)
{
    if (v->anchor_count > 0)
        return err_set(e, EBADMSG, "log/head is missing: the log has been removed or replaced");
    if (!has_bytes(files))
        return 0;
    v->sum.state.origin = LOGCHAIN_UNCHAINED;
    for (size_t i = files->count; i-- > 0;) {
        int r = take_file(v, files->fds[i], (unsigned)i, e);
        if (r < 0)
            return r;
    }
    return v->sum.last > 0 ? err_set(e, EBADMSG, "log/head is missing: it has been removed") : 0;
}

int logs_verify(int log_dir, const char *id, const struct logs_anchor *anchors, size_t anchor_count,
                struct logs_summary *ret, struct err *e)
{
    _cleanup_verifier_ struct verifier v = {.id = id, .anchors = anchors, .anchor_count = anchor_count};
    _cleanup_logs_files_ struct logs_files files = {.count = 0};
    logchain_begin(&v.chain, id);
    int r = open_all(&v, log_dir, &files, e);
    if (r == 0)
        r = verify_headless(&v, &files, e);
    else if (r > 0) {
        r = check_begin(&v, e);
        v.chain = v.sum.state.before;
        for (size_t i = files.count; i-- > 0 && r == 0;)
            r = take_file(&v, files.fds[i], (unsigned)i, e);
        if (r == 0)
            r = check_end(&v, e);
    }
    if (r == 0)
        *ret = v.sum;
    return r;
}
