/* SPDX-License-Identifier: Apache-2.0 */
/* casemate ps: containers, newest first. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "cli/containers.h"
#include "cli/filter_container.h"
#include "cli/listing.h"
#include "cli/row.h"
#include "cli/table.h"
#include "engine/mend.h"
#include "engine/state_alert.h"

struct ps_options {
    bool all, quiet, no_trunc, latest, size;
    uint64_t last; /* 0: no bound */
    const char *format;
    struct str_list filters;
};

/* Docker takes -1 for "all". */
static int set_last(void *target, const char *value, struct err *e)
{
    if (str_equal(value, "-1"))
        return 0;
    return num_parse_u64(value, INT_MAX, target, e);
}

static const struct option_entry options[] = {
    {"all", 'a', OPTION_BOOL, NULL, "Show all containers (default: those that run)",
     offsetof(struct ps_options, all)},
    {"filter", 'f', OPTION_LIST, "KEY=VALUE",
     "Show those that match: id, name, label, status, exited, ancestor, before, since, volume, health, "
     "expose, network",
     offsetof(struct ps_options, filters)},
    {"format", 0, OPTION_STRING, "FORMAT", "table, json, or a template such as {{.ID}}",
     offsetof(struct ps_options, format), .complete = "table json"},
    {"last", 'n', OPTION_CUSTOM, "N", "Show the last N containers, running or not",
     offsetof(struct ps_options, last), set_last},
    {"latest", 'l', OPTION_BOOL, NULL, "Show the container that was made last",
     offsetof(struct ps_options, latest)},
    {"no-trunc", 0, OPTION_BOOL, NULL, "Do not cut ids and commands", offsetof(struct ps_options, no_trunc)},
    {"quiet", 'q', OPTION_BOOL, NULL, "Print ids only", offsetof(struct ps_options, quiet)},
    {"size", 's', OPTION_BOOL, NULL, "Show what is written, and with the image",
     offsetof(struct ps_options, size)},
    {0},
};

static struct listing_column columns[] = {
    {"ID", "CONTAINER ID", true},
    {"Image", "IMAGE", true},
    {"Command", "COMMAND", true},
    {"RunningFor", "CREATED", true},
    {"Status", "STATUS", true},
    {"Ports", "PORTS", true},
    {"Names", "NAMES", true},
    {"Size", "SIZE", false},
    {"CreatedAt", "CREATED AT", false},
    {"State", "STATE", false},
    {"Labels", "LABELS", false},
    {"Mounts", "MOUNTS", false},
    {"LocalVolumes", "LOCAL VOLUMES", false},
    {"Networks", "NETWORKS", false},
    {"Profile", "PROFILE", false},
    {0},
};

struct listing {
    const struct store *store;
    const struct ps_options *options;
    struct json_object *rows; /* where fields are asked for, */
    struct table table;       /* else the table that is printed, */
    bool quiet;               /* or only ids; of lines, without the header, */
    size_t lines, limit;
    bool size; /* measuring takes its time: only where it is shown */
    int64_t now;
    struct filter_container filter;
};

static int add_row(struct listing *l, struct container *c, struct err *e)
{
    struct json_object *row;
    bool plain = !str_set(l->options->format) || str_equal(l->options->format, "table");
    int r = row_make(c, l->now, plain ? ROW_SHOWN : ROW_WHOLE, l->options->no_trunc, &row, e);
    if (r < 0)
        return r;
    if (json_object_array_add(l->rows, row) < 0) {
        json_object_put(row);
        return err_oom(e);
    }
    return l->size ? row_add_size(l->store, c, row, e) : 0;
}

static int add_id(struct listing *l, const struct container *c, struct err *e)
{
    char id[ID_LENGTH + 1] = "";
    memcpy(id, c->id, l->options->no_trunc ? ID_LENGTH : ID_SHORT_LENGTH);
    return table_add(&l->table, id, e);
}

static int visit(struct container *c, void *context, struct err *e)
{
    struct listing *l = context;
    if (l->lines >= l->limit)
        return 1;
    const struct ps_options *o = l->options;
    bool shown =
        o->all || o->last || o->latest || c->status == CONTAINER_RUNNING || c->status == CONTAINER_RESTARTING;
    shown = shown || filter_container_wants_all(&l->filter);
    if (!shown || !filter_container_matches(&l->filter, c))
        return 0;
    l->lines++;
    if (l->rows)
        return add_row(l, c, e);
    return l->quiet ? add_id(l, c, e) : row_add_cells(c, l->now, o->no_trunc, &l->table, e);
}

/* Begins the list, anew when there was one. */
static int begin(struct listing *l, struct err *e)
{
    int r = 0;
    l->lines = 0;
    if (l->rows) {
        json_object_array_del_idx(l->rows, 0, json_object_array_length(l->rows));
        return 0;
    }
    table_clear(&l->table);
    l->table.columns = l->quiet ? 1 : ROW_CELLS;
    for (size_t i = 0; i < ROW_CELLS && !l->quiet && r == 0; i++)
        r = table_add(&l->table, columns[i].header, e);
    return r;
}

/* What was left undone by somebody is mended, and the list made again. */
static int collect(struct listing *l, struct err *e)
{
    struct shown_counts counts;
    int r = begin(l, e);
    if (r == 0)
        r = l->size ? container_for_each(l->store, visit, l, e)
                    : shown_for_each(l->store, visit, l, &counts, e);
    if (r != 0 || l->size || !mend_counted(l->store, &counts))
        return r;
    r = begin(l, e);
    return r < 0 ? r : container_for_each(l->store, visit, l, e);
}

static int print(struct listing *l, struct err *e)
{
    const struct ps_options *o = l->options;
    for (size_t i = 0; columns[i].field; i++)
        if (str_equal(columns[i].field, "Size"))
            columns[i].shown = o->size;
    if (l->rows)
        return listing_print(columns, l->rows, o->format, o->no_trunc, e);
    table_print(&l->table, o->no_trunc || l->quiet ? 0 : table_terminal_width(STDOUT_FILENO), stdout);
    return 0;
}

static int list(const struct store *s, const struct ps_options *o, struct err *e)
{
    _cleanup_json_ struct json_object *rows = NULL;
    bool plain = !str_set(o->format) || str_equal(o->format, "table");
    if (!o->quiet && (!plain || o->size) && !(rows = json_object_new_array()))
        return err_oom(e);
    if (o->size)
        mend_all(s);
    struct listing l = {.store = s,
                        .options = o,
                        .rows = rows,
                        .quiet = o->quiet,
                        .limit = o->latest ? 1
                                 : o->last ? o->last
                                           : SIZE_MAX,
                        .size = !o->quiet && (o->size || (o->format && strstr(o->format, ".Size"))),
                        .now = clock_now()};
    int r = filter_container_prepare(s, &o->filters, &l.filter, e);
    if (r == 0)
        r = collect(&l, e);
    if (r >= 0)
        r = print(&l, e);
    table_clear(&l.table);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct ps_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = store_open(&s, e);
    if (r == 0) {
        mend_ended(&s);
        r = list(&s, &o, e);
    }
    if (r == 0 && isatty(STDERR_FILENO) && state_alert_any(&s))
        fprintf(stderr, "casemate: there are alerts about the engine's own files: casemate info\n");
    str_list_clear(&o.filters);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_ps = {
    .name = "ps",
    .aliases = "container ls, container list, container ps",
    .group = VERB_CONTAINERS,
    .usage = "",
    .summary = "List containers",
    .options = {options},
    .run = run,
};
