/* SPDX-License-Identifier: Apache-2.0 */
/* The walk along the chain (audit_scan.h). A pure function of the text, which may be anything: fuzzed by tests/fuzz/fuzz_audit.c. */
#include "engine/audit_scan.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

struct walk {
    struct audit_scan *s;
    const char *file;
    const char *text;
    bool torn; /* lines that are no records come before the one at hand */
    size_t torn_start;
    struct err why; /* why the first of them is none */
};

static unsigned long long next_number(const struct walk *w)
{
    return 1ULL + w->s->chain.seq;
}

static int bad_line(const struct walk *w, struct err *e)
{
    return err_set(e, EBADMSG, "%s: record %llu: %s", w->file, next_number(w), w->why.text);
}

/* Lines that are no records must be what the record behind them says. `end` is where the region ends, without its newline. */
static int close_torn(const struct walk *w, const struct audit_record *r, size_t end, struct err *e)
{
    struct digest region;
    size_t length = end - w->torn_start;
    if (!str_equal(r->event, audit_kind_name(AUDIT_TORN)) || r->bytes != length || length > AUDIT_TORN_MAX)
        return bad_line(w, e);
    digest_of(w->text + w->torn_start, length, &region);
    if (r->seq != w->s->chain.seq + 1 || !digest_equal(&region, &r->prev))
        return bad_line(w, e);
    return 0;
}

static int check_link(const struct walk *w, const struct audit_record *r, struct err *e)
{
    const struct audit_scan *s = w->s;
    static const struct digest none;
    if (str_equal(r->event, audit_kind_name(AUDIT_TORN)))
        return err_set(e, EBADMSG, "%s: record %llu: it closes off a torn line that is not there", w->file,
                       (unsigned long long)r->seq);
    if (!s->begun && r->seq > 1)
        return 0;
    const struct digest *last = s->begun ? &s->chain.last : &none;
    if (r->seq != s->chain.seq + 1)
        return err_set(e, EBADMSG, "%s: record %llu: record %llu stands in its place", w->file,
                       next_number(w), (unsigned long long)r->seq);
    if (!digest_equal(last, &r->prev))
        return err_set(e, EBADMSG, "%s: record %llu: it does not follow the line before it", w->file,
                       next_number(w));
    return 0;
}

static int take_record(struct walk *w, const struct audit_record *r, size_t line_start, struct err *e)
{
    struct audit_scan *s = w->s;
    int bad = w->torn ? close_torn(w, r, line_start - 1, e) : check_link(w, r, e);
    if (bad < 0)
        return bad;
    if (!s->begun)
        s->first = r->seq;
    s->begun = true;
    s->chain = (struct audit_chain){r->seq, r->line};
    if (r->seq == s->watch)
        s->watched = r->line;
    w->torn = false;
    return 0;
}

int audit_scan_text(struct audit_scan *s, const char *file, const char *text, size_t length,
                    audit_visit visit, void *context, struct err *e)
{
    struct walk w = {.s = s, .file = file, .text = text};
    size_t at = 0;
    s->torn = false;
    while (at < length) {
        _cleanup_audit_record_ struct audit_record r = {0};
        struct err none = {0};
        const char *newline = memchr(text + at, '\n', length - at);
        size_t n = newline ? (size_t)(newline - text) - at : length - at;
        int bad =
            newline ? audit_record_parse(text + at, n, &r, &none) : err_set(&none, EBADMSG, "it has no end");
        if (bad == 0) {
            bad = take_record(&w, &r, at, e);
            if (bad == 0 && visit)
                bad = visit(&r, context, e);
            if (bad < 0)
                return bad;
        } else if (!w.torn) {
            w.torn = true;
            w.torn_start = at;
            w.why = none;
        }
        at += n + 1;
    }
    if (!w.torn)
        return 0;
    s->torn_ended = text[length - 1] == '\n';
    s->torn_start = w.torn_start;
    s->torn_length = length - w.torn_start - s->torn_ended;
    s->torn = s->torn_length > 0 && s->torn_length <= AUDIT_TORN_MAX;
    return s->torn ? 0 : bad_line(&w, e);
}
