/* SPDX-License-Identifier: Apache-2.0 */
/* casemate logs: what a container has written. On a terminal control characters are made visible, so that a log cannot do anything there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "cli/containers.h"
#include "cli/denials_tell.h"
#include "cli/when.h"
#include "engine/logs.h"

struct log_options {
    bool follow, timestamps;
    uint64_t tail;
    const char *since, *until;
};

/* Docker takes every negative number for "all". */
static int set_tail(void *target, const char *value, struct err *e)
{
    uint64_t *tail = target;
    if (!str_equal(value, "all") && !str_equal(value, "-1"))
        return num_parse_u64(value, INT64_MAX, tail, e);
    *tail = LOGS_ALL;
    return 0;
}

static const struct option_entry options[] = {
    {"follow", 'f', OPTION_BOOL, NULL, "Go on until the container ends",
     offsetof(struct log_options, follow)},
    {"since", 0, OPTION_STRING, "TIME", "Only what was written since (2026-11-24T08:00:00Z, 10m)",
     offsetof(struct log_options, since)},
    {"tail", 'n', OPTION_CUSTOM, "N", "Only the last N lines; all: every line",
     offsetof(struct log_options, tail), set_tail},
    {"timestamps", 't', OPTION_BOOL, NULL, "Show the time of each line",
     offsetof(struct log_options, timestamps)},
    {"until", 0, OPTION_STRING, "TIME", "Only what was written before", offsetof(struct log_options, until)},
    {"details", 0, OPTION_UNSUPPORTED, NULL, ": log entries have no attributes"},
    {0},
};

struct printer {
    bool timestamps;
    bool visible[2];    /* stdout, stderr: a terminal */
    bool line_ended[2]; /* the next entry begins a line */
};

/* C0 controls but for tab, newline and carriage return, DEL, and C1 controls (U+0080 to U+009F). */
static void print_visible(const char *text, size_t length, FILE *out)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        bool control = (c < 0x20 && !memchr("\t\n\r", c, 3)) || c == 0x7f;
        bool second = c == 0xc2 && i + 1 < length && (unsigned char)text[i + 1] >= 0x80 &&
                      (unsigned char)text[i + 1] <= 0x9f;
        fputc(control || second ? '?' : c, out);
        i += second;
    }
}

static int print_entry(const struct logs_entry *entry, void *context, struct err *e)
{
    struct printer *p = context;
    FILE *out = entry->from_stderr ? stderr : stdout;
    char time[CLOCK_TEXT_LENGTH + 1];
    if (p->timestamps && p->line_ended[entry->from_stderr]) {
        clock_format(entry->time, time);
        fprintf(out, "%s ", time);
    }
    p->line_ended[entry->from_stderr] = entry->length > 0 && entry->text[entry->length - 1] == '\n';
    if (p->visible[entry->from_stderr])
        print_visible(entry->text, entry->length, out);
    else
        fwrite(entry->text, 1, entry->length, out);
    return ferror(out) ? err_errno(e, "write output") : 0;
}

/* Streams that are read live are flushed line by line. */
static int print_followed(const struct logs_entry *entry, void *context, struct err *e)
{
    int r = print_entry(entry, context, e);
    return r == 0 && fflush(stdout) != 0 ? err_errno(e, "write output") : r;
}

static int print_log(const struct container *c, const struct log_options *o, struct err *e)
{
    struct printer p = {.timestamps = o->timestamps,
                        .visible = {isatty(STDOUT_FILENO), isatty(STDERR_FILENO)},
                        .line_ended = {true, true}};
    struct logs_options read = {.tail = o->tail,
                                .follow = o->follow,
                                .visit = o->follow ? print_followed : print_entry,
                                .context = &p};
    int64_t now = clock_now();
    int r = o->since ? when_parse(o->since, now, &read.since, e) : 0;
    if (r < 0)
        return err_wrap(e, "--since");
    r = o->until ? when_parse(o->until, now, &read.until, e) : 0;
    if (r < 0)
        return err_wrap(e, "--until");
    return logs_read(c->shim_dir, &read, e);
}

static int run(const struct invocation *in, struct err *e)
{
    struct log_options o = {.tail = LOGS_ALL};
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_container_ struct container c = CONTAINER_INIT;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = containers_open(&s, in->arguments[0], &c, e);
    if (r == 0)
        r = print_log(&c, &o, e);
    /* Never among the output itself: only where a person reads both. */
    if (r == 0 && isatty(STDERR_FILENO) && container_refresh(&c, e) == 0 && fflush(stdout) == 0)
        denials_tell(&c);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_logs = {
    .name = "logs",
    .aliases = "container logs",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER",
    .summary = "Show the output of a container",
    .arguments_min = 1,
    .arguments_max = 1,
    .complete = "containers",
    .options = {options},
    .run = run,
};
