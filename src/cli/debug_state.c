/* SPDX-License-Identifier: Apache-2.0 */
/* Sections of `debug` (debug.h) from the engine's own records. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/shimproto.h"
#include "cli/debug.h"
#include "cli/denials_tell.h"
#include "cli/evidence_rows.h"
#include "engine/events_read.h"
#include "engine/exit_record.h"
#include "engine/health.h"
#include "engine/logs.h"
#include "plan/secret_text.h"

void debug_unavailable(struct members *m, const char *why)
{
    members_text(m, "Unavailable", why);
}

/* A list of words as one text, without what looks like a secret. */
static void add_words(struct members *m, const char *key, const struct str_list *words, bool show)
{
    struct err e = {0};
    _cleanup_buf_ struct buf b = {0};
    _cleanup_str_list_ struct str_list hidden = {0};
    int r = show ? 0 : secret_hide_words(words, &hidden, &e);
    const struct str_list *list = show ? words : &hidden;
    for (size_t i = 0; i < list->count && r == 0; i++)
        r = buf_printf(&b, 1U << 20, &e, "%s%s", i ? " " : "", list->items[i]);
    if (b.data)
        str_neutralize(b.data);
    members_text(m, key, r < 0 ? e.text : b.data);
}

static void add_visible(struct members *m, const char *key, const char *text)
{
    struct err e = {0};
    _cleanup_free_ char *copy = NULL;
    if (str_copy(text ? text : "", &copy, &e) < 0) {
        m->failed = true;
        return;
    }
    str_neutralize(copy);
    members_text(m, key, copy);
}

static void add_environment(struct debug *d, struct members *m)
{
    struct err e = {0};
    _cleanup_str_list_ struct str_list entries = {0};
    int r = d->o->show_values ? str_list_copy(&d->c->plan.env, &entries, &e)
                              : secret_hide_entries(&d->c->plan.env, true, &entries, &e);
    for (size_t i = 0; i < entries.count; i++)
        str_neutralize(entries.items[i]);
    m->failed = m->failed || r < 0;
    members_list(m, "Environment", &entries, false);
}

static void add_time(struct members *m, const char *key, int64_t time)
{
    if (time)
        members_time(m, key, time);
    else
        members_text(m, key, "");
}

void debug_summary(struct debug *d, struct members *m)
{
    const struct container *c = d->c;
    const struct plan *p = &c->plan;
    members_text(m, "Id", c->id);
    members_text(m, "Name", p->name);
    members_text(m, "Image", p->image_reference);
    members_text(m, "ImageId", p->image_id);
    members_text(m, "State", container_state_name(c));
    members_text(m, "Supervisor",
                 c->lost                       ? "lost: nobody knows how it ended"
                 : shim_alive(c->shim_dir) > 0 ? "runs"
                                               : "ended");
    members_number(m, "Pid", c->status == CONTAINER_RUNNING ? c->start.pid : 0);
    members_number(m, "ExitCode", c->exit_code);
    members_bool(m, "OutOfMemory", c->oom_killed);
    add_visible(m, "Error", c->error);
    add_time(m, "Created", p->created);
    add_time(m, "Started", c->start.time);
    add_time(m, "Finished", c->finished);
    members_text(m, "Restart", restart_kind_name(c->live.restart.kind));
    members_number(m, "Restarts", (int64_t)c->live.restart_count);
    members_text(m, "Profile", plan_profile_name(p->profile));
    add_visible(m, "User", p->user);
    add_words(m, "Entrypoint", &p->entrypoint, d->o->show_values);
    add_words(m, "Command", &p->command, d->o->show_values);
    add_visible(m, "WorkingDir", p->working_dir);
    members_bool(m, "ReadOnly", p->read_only);
    members_text(m, "Network", p->network ? p->network : "none");
    add_environment(d, m);
}

void debug_practices(struct debug *d, struct members *m)
{
    _cleanup_evidence_ struct evidence evidence = {0};
    struct err e = {0};
    if (evidence_gather(d->c, &evidence, &e) < 0) {
        debug_unavailable(m, e.text);
        return;
    }
    struct members rows = members_array(m, "Evidence");
    evidence_rows(&rows, &evidence);
    members_join(m, &rows);
}

void debug_health(struct debug *d, struct members *m)
{
    _cleanup_health_ struct health health = {0};
    if (!health_wanted(&d->c->plan)) {
        debug_unavailable(m, "no health check");
        return;
    }
    health_read(d->c, &health);
    members_text(m, "Status", health_status_name(health.status));
    members_number(m, "FailuresInARow", (int64_t)health.streak);
    struct members array = members_array(m, "Checks");
    for (size_t i = 0; i < health.count; i++) {
        struct members row = members_item(&array);
        members_time(&row, "Start", health.results[i].start);
        members_number(&row, "Exit", health.results[i].exit_code);
        add_visible(&row, "Output", health.results[i].output);
        members_join(&array, &row);
    }
    members_join(m, &array);
}

void debug_denials(struct debug *d, struct members *m)
{
    denials_inspect(m, d->c);
}

/* A line as it is shown: cut, visible, without secrets. */
static int add_entry(const struct logs_entry *entry, void *context, struct err *e)
{
    struct members *array = context;
    char time[CLOCK_TEXT_LENGTH + 1];
    _cleanup_free_ char *text = NULL;
    _cleanup_free_ char *shown = NULL;
    size_t length = entry->length < DEBUG_LOG_LINE_MAX ? entry->length : DEBUG_LOG_LINE_MAX;
    while (length > 0 && entry->text[length - 1] == '\n')
        length--;
    int r = entry->lost
                ? str_format(&text, e, "%llu bytes were left out here", (unsigned long long)entry->lost)
                : str_copy_n(entry->text, length, &text, e);
    if (r == 0)
        r = secret_hide(text, &shown, e);
    if (r < 0)
        return r;
    str_neutralize(shown);
    clock_format(entry->time, time);
    struct members row = members_item(array);
    members_text(&row, "Time", time);
    members_text(&row, "Stream", entry->from_stderr ? "stderr" : "stdout");
    members_text(&row, "Text", shown);
    members_join(array, &row);
    return 0;
}

void debug_log(struct debug *d, struct members *m)
{
    struct err e = {0};
    struct members array = members_array(m, "Lines");
    const struct logs_options options = {.tail = d->o->lines, .visit = add_entry, .context = &array};
    int r = logs_read(d->c->shim_dir, &options, &e);
    members_join(m, &array);
    if (r < 0)
        debug_unavailable(m, e.text);
}

struct recent {
    const struct container *c;
    struct json_object *items[DEBUG_EVENTS];
    size_t count; /* of all that were seen; the last DEBUG_EVENTS are kept */
};

static int keep_event(struct json_object *record, void *context, struct err *e)
{
    struct recent *recent = context;
    struct json_object *actor = json_object_object_get(record, "Actor");
    const char *id = json_object_get_string(json_object_object_get(actor, "ID"));
    (void)e;
    if (!id || !str_equal(id, recent->c->id))
        return 0;
    struct json_object **slot = &recent->items[recent->count++ % DEBUG_EVENTS];
    json_object_put(*slot);
    *slot = json_object_get(record);
    return 0;
}

static void add_event(struct members *array, struct json_object *record)
{
    struct members row = members_item(array);
    members_time(&row, "Time", json_object_get_int64(json_object_object_get(record, "timeNano")));
    add_visible(&row, "Action", json_object_get_string(json_object_object_get(record, "Action")));
    members_join(array, &row);
}

void debug_events(struct debug *d, struct members *m)
{
    struct err e = {0};
    struct recent recent = {.c = d->c};
    _cleanup_events_reader_ struct events_reader reader = EVENTS_READER_INIT;
    int r = events_reader_open(d->s, &reader, &e);
    if (r == 0)
        r = events_reader_next(&reader, keep_event, &recent, &e);
    struct members array = members_array(m, "Recent");
    size_t first = recent.count > DEBUG_EVENTS ? recent.count - DEBUG_EVENTS : 0;
    for (size_t i = first; i < recent.count; i++) {
        add_event(&array, recent.items[i % DEBUG_EVENTS]);
        json_object_put(recent.items[i % DEBUG_EVENTS]);
    }
    members_join(m, &array);
    if (r < 0)
        debug_unavailable(m, e.text);
}
