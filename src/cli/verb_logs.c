/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casemate logs: what a container has written, and what is kept of removed ones. On a terminal control characters are made visible, so
 * that a log cannot do anything there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "cli/containers.h"
#include "cli/denials_tell.h"
#include "cli/logs_removed_list.h"
#include "cli/visible.h"
#include "cli/when.h"
#include "engine/logs.h"
#include "engine/logs_removed.h"
#include "engine/mend.h"
#include "plan/log_options.h"

struct log_options_given {
    bool follow, timestamps, details, raw, removed;
    uint64_t tail;
    const char *since, *until;
};

/* Docker takes every negative number for "all". */
static int set_tail(void *target, const char *value, struct err *e)
{
    uint64_t *tail = target;
    if (!str_equal(value, "all") && value[0] != '-')
        return num_parse_u64(value, INT64_MAX, tail, e);
    *tail = LOGS_ALL;
    return 0;
}

#define AT(member) offsetof(struct log_options_given, member)

static const struct option_entry options[] = {
    {"details", 0, OPTION_BOOL, NULL, "Show the labels and variables that --log-opt names", AT(details)},
    {"follow", 'f', OPTION_BOOL, NULL, "Go on until the container ends", AT(follow)},
    {"raw", 0, OPTION_BOOL, NULL, "On a terminal, too, pass control characters on", AT(raw)},
    {"removed", 0, OPTION_BOOL, NULL, "Of a removed container; without a name: list them", AT(removed)},
    {"since", 0, OPTION_STRING, "TIME", "Only what was written since (2026-11-24T08:00:00Z, 10m)", AT(since)},
    {"tail", 'n', OPTION_CUSTOM, "N", "Only the last N lines; all: every line", AT(tail), set_tail},
    {"timestamps", 't', OPTION_BOOL, NULL, "Show the time of each line", AT(timestamps)},
    {"until", 0, OPTION_STRING, "TIME", "Only what was written before", AT(until)},
    {0},
};

struct printer {
    const struct container *container; /* followed; NULL: none */
    bool timestamps, details;
    bool visible[2];    /* stdout, stderr: a terminal */
    bool line_ended[2]; /* the next entry begins a line */
};

/* Docker's: KEY=VALUE, separated by commas, in front of the text. */
static void print_details(const char *attrs, bool visible, FILE *out)
{
    struct err ignored = {0};
    _cleanup_json_ struct json_object *o = NULL;
    const char *comma = "";
    if (!attrs || json_parse(attrs, strlen(attrs), &o, &ignored) < 0)
        return;
    json_object_object_foreach(o, key, value)
    {
        const char *text = json_object_get_string(value);
        const char *parts[] = {comma, key, "=", text ? text : ""};
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
            if (visible)
                visible_print(parts[i], strlen(parts[i]), out);
            else
                fputs(parts[i], out);
        comma = ",";
    }
    fputc(' ', out);
}

static int print_entry(const struct logs_entry *entry, void *context, struct err *e)
{
    struct printer *p = context;
    bool err = entry->from_stderr;
    FILE *out = err ? stderr : stdout;
    char time[CLOCK_TEXT_LENGTH + 1];
    if (entry->lost > 0)
        fprintf(stderr, "casemate: %llu bytes of output were left out here (mode=drop)\n",
                (unsigned long long)entry->lost);
    if (entry->length == 0)
        return 0;
    if (p->timestamps && p->line_ended[err]) {
        clock_format(entry->time, time);
        fprintf(out, "%s ", time);
    }
    if (p->details && p->line_ended[err])
        print_details(entry->attrs, p->visible[err], out);
    p->line_ended[err] = entry->text[entry->length - 1] == '\n';
    if (p->visible[err])
        visible_print(entry->text, entry->length, out);
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

/* Between two runs of a container that its policy starts again. */
static bool returns(void *context)
{
    const struct printer *p = context;
    struct err gone = {0};
    struct container now = CONTAINER_INIT;
    _cleanup_store_ struct store s = STORE_INIT;
    if (store_open(&s, &gone) < 0 || container_open(&s, p->container->id, &now, &gone) < 0)
        return false;
    bool again = now.status == CONTAINER_RESTARTING || now.status == CONTAINER_RUNNING;
    container_close(&now);
    return again;
}

static int make_options(const struct log_options_given *o, struct printer *p, struct logs_options *ret,
                        struct err *e)
{
    bool out = isatty(STDOUT_FILENO) && !o->raw;
    bool err = isatty(STDERR_FILENO) && !o->raw;
    int64_t now = clock_now();
    *p = (struct printer){.timestamps = o->timestamps,
                          .details = o->details,
                          .visible = {out, err},
                          .line_ended = {true, true}};
    *ret = (struct logs_options){.tail = o->tail,
                                 .follow = o->follow,
                                 .returns = returns,
                                 .visit = o->follow ? print_followed : print_entry,
                                 .context = p};
    int r = o->since ? when_parse(o->since, now, &ret->since, e) : 0;
    if (r < 0)
        return err_wrap(e, "--since");
    r = o->until ? when_parse(o->until, now, &ret->until, e) : 0;
    return r < 0 ? err_wrap(e, "--until") : 0;
}

/* Docker's words for a driver that keeps nothing. */
static int check_kept(const struct plan *p, struct err *e)
{
    struct log_options o;
    int r = log_options_parse(p->log_driver, &p->log_options, &o, e);
    if (r == 0 && !o.keeps)
        return err_set(e, ENOTSUP, "configured logging driver does not support reading: %s keeps no files",
                       p->log_driver);
    return r;
}

static int print_removed(const struct store *s, const char *word, const struct log_options_given *o,
                         struct err *e)
{
    struct printer p;
    struct logs_options read;
    _cleanup_logs_removed_ struct logs_removed removed = {.id = ""};
    _cleanup_close_ int dir = -1;
    int r = logs_removed_find(s, word, &removed, &dir, e);
    if (r == 0)
        r = make_options(o, &p, &read, e);
    return r < 0 ? r : logs_read_kept(dir, &read, e);
}

static int print_log(const struct store *s, const char *word, const struct log_options_given *o,
                     struct err *e)
{
    struct printer p;
    struct logs_options read;
    struct err absent = {0};
    _cleanup_container_ struct container c = CONTAINER_INIT;
    _cleanup_logs_removed_ struct logs_removed removed = {.id = ""};
    int r = container_find(s, word, &c, e);
    if (r == -ENOENT && logs_removed_find(s, word, &removed, NULL, &absent) == 0)
        return err_set(e, ENOENT, "No such container: %s; its log is kept: casemate logs --removed %s", word,
                       word);
    if (r == 0)
        r = check_kept(&c.plan, e);
    if (r == 0)
        r = make_options(o, &p, &read, e);
    p.container = &c;
    if (r == 0)
        r = logs_read(c.shim_dir, &read, e);
    /* Never among the output itself: only where a person reads both. */
    if (r == 0 && isatty(STDERR_FILENO) && container_refresh(&c, e) == 0 && fflush(stdout) == 0)
        denials_tell(&c);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct log_options_given o = {.tail = LOGS_ALL};
    _cleanup_store_ struct store s = STORE_INIT;
    int r = options_apply(in, &o, e);
    if (r == 0 && in->argument_count == 0 && !o.removed)
        r = err_set(e, EINVAL, "logs needs the name of a container; --removed alone lists removed ones");
    if (r == 0)
        r = store_open(&s, e);
    if (r < 0)
        return r;
    mend_ended(&s);
    if (in->argument_count == 0)
        r = logs_removed_list(&s, e);
    else
        r = o.removed ? print_removed(&s, in->arguments[0], &o, e) : print_log(&s, in->arguments[0], &o, e);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_logs = {
    .name = "logs",
    .aliases = "container logs",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER",
    .summary = "Show the output of a container",
    .arguments_min = 0,
    .arguments_max = 1,
    .complete = "containers",
    .options = {options},
    .run = run,
};
