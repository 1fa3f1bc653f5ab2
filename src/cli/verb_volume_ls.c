/* SPDX-License-Identifier: Apache-2.0 */
/* casemate volume ls: volumes in the order of their names. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cli/inspect_json.h"
#include "cli/listing.h"
#include "cli/template.h"
#include "cli/volumes.h"

struct ls_options {
    bool quiet;
    const char *format;
    struct str_list filters;
};

static const struct option_entry options[] = {
    {"filter", 'f', OPTION_LIST, "KEY=VALUE", "Show those that match: dangling, driver, label, name",
     offsetof(struct ls_options, filters)},
    {"format", 0, OPTION_STRING, "FORMAT", "table, json, or a template such as {{.Name}}",
     offsetof(struct ls_options, format), .complete = "table json"},
    {"quiet", 'q', OPTION_BOOL, NULL, "Print names only", offsetof(struct ls_options, quiet)},
    {"cluster", 0, OPTION_UNSUPPORTED, NULL, ": there is no cluster"},
    {0},
};

static const char *const keys[] = {"dangling", "driver", "label", "label!", "name", NULL};

static const struct listing_column columns[] = {
    {"Driver", "DRIVER", true},
    {"Name", "VOLUME NAME", true},
    {"Availability", "AVAILABILITY", false},
    {"Group", "GROUP", false},
    {"Labels", "LABELS", false},
    {"Links", "LINKS", false},
    {"Mountpoint", "MOUNTPOINT", false},
    {"Scope", "SCOPE", false},
    {"Size", "SIZE", false},
    {"Status", "STATUS", false},
    {0},
};

struct list {
    const struct store *store;
    struct volumes_filter filter;
    struct members rows;
};

static int join_labels(const struct volume *v, char **ret_text, struct err *e)
{
    _cleanup_free_ char *text = NULL;
    int r = str_copy(v->anonymous ? VOLUMES_ANONYMOUS_LABEL "=" : "", &text, e);
    for (size_t i = 0; i < v->labels.count && r == 0; i++) {
        char *longer = NULL;
        r = str_format(&longer, e, "%s%s%s", text, *text ? "," : "", v->labels.items[i]);
        if (r == 0) {
            free(text);
            text = longer;
        }
    }
    if (r == 0)
        *ret_text = steal_ptr(text);
    return r;
}

/* {{.Label "key"}} of templates. */
static int set_label_map(const struct volume *v, struct members *row, struct err *e)
{
    struct json_object *labels = json_object_new_object();
    struct members m = {labels, !labels};
    members_entries(&m, &v->labels);
    if (v->anonymous)
        members_text(&m, VOLUMES_ANONYMOUS_LABEL, "");
    if (!m.failed)
        return template_set_labels(row->object, labels, e);
    json_object_put(labels);
    return err_oom(e);
}

static int visit(const struct volume *v, int dir, void *context, struct err *e)
{
    struct list *l = context;
    _cleanup_free_ char *labels = NULL;
    _cleanup_free_ char *path = NULL;
    int r = volumes_filter_match(&l->filter, l->store, v, dir, e);
    if (r <= 0)
        return r;
    r = join_labels(v, &labels, e);
    if (r == 0)
        r = volumes_mountpoint(v->name, &path, e);
    if (r < 0)
        return r;
    struct members m = members_item(&l->rows);
    members_text(&m, "Availability", "N/A");
    members_text(&m, "Driver", "local");
    members_text(&m, "Group", "N/A");
    members_text(&m, "Labels", labels);
    members_text(&m, "Links", "N/A");
    members_text(&m, "Mountpoint", path);
    members_text(&m, "Name", v->name);
    members_text(&m, "Scope", "local");
    members_text(&m, "Size", "N/A");
    members_text(&m, "Status", "N/A");
    members_join(&l->rows, &m);
    return l->rows.failed ? err_oom(e) : set_label_map(v, &m, e);
}

static int list_volumes(const struct ls_options *o, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_json_ struct json_object *rows = json_object_new_array();
    struct list l = {.store = &s, .filter = {&o->filters, keys}, .rows = {rows, false}};
    int r = rows ? volumes_filter_check(&l.filter, e) : err_oom(e);
    if (r == 0)
        r = store_open(&s, e);
    if (r == 0)
        r = volume_for_each(&s, visit, &l, e);
    return r < 0 ? r : listing_print(columns, rows, o->quiet ? "{{.Name}}" : o->format, true, e);
}

static int run(const struct invocation *in, struct err *e)
{
    struct ls_options o = {0};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = list_volumes(&o, e);
    str_list_clear(&o.filters);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_volume_ls = {
    .name = "volume ls",
    .aliases = "volume list",
    .group = VERB_VOLUMES,
    .usage = "",
    .summary = "List volumes",
    .options = {options},
    .run = run,
};
