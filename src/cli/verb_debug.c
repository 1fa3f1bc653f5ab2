/* SPDX-License-Identifier: Apache-2.0 */
/* casemate debug: what a support engineer wants to see of a container, without starting anything in it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/containers.h"
#include "cli/debug.h"
#include "cli/inspect.h"
#include "cli/table.h"
#include "engine/audit_log.h"

#define READ_DEFAULT (1U << 20)

static const struct option_entry options[] = {
    {"bundle", 0, OPTION_STRING, "FILE", "Write everything as a tar archive to this file; -: standard output",
     offsetof(struct debug_options, bundle), .complete = "files"},
    {"cat", 0, OPTION_STRING, "PATH", "Print a file of the container", offsetof(struct debug_options, read)},
    {"format", 'f', OPTION_STRING, "FORMAT", "json, or a template such as {{.Summary.State}}",
     offsetof(struct debug_options, format), .complete = "json"},
    {"lines", 'n', OPTION_U64, "N", "How many lines of the log (default 50)",
     offsetof(struct debug_options, lines)},
    {"ls", 0, OPTION_STRING, "PATH", "List a directory of the container",
     offsetof(struct debug_options, list)},
    {"max-bytes", 0, OPTION_SIZE, "SIZE", "How much --cat prints at most (default 1m)",
     offsetof(struct debug_options, max_bytes)},
    {"section", 's', OPTION_LIST, "NAME", "Only this section; can be given several times",
     offsetof(struct debug_options, sections), .complete = DEBUG_SECTIONS},
    {"show-values", 0, OPTION_BOOL, NULL, "Do not hide values of variables and what looks like a secret",
     offsetof(struct debug_options, show_values)},
    {0},
};

static const struct {
    const char *name, *title;
    void (*add)(struct debug *d, struct members *m);
} sections[] = {
    {"summary", "Summary", debug_summary},
    {"practices", "Practices", debug_practices},
    {"processes", "Processes", debug_processes},
    {"limits", "Limits", debug_limits},
    {"descriptors", "Descriptors", debug_descriptors},
    {"mounts", "Mounts", debug_mounts},
    {"network", "Network", debug_network},
    {"health", "Health", debug_health},
    {"denials", "Denials", debug_denials},
    {"log", "Log", debug_log},
    {"events", "Events", debug_events},
};

int debug_check_sections(const struct str_list *names, struct err *e)
{
    for (size_t i = 0; i < names->count; i++) {
        size_t k = 0;
        while (k < ARRAY_SIZE(sections) && !str_equal(sections[k].name, names->items[i]))
            k++;
        if (k == ARRAY_SIZE(sections))
            return err_set(e, EINVAL, "--section %s: there is none; there are " DEBUG_SECTIONS,
                           names->items[i]);
    }
    return 0;
}

int debug_gather(struct debug *d, struct json_object **ret, struct err *e)
{
    _cleanup_json_ struct json_object *json = json_object_new_object();
    struct members all = {.object = json, .failed = !json};
    for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
        if (d->o->sections.count && !str_list_has(&d->o->sections, sections[i].name))
            continue;
        struct members m = members_object(&all, sections[i].title);
        sections[i].add(d, &m);
        members_join(&all, &m);
    }
    if (all.failed)
        return err_oom(e);
    *ret = json_object_get(json);
    return 0;
}

/* Once, so that all sections tell of the same processes. */
static void look(struct debug *d)
{
    struct err why = {0};
    int r = processes_read(d->c, &d->processes, &why);
    if (r == 0)
        r = drift_read(d->c, &d->processes, &d->drift, &why);
    if (r < 0)
        (void)snprintf(d->why, sizeof(d->why), "%s", why.text);
}

static int show(struct debug *d, struct err *e)
{
    _cleanup_json_ struct json_object *all = NULL;
    int r = debug_gather(d, &all, e);
    if (r < 0)
        return r;
    if (!d->o->format)
        return debug_print(all, stdout, table_terminal_width(STDOUT_FILENO), e);
    _cleanup_json_ struct json_object *array = json_object_new_array();
    if (!array || json_object_array_add(array, json_object_get(all)) < 0)
        return err_oom(e);
    return inspect_print(array, d->o->format, e);
}

static void note(const struct debug *d)
{
    struct err ignored = {0};
    _cleanup_free_ char *what = NULL;
    if (d->o->bundle)
        (void)str_format(&what, &ignored, "bundle %s%s", d->o->bundle,
                         d->o->show_values ? " with values" : "");
    else
        (void)str_format(&what, &ignored, "look%s", d->o->show_values ? " with values" : "");
    audit_note_container(d->s, AUDIT_DEBUG, &d->c->plan, what);
}

static int act(struct debug *d, struct err *e)
{
    if (d->o->list)
        return debug_list(d, e);
    if (d->o->read)
        return debug_read(d, e);
    note(d);
    look(d);
    return d->o->bundle ? debug_bundle(d, e) : show(d, e);
}

static int check(const struct debug_options *o, struct err *e)
{
    if ((o->list != NULL) + (o->read != NULL) + (o->bundle != NULL) > 1)
        return err_set(e, EINVAL, "--ls, --cat and --bundle: one at a time");
    return debug_check_sections(&o->sections, e);
}

static int run(const struct invocation *in, struct err *e)
{
    struct debug_options o = {.max_bytes = READ_DEFAULT, .lines = DEBUG_LOG_LINES};
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_container_ struct container c = CONTAINER_INIT;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = check(&o, e);
    if (r == 0)
        r = containers_open(&s, in->arguments[0], &c, e);
    struct debug d = {.s = &s, .c = &c, .o = &o};
    if (r == 0)
        r = act(&d, e);
    process_list_clear(&d.processes);
    drift_clear(&d.drift);
    str_list_clear(&o.sections);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_debug = {
    .name = "debug",
    .aliases = "container debug",
    .group = VERB_EVIDENCE,
    .usage = "CONTAINER",
    .summary = "Show what a container does, without starting anything in it",
    .arguments_min = 1,
    .arguments_max = 1,
    .complete = "containers",
    .options = {options},
    .run = run,
};
