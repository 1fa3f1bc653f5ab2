/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing to the audit log (audit_log.h). The fast path reads the head, finds that `log` has the size it says, and appends; anything else
 * is looked at, and what a killed writer has left is closed off (audit_scan.h). What somebody has changed is never repaired: the chain
 * goes on such that `casemate log verify` names the place.
 */
#include "engine/audit_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "engine/audit_files.h"
#include "engine/audit_scan.h"
#include "plan/secret_text.h"

#define PLAIN_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%"
#define WORDS_MAX (2 * AUDIT_TEXT_MAX)

struct writer {
    int dir, log;
    uint64_t size; /* of `log` */
    struct audit_head head;
    struct audit_chain chain; /* what the next record follows */
    bool newline;             /* `log` does not end with one */
    bool torn;                /* a torn region is to be closed off first */
    uint64_t torn_bytes;
    bool head_lost;
};

static void writer_close(struct writer *w)
{
    close_fd(&w->log);
    close_fd(&w->dir);
}
#define _cleanup_writer_ _cleanup_(writer_close)

static char warning[ERR_TEXT_MAX];

const char *audit_log_warning(void)
{
    return *warning ? warning : NULL;
}

static int open_log(struct writer *w, struct err *e)
{
    struct stat st;
    w->log = openat(w->dir, "log", O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (w->log < 0 || fstat(w->log, &st) < 0)
        return err_errno(e, "open audit/log");
    if (!S_ISREG(st.st_mode))
        return err_set(e, EINVAL, "audit/log is not a regular file");
    w->size = (uint64_t)st.st_size;
    return 0;
}

static bool ends_without_newline(const struct writer *w)
{
    char last = '\n';
    if (w->size > 0 && pread(w->log, &last, 1, (off_t)w->size - 1) != 1)
        return true;
    return last != '\n';
}

/* A rotation was cut short between the two names of the newest file. */
static bool just_rotated(const struct writer *w)
{
    struct stat st;
    return w->size == 0 && fstatat(w->dir, "log.1", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (uint64_t)st.st_size == w->head.size;
}

/* Looks at what stands behind `from`. Records that follow the chain move it on; whatever else is there stays for verify to name. */
static int catch_up(struct writer *w, uint64_t from, struct audit_scan *scan, struct err *e)
{
    struct err changed = {0};
    struct digest region;
    _cleanup_buf_ struct buf text = {0};
    w->newline = ends_without_newline(w);
    if (w->size - from > AUDIT_READ_MAX)
        return 0;
    int r = buf_reserve(&text, w->size - from, AUDIT_READ_MAX, e);
    if (r < 0)
        return r;
    ssize_t n = pread(w->log, text.data, w->size - from, (off_t)from);
    if (n < 0)
        return err_errno(e, "read audit/log");
    r = audit_scan_text(scan, "log", text.data, (size_t)n, NULL, NULL, &changed);
    w->chain = scan->chain;
    if (r < 0 || !scan->torn)
        return 0;
    digest_of(text.data + scan->torn_start, scan->torn_length, &region);
    w->chain.last = region;
    w->torn = true;
    w->torn_bytes = scan->torn_length;
    return 0;
}

/* Without a head: a new log, or one whose head is lost. */
static int begin_without_head(struct writer *w, struct err *e)
{
    struct audit_scan scan = {0};
    w->head = (struct audit_head){.first = 1};
    w->head_lost = w->size > 0 || faccessat(w->dir, "log.1", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    int r = w->size > 0 ? catch_up(w, 0, &scan, e) : 0;
    if (scan.begun)
        w->head.first = scan.first;
    return r == 0 && !w->head_lost ? audit_head_write(w->dir, &w->head, false, e) : r;
}

static int writer_open(const struct store *s, struct writer *w, struct err *e)
{
    w->dir = audit_lock(s, true, e);
    int r = w->dir < 0 ? w->dir : open_log(w, e);
    if (r == 0)
        r = audit_head_read(w->dir, &w->head, e);
    if (r == 0 || r == -EBADMSG) {
        err_clear(e);
        return begin_without_head(w, e);
    }
    if (r < 0)
        return r;
    w->chain = w->head.chain;
    if (w->size == w->head.size || just_rotated(w))
        return 0;
    if (w->size > w->head.size) {
        struct audit_scan scan = {.begun = true, .chain = w->chain};
        return catch_up(w, w->head.size, &scan, e);
    }
    w->newline = ends_without_newline(w);
    return 0;
}

static int format_events(struct writer *w, const struct audit_event *events, size_t count, struct buf *b,
                         uint64_t *ret_seq, struct err *e)
{
    struct audit_actor who;
    int64_t now = clock_now();
    audit_actor_self(&who);
    int r = w->newline ? buf_add(b, "\n", 1, AUDIT_BATCH_MAX, e) : 0;
    if (r == 0 && w->torn)
        r = audit_record_format(&(struct audit_event){.kind = AUDIT_TORN, .bytes = w->torn_bytes}, &who, now,
                                &w->chain, AUDIT_BATCH_MAX, b, e);
    if (r == 0 && w->head_lost)
        r = audit_record_format(&(struct audit_event){.kind = AUDIT_HEAD_LOST}, &who, now, &w->chain,
                                AUDIT_BATCH_MAX, b, e);
    *ret_seq = w->chain.seq + 1;
    for (size_t i = 0; i < count && r == 0; i++)
        r = audit_record_format(&events[i], &who, now, &w->chain, AUDIT_BATCH_MAX, b, e);
    return r;
}

static int make_room(struct writer *w, size_t length, struct err *e)
{
    if (w->size == 0 || w->newline || w->torn || w->size + length <= AUDIT_FILE_MAX)
        return 0;
    int r = audit_rotate(w->dir, &w->head, e);
    if (r < 0)
        return r;
    close_fd(&w->log);
    return open_log(w, e);
}

/* All or nothing: a part that found room is taken back. */
static int write_batch(struct writer *w, const struct buf *b, bool sync, struct err *e)
{
    ssize_t n = write(w->log, b->data, b->length);
    int r = 0;
    if (n < 0)
        r = err_errno(e, "write audit/log");
    else if ((size_t)n != b->length)
        r = err_set(e, ENOSPC, "write audit/log: No space left on device");
    if (r == 0 && sync && fdatasync(w->log) < 0)
        r = err_errno(e, "flush audit/log");
    if (r == 0 && sync && w->size == 0 && fsync(w->dir) < 0)
        r = err_errno(e, "flush audit/");
    if (r < 0 && n > 0 && ftruncate(w->log, (off_t)w->size) < 0)
        return r; /* the next writer closes it off */
    return r;
}

int audit_log_append(const struct store *s, const struct audit_event *events, size_t count, bool sync,
                     uint64_t *ret_seq, struct err *e)
{
    _cleanup_writer_ struct writer w = {.dir = -1, .log = -1};
    _cleanup_buf_ struct buf b = {0};
    uint64_t seq = 0;
    int r = writer_open(s, &w, e);
    if (r == 0)
        r = format_events(&w, events, count, &b, &seq, e);
    if (r == 0)
        r = make_room(&w, b.length, e);
    if (r == 0)
        r = write_batch(&w, &b, sync, e);
    if (r < 0)
        return r;
    w.head.chain = w.chain;
    w.head.size = w.size + b.length;
    r = audit_head_write(w.dir, &w.head, sync, e);
    if (r == 0 && ret_seq)
        *ret_seq = seq;
    return r;
}

/* False when they could not be recorded. */
static bool note_all(const struct store *s, const struct audit_event *events, size_t count)
{
    struct err e = {0};
    if (audit_log_append(s, events, count, false, NULL, &e) == 0)
        return true;
    (void)err_wrap(&e, "not in the audit log: %s", audit_kind_name(events->kind));
    (void)snprintf(warning, sizeof(warning), "%s", e.text);
    return false;
}

static bool note(const struct store *s, const struct audit_event *event)
{
    return note_all(s, event, 1);
}

void audit_note_all(const struct store *s, const struct audit_event *events, size_t count)
{
    (void)note_all(s, events, count);
}

void audit_note_container(const struct store *s, enum audit_kind kind, const struct plan *p, const char *what)
{
    (void)note(s, &(struct audit_event){
                      .kind = kind, .container = p->id, .name = p->name, .image = p->image_id, .what = what});
}

/* As a shell would take them, cut when they are many. */
static int join_words(const struct str_list *words, struct buf *b, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < words->count && b->length <= AUDIT_TEXT_MAX && r == 0; i++) {
        const char *word = words->items[i];
        bool plain = *word && strspn(word, PLAIN_CHARACTERS) == strlen(word);
        r = buf_printf(b, WORDS_MAX, e, "%s%s", i ? " " : "", plain ? "" : "'");
        for (const char *c = word; *c && r == 0 && b->length <= AUDIT_TEXT_MAX; c++)
            r = *c == '\'' ? buf_add(b, "'\\''", 4, WORDS_MAX, e) : buf_add(b, c, 1, WORDS_MAX, e);
        if (r == 0 && !plain)
            r = buf_add(b, "'", 1, WORDS_MAX, e);
    }
    return r;
}

void audit_note_exec(const struct store *s, const struct plan *p, const struct str_list *command,
                     const char *user)
{
    struct err ignored = {0};
    _cleanup_buf_ struct buf words = {0};
    _cleanup_free_ char *source = NULL;
    _cleanup_free_ char *hidden = NULL;
    if (join_words(command, &words, &ignored) == 0 && words.data)
        (void)secret_hide(words.data, &hidden, &ignored);
    if (user)
        (void)str_format(&source, &ignored, "--user %s", user);
    (void)note(s, &(struct audit_event){.kind = AUDIT_EXEC,
                                        .container = p->id,
                                        .name = p->name,
                                        .image = p->image_id,
                                        .what = hidden,
                                        .source = source});
}

void audit_note_name(const struct store *s, enum audit_kind kind, const char *name, const char *image,
                     const char *what)
{
    (void)note(s, &(struct audit_event){.kind = kind, .name = name, .image = image, .what = what});
}

void audit_note_refusal(const struct store *s, const struct plan *p, struct err *refused)
{
    if (refused->practice && !refused->recorded)
        refused->recorded = note(s, &(struct audit_event){.kind = AUDIT_REFUSAL,
                                                          .container = p && *p->id ? p->id : NULL,
                                                          .name = p ? p->name : NULL,
                                                          .image = p && *p->image_id ? p->image_id : NULL,
                                                          .practice = refused->practice,
                                                          .what = refused->text});
}

int audit_log_grants(const struct store *s, struct plan *p, struct err *e)
{
    uint64_t seq = 0;
    if (p->grant_count == 0)
        return 0;
    _cleanup_free_ struct audit_event *events = calloc(p->grant_count, sizeof(*events));
    if (!events)
        return err_oom(e);
    for (size_t i = 0; i < p->grant_count; i++)
        events[i] = (struct audit_event){.kind = AUDIT_GRANT,
                                         .container = p->id,
                                         .name = p->name,
                                         .image = p->image_id,
                                         .practice = p->grants[i].practice,
                                         .what = p->grants[i].what,
                                         .source = p->grants[i].source};
    int r = audit_log_append(s, events, p->grant_count, true, &seq, e);
    if (r < 0)
        return err_wrap(e, "'%s' is not granted, as the audit log cannot record it", p->grants[0].what);
    for (size_t i = 0; i < p->grant_count; i++)
        p->grants[i].record = seq + i;
    return 0;
}
