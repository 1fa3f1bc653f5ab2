/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casemate events: what has happened to containers, images and volumes, and what happens from now on. There is no daemon that would notice the
 * end of a container: this command does while it follows, as every command does when it begins.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/filter.h"
#include "cli/template.h"
#include "cli/verbs.h"
#include "cli/when.h"
#include "engine/events_read.h"
#include "engine/mark.h"
#include "engine/mend.h"

#define NS_PER_MS 1000000
#define MEND_WAIT_FIRST \
    10 /* ms: a container that has ended is looked at again while its supervisor finishes */
#define MEND_WAIT_MAX 1000

struct events_options {
    const char *since, *until, *format;
    struct str_list filters;
};

static const struct option_entry options[] = {
    {"filter", 'f', OPTION_LIST, "KEY=VALUE",
     "Show those that match: type, event, container, image, label, volume",
     offsetof(struct events_options, filters)},
    {"format", 0, OPTION_STRING, "FORMAT", "json, or a template such as {{.Action}}",
     offsetof(struct events_options, format), .complete = "json"},
    {"since", 0, OPTION_STRING, "TIME",
     "Begin with what happened then: a date, seconds since 1970, or a span such as 10m",
     offsetof(struct events_options, since)},
    {"until", 0, OPTION_STRING, "TIME", "End with what happens then", offsetof(struct events_options, until)},
    {0},
};

static const char *const filter_keys[] = {"type",  "event",  "container", "image",
                                          "label", "volume", "scope",     NULL};

struct watch {
    const struct events_options *o;
    struct template *template; /* NULL: text */
    int64_t since, until;
};

static const char *text_of(struct json_object *o, const char *key)
{
    struct json_object *value = json_object_object_get(o, key);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

/* What the filters look at. */
struct event {
    const char *type, *action, *id, *name, *image;
};

static bool is_type(const char *value, const void *context)
{
    return str_equal(value, ((const struct event *)context)->type);
}

/* "exec_start" also is "exec_start: sh" */
static bool is_action(const char *value, const void *context)
{
    const char *rest = str_after(((const struct event *)context)->action, value);
    return rest && (!*rest || *rest == ':');
}

static bool is_container(const char *value, const void *context)
{
    const struct event *ev = context;
    return str_equal(ev->type, "container") &&
           (str_equal(value, ev->name) || (*value && str_after(ev->id, value)));
}

/* With or without its tag; of images themselves also by id. */
static bool is_image(const char *value, const void *context)
{
    const struct event *ev = context;
    const char *name = str_equal(ev->type, "image") ? ev->name : ev->image;
    const char *rest = str_after(name, value);
    return (rest && (!*rest || *rest == ':' || *rest == '@')) ||
           (str_equal(ev->type, "image") && str_equal(ev->id, value));
}

static bool is_volume(const char *value, const void *context)
{
    const struct event *ev = context;
    return str_equal(ev->type, "volume") && str_equal(ev->id, value);
}

static bool is_scope(const char *value, const void *context)
{
    (void)context;
    return str_equal(value, "local");
}

static bool has_labels(const struct str_list *filters, struct json_object *attributes)
{
    struct err ignored = {0};
    _cleanup_str_list_ struct str_list labels = {0};
    if (!filters_given(filters, "label"))
        return true;
    if (json_object_is_type(attributes, json_type_object)) {
        json_object_object_foreach(attributes, key, value)
        {
            (void)str_list_addf(&labels, &ignored, "%s=%s", key, json_object_get_string(value) ?: "");
        }
    }
    return filters_labels(filters, &labels);
}

static bool matches(const struct str_list *filters, struct json_object *record)
{
    struct json_object *actor = json_object_object_get(record, "Actor");
    struct json_object *attributes = json_object_object_get(actor, "Attributes");
    const struct event ev = {.type = text_of(record, "Type"),
                             .action = text_of(record, "Action"),
                             .id = text_of(actor, "ID"),
                             .name = text_of(attributes, "name"),
                             .image = text_of(attributes, "image")};
    return filters_any(filters, "type", is_type, &ev) && filters_any(filters, "event", is_action, &ev) &&
           filters_any(filters, "container", is_container, &ev) &&
           filters_any(filters, "image", is_image, &ev) && filters_any(filters, "volume", is_volume, &ev) &&
           filters_any(filters, "scope", is_scope, &ev) && has_labels(filters, attributes);
}

/* "2026-11-24T08:00:05.123456789+01:00", in local time; "Z" for none. */
static void print_time(int64_t ns)
{
    char date[32] = "";
    char zone[8] = "";
    struct tm tm;
    time_t seconds = (time_t)(ns / CLOCK_SECOND);
    if (localtime_r(&seconds, &tm)) {
        (void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
        (void)strftime(zone, sizeof(zone), "%z", &tm);
    }
    printf("%s.%09lld", date, (long long)(ns % CLOCK_SECOND));
    if (str_equal(zone, "+0000") || strlen(zone) != 5)
        printf("Z");
    else
        printf("%.3s:%s", zone, zone + 3);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* " (image=busybox, name=web)" in the order of the keys. */
static int print_attributes(struct json_object *attributes, struct err *e)
{
    _cleanup_str_list_ struct str_list entries = {0};
    int r = 0;
    if (!json_object_is_type(attributes, json_type_object) || json_object_object_length(attributes) == 0)
        return 0;
    json_object_object_foreach(attributes, key, value)
    {
        if (r == 0)
            r = str_list_addf(&entries, e, "%s=%s", key, json_object_get_string(value) ?: "");
    }
    if (r < 0)
        return r;
    qsort(entries.items, entries.count, sizeof(*entries.items), compare_keys);
    for (size_t i = 0; i < entries.count; i++) {
        str_neutralize(entries.items[i]);
        printf("%s%s", i ? ", " : " (", entries.items[i]);
    }
    printf(")");
    return 0;
}

static int print_text(struct json_object *record, int64_t time, struct err *e)
{
    struct json_object *actor = json_object_object_get(record, "Actor");
    _cleanup_str_list_ struct str_list words = {0};
    int r = str_list_addf(&words, e, " %s %s %s", text_of(record, "Type"), text_of(record, "Action"),
                          text_of(actor, "ID"));
    if (r < 0)
        return r;
    str_neutralize(words.items[0]);
    print_time(time);
    printf("%s", words.items[0]);
    r = print_attributes(json_object_object_get(actor, "Attributes"), e);
    printf("\n");
    return r;
}

static int visit(struct json_object *record, void *context, struct err *e)
{
    const struct watch *w = context;
    _cleanup_buf_ struct buf b = {0};
    int64_t time = json_object_get_int64(json_object_object_get(record, "timeNano"));
    if (time < w->since || time > w->until || !matches(&w->o->filters, record))
        return 0;
    struct json_object *attributes =
        json_object_object_get(json_object_object_get(record, "Actor"), "Attributes");
    if (!w->template)
        return print_text(record, time, e);
    if (attributes)
        template_mark_map(attributes);
    int r = template_execute(w->template, record, &b, e);
    if (r == 0)
        printf("%s\n", b.data ? b.data : "");
    return r;
}

/* Marks that are there are of containers whose supervisor is not through yet. */
static bool marks_left(const struct store *s)
{
    _cleanup_close_ int fd = openat(s->run, MARK_EXITED, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return false;
    (void)steal_fd(&fd);
    for (const struct dirent *entry; (entry = readdir(d));)
        if (entry->d_name[0] != '.')
            return true;
    return false;
}

static int time_left(const struct watch *w, int64_t now, int wait)
{
    int64_t left = w->until == INT64_MAX ? -1 : (w->until - now) / NS_PER_MS + 1;
    if (left < 0 || left > INT32_MAX)
        return wait;
    return wait < 0 || left < wait ? (int)left : wait;
}

/* Until the time is over, or forever. */
static int follow(const struct store *s, struct events_reader *reader, int watch, struct watch *w,
                  struct err *e)
{
    int wait = MEND_WAIT_FIRST;
    for (;;) {
        mend_ended(s);
        int r = events_reader_next(reader, visit, w, e);
        if (r < 0)
            return r;
        if (fflush(stdout) != 0)
            return err_errno(e, "write to standard output");
        int64_t now = clock_now();
        if (now > w->until)
            return 0;
        wait = !marks_left(s)             ? -1
               : wait < 0                 ? MEND_WAIT_FIRST
               : wait * 2 < MEND_WAIT_MAX ? wait * 2
                                          : MEND_WAIT_MAX;
        struct pollfd p = {.fd = watch, .events = POLLIN};
        r = poll(&p, 1, time_left(w, now, wait));
        if (r < 0 && errno != EINTR)
            return err_errno(e, "wait for events");
        if (r > 0 && events_watch_clear(watch))
            wait = -1;
    }
}

static int show(struct watch *w, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_events_reader_ struct events_reader reader = EVENTS_READER_INIT;
    int r = store_open(&s, e);
    _cleanup_close_ int watch = r < 0 ? r : events_watch(&s, e);
    if (watch < 0)
        return watch;
    mend_ended(&s);
    r = events_reader_open(&s, &reader, e);
    return r < 0 ? r : follow(&s, &reader, watch, w, e);
}

static int prepare(struct watch *w, struct err *e)
{
    const struct events_options *o = w->o;
    int64_t now = clock_now();
    w->since = o->until && !o->since ? INT64_MIN : now;
    w->until = INT64_MAX;
    int r = filters_check(&o->filters, filter_keys, e);
    if (r == 0 && o->since)
        r = when_parse(o->since, now, &w->since, e);
    if (r == 0 && o->until)
        r = when_parse(o->until, now, &w->until, e);
    if (r == 0 && o->format)
        r = template_parse(str_equal(o->format, "json") ? "{{json .}}" : o->format,
                           TEMPLATE_ESCAPES | TEMPLATE_ONE_LINE, &w->template, e);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct events_options o = {0};
    struct watch w = {.o = &o};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = prepare(&w, e);
    if (r == 0)
        r = show(&w, e);
    template_free(w.template);
    str_list_clear(&o.filters);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_events = {
    .name = "events",
    .aliases = "system events",
    .group = VERB_SYSTEM,
    .usage = "",
    .summary = "Show what happens to containers, images and volumes",
    .options = {options},
    .run = run,
};
