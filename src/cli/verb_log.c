/* SPDX-License-Identifier: Apache-2.0 */
/* casemate log: the audit log of this machine's Casemate, shown or verified, and logs of containers, verified. (`logs` is the output of a container.) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/log_verify.h"
#include "cli/when.h"
#include "engine/audit_read.h"
#include "engine/mend.h"

#define ALL_RECORDS UINT64_MAX
#define SHORT_ID 12

struct log_options {
    const char *since, *format;
    uint64_t last;
    bool all;
};

static const struct option_entry options[] = {
    {"all", 'a', OPTION_BOOL, NULL, "verify: the audit log and the logs of all containers, removed ones too",
     offsetof(struct log_options, all)},
    {"format", 'f', OPTION_STRING, "FORMAT", "show: table or json (the records as they are)",
     offsetof(struct log_options, format), .complete = "table json"},
    {"last", 'n', OPTION_U64, "N", "show: only the last N records", offsetof(struct log_options, last)},
    {"since", 0, OPTION_STRING, "TIME", "show: only records since then (2026-11-24T08:00:00Z, 10m)",
     offsetof(struct log_options, since)},
    {0},
};

/* Records are visited twice: counted, then printed from the first that is wanted. */
struct shower {
    int64_t since;
    uint64_t matching; /* so far */
    uint64_t skip;     /* matching ones in front of the last N */
    bool json;
    bool counting;
    bool headed;
};

static const char *text_of(const struct audit_record *r, const char *key)
{
    struct err ignored = {0};
    const char *text = NULL;
    (void)json_get_string(r->json, key, &text, &ignored);
    return text ? text : "";
}

/* The name, or the short form of the id. */
static const char *name_of(const struct audit_record *r, size_t *ret_length)
{
    const char *name = text_of(r, "name");
    const char *container = text_of(r, "container");
    const char *id = *container ? container : text_of(r, "image");
    *ret_length = *name ? strlen(name) : strnlen(id, SHORT_ID);
    return *name ? name : id;
}

/* Columns of a fixed width but for the last, so that a log of any length is printed as it is read. */
static int print_row(const struct audit_record *r, struct shower *w, struct err *e)
{
    char time[CLOCK_TEXT_LENGTH + 1];
    uint64_t uid = 0;
    size_t name_length;
    struct err ignored = {0};
    _cleanup_buf_ struct buf row = {0};
    const char *name = name_of(r, &name_length);
    const char *source = text_of(r, "source");
    (void)json_get_u64(r->json, "uid", &uid, &ignored);
    (void)json_get_u64(r->json, "loginuid", &uid, &ignored);
    clock_format(r->time, time);
    int failed = buf_printf(&row, AUDIT_LINE_MAX, e, "%7llu   %.19sZ   %6llu   %-16s   %-20.*s   %s",
                            (unsigned long long)r->seq, time, (unsigned long long)uid, r->event,
                            (int)name_length, name, text_of(r, "what"));
    if (failed == 0 && *source)
        failed = buf_printf(&row, AUDIT_LINE_MAX, e, " (%s)", source);
    if (failed < 0)
        return failed;
    if (!w->headed)
        printf("%7s   %-20s   %6s   %-16s   %-20s   %s\n", "RECORD", "TIME", "USER", "EVENT", "NAME", "WHAT");
    w->headed = true;
    str_neutralize(row.data);
    printf("%s\n", row.data);
    return 0;
}

static int visit(const struct audit_record *r, void *context, struct err *e)
{
    struct shower *w = context;
    if (r->time < w->since)
        return 0;
    w->matching++;
    if (w->counting || w->matching <= w->skip)
        return 0;
    int failed = 0;
    if (w->json)
        printf("%.*s\n", (int)r->length, r->text);
    else
        failed = print_row(r, w, e);
    return failed == 0 && ferror(stdout) ? err_errno(e, "write output") : failed;
}

static int show(const struct store *s, const struct log_options *o, struct err *e)
{
    uint64_t skipped = 0;
    struct shower w = {.since = INT64_MIN, .counting = o->last != ALL_RECORDS};
    w.json = o->format && str_equal(o->format, "json");
    if (o->format && !w.json && !str_equal(o->format, "table"))
        return err_set(e, EINVAL, "--format: '%s' is neither table nor json", o->format);
    int r = o->since ? when_parse(o->since, clock_now(), &w.since, e) : 0;
    if (r < 0)
        return err_wrap(e, "--since");
    if (w.counting)
        r = audit_for_each(s, visit, &w, &skipped, e);
    w.skip = w.counting && w.matching > o->last ? w.matching - o->last : 0;
    w.counting = false;
    w.matching = 0;
    if (r == 0)
        r = audit_for_each(s, visit, &w, &skipped, e);
    if (r == 0 && skipped)
        fprintf(stderr, "casemate: %llu lines are no records: see 'casemate log verify'\n",
                (unsigned long long)skipped);
    return r;
}

static int verify(const struct store *s, struct err *e)
{
    struct audit_summary sum;
    char hex[DIGEST_HEX_LENGTH + 1];
    int r = audit_verify(s, &sum, e);
    if (r < 0)
        return err_wrap(e, "the audit log is not intact");
    if (sum.count == 0) {
        printf("0 records: intact\n");
        return 0;
    }
    digest_format_hex(&sum.digest, hex);
    printf("%llu records, %llu to %llu: intact\n", (unsigned long long)sum.count,
           (unsigned long long)sum.first, (unsigned long long)sum.last);
    if (sum.torn)
        printf("%llu times a writer was killed in the middle of a line\n", (unsigned long long)sum.torn);
    printf("last: %s\n", hex);
    return 0;
}

/* The audit log alone; or the logs of the containers that are named; or everything. */
static int verify_asked(const struct store *s, const struct log_options *o, const struct invocation *in,
                        struct err *e)
{
    if (in->argument_count > 1)
        return log_verify_named(s, in->arguments + 1, in->argument_count - 1, e);
    int r = verify(s, e);
    if (!o->all)
        return r;
    if (r < 0)
        verbs_complain(e);
    int status = log_verify_all(s, e);
    return status == 0 && r < 0 ? EXIT_FAILURE : status;
}

static int check(const struct invocation *in, const struct log_options *o, struct err *e)
{
    const char *word = in->arguments[0];
    bool shows = str_equal(word, "show");
    if (!shows && !str_equal(word, "verify"))
        return err_set(e, EINVAL,
                       "log %s: say 'log show' or 'log verify'; for the output of a container, 'logs %s'",
                       word, word);
    if (shows && in->argument_count > 1)
        return err_set(e, EINVAL, "log show takes no arguments; for the output of a container, 'logs %s'",
                       in->arguments[1]);
    if (shows && o->all)
        return err_set(e, EINVAL, "--all is for 'log verify'");
    if (!shows && (o->format || o->since || o->last != ALL_RECORDS))
        return err_set(e, EINVAL, "log verify takes no options but --all");
    if (o->all && in->argument_count > 1)
        return err_set(e, EINVAL, "--all and names of containers exclude each other");
    return 0;
}

static int run(const struct invocation *in, struct err *e)
{
    struct log_options o = {.last = ALL_RECORDS};
    _cleanup_store_ struct store s = STORE_INIT;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = check(in, &o, e);
    if (r == 0)
        r = store_open(&s, e);
    if (r < 0)
        return r;
    mend_ended(&s);
    r = str_equal(in->arguments[0], "show") ? show(&s, &o, e) : verify_asked(&s, &o, in, e);
    return r;
}

const struct verb verb_log = {
    .name = "log",
    .group = VERB_EVIDENCE,
    .usage = "show|verify [CONTAINER...]",
    .summary = "Show or verify the audit log, verify logs of containers (their output: logs)",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "show verify",
    .options = {options},
    .run = run,
};
