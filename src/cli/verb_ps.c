/* SPDX-License-Identifier: Apache-2.0 */
/* casemate ps: containers, newest first. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "cli/containers.h"
#include "cli/listing.h"
#include "cli/row.h"
#include "engine/mend.h"

struct ps_options {
    bool all, quiet, no_trunc, latest;
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
     "Show those that match: id, name, label, status, exited, ancestor, before, since, volume",
     offsetof(struct ps_options, filters)},
    {"format", 0, OPTION_STRING, "FORMAT", "table, json, or a template such as {{.ID}}",
     offsetof(struct ps_options, format), .complete = "table json"},
    {"last", 'n', OPTION_CUSTOM, "N", "Show the last N containers, running or not",
     offsetof(struct ps_options, last), set_last},
    {"latest", 'l', OPTION_BOOL, NULL, "Show the container that was made last",
     offsetof(struct ps_options, latest)},
    {"no-trunc", 0, OPTION_BOOL, NULL, "Do not cut ids and commands", offsetof(struct ps_options, no_trunc)},
    {"quiet", 'q', OPTION_BOOL, NULL, "Print ids only", offsetof(struct ps_options, quiet)},
    {"size", 's', OPTION_UNSUPPORTED, NULL, " yet"},
    {0},
};

static const struct listing_column columns[] = {
    {"ID", "CONTAINER ID", true},
    {"Image", "IMAGE", true},
    {"Command", "COMMAND", true},
    {"RunningFor", "CREATED", true},
    {"Status", "STATUS", true},
    {"Ports", "PORTS", true},
    {"Names", "NAMES", true},
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
    struct json_object *rows;
    size_t limit;
    int64_t now;
    int64_t before, since; /* of the filters; creation times */
};

static bool matches_label(const struct plan *p, const char *value)
{
    size_t n = strlen(value);
    for (size_t i = 0; i < p->labels.count; i++) {
        const char *rest = str_after(p->labels.items[i], value);
        if (rest && (strchr(value, '=') ? !*rest : n > 0 && *rest == '='))
            return true;
    }
    return false;
}

static bool matches_volume(const struct plan *p, const char *value)
{
    for (size_t i = 0; i < p->mount_count; i++)
        if (str_equal(p->mounts[i].target, value) ||
            (p->mounts[i].source && str_equal(p->mounts[i].source, value)))
            return true;
    return false;
}

/* The image as the user wrote it, with or without its tag, or its id. */
static bool matches_image(const struct plan *p, const char *value)
{
    const char *rest = p->image_reference ? str_after(p->image_reference, value) : NULL;
    const char *id = str_after(value, "sha256:") ?: value;
    return (rest && (!*rest || *rest == ':' || *rest == '@')) ||
           (strlen(id) >= ID_SHORT_LENGTH && str_after(p->image_id, id));
}

static bool matches_value(const struct listing *l, const struct container *c, const char *key,
                          const char *value)
{
    char code[16];
    (void)snprintf(code, sizeof(code), "%d", c->exit_code);
    if (str_equal(key, "id"))
        return str_after(c->id, value);
    if (str_equal(key, "name"))
        return strstr(c->plan.name, value[0] == '/' ? value + 1 : value);
    if (str_equal(key, "label"))
        return matches_label(&c->plan, value);
    if (str_equal(key, "status"))
        return str_equal(container_state_name(c), value);
    if (str_equal(key, "exited"))
        return c->status == CONTAINER_EXITED && str_equal(code, value);
    if (str_equal(key, "volume"))
        return matches_volume(&c->plan, value);
    if (str_equal(key, "ancestor"))
        return matches_image(&c->plan, value);
    if (str_equal(key, "before"))
        return c->plan.created < l->before;
    return c->plan.created > l->since; /* since */
}

static const char *const filter_keys[] = {"id",     "name",     "label",  "status", "exited",
                                          "volume", "ancestor", "before", "since"};

/* Values of one key: any of them must match (every label must); different keys: all. */
static bool matches(const struct listing *l, const struct container *c)
{
    const struct str_list *filters = &l->options->filters;
    for (size_t k = 0; k < ARRAY_SIZE(filter_keys); k++) {
        size_t n = strlen(filter_keys[k]);
        size_t given = 0, matched = 0;
        for (size_t i = 0; i < filters->count; i++) {
            const char *item = filters->items[i];
            if (strncmp(item, filter_keys[k], n) != 0 || item[n] != '=')
                continue;
            given++;
            matched += matches_value(l, c, filter_keys[k], item + n + 1);
        }
        bool every = str_equal(filter_keys[k], "label");
        if (given && (every ? matched < given : matched == 0))
            return false;
    }
    return true;
}

static int visit(struct container *c, void *context, struct err *e)
{
    struct listing *l = context;
    if (json_object_array_length(l->rows) >= l->limit)
        return 1;
    const struct ps_options *o = l->options;
    bool shown =
        o->all || o->last || o->latest || c->status == CONTAINER_RUNNING || c->status == CONTAINER_RESTARTING;
    for (size_t i = 0; i < o->filters.count && !shown; i++)
        shown = str_after(o->filters.items[i], "status=") || str_after(o->filters.items[i], "exited=");
    if (!shown || !matches(l, c))
        return 0;
    struct json_object *row;
    int r = row_make(c, l->now, o->no_trunc, &row, e);
    if (r < 0)
        return r;
    if (json_object_array_add(l->rows, row) == 0)
        return 0;
    json_object_put(row);
    return err_oom(e);
}

static int creation_time(const struct store *s, const char *word, int64_t *ret, struct err *e)
{
    _cleanup_container_ struct container c = CONTAINER_INIT;
    int r = container_find(s, word, &c, e);
    if (r == 0)
        *ret = c.plan.created;
    return r;
}

static int check_status(const char *value, struct err *e)
{
    static const char *const words[] = {"created", "running",  "exited",    "dead",
                                        "paused",  "removing", "restarting"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (str_equal(words[i], value))
            return 0;
    return err_set(e, EINVAL,
                   "--filter: status '%s' is not one of created, running, restarting, exited, dead", value);
}

static int check_filters(struct listing *l, struct err *e)
{
    const struct str_list *filters = &l->options->filters;
    int r = 0;
    for (size_t i = 0; i < filters->count && r == 0; i++) {
        const char *item = filters->items[i];
        const char *value = strchr(item, '=');
        size_t k = 0;
        while (k < ARRAY_SIZE(filter_keys) && (!value || strlen(filter_keys[k]) != (size_t)(value - item) ||
                                               strncmp(filter_keys[k], item, (size_t)(value - item)) != 0))
            k++;
        if (!value || k == ARRAY_SIZE(filter_keys))
            return err_set(e, EINVAL,
                           "--filter '%s' is not KEY=VALUE with a key of id, name, label, status, exited, "
                           "ancestor, before, since, volume",
                           item);
        value++;
        if (str_equal(filter_keys[k], "status"))
            r = check_status(value, e);
        if (str_equal(filter_keys[k], "before"))
            r = creation_time(l->store, value, &l->before, e);
        if (str_equal(filter_keys[k], "since"))
            r = creation_time(l->store, value, &l->since, e);
    }
    return r;
}

static int list(const struct store *s, const struct ps_options *o, struct err *e)
{
    _cleanup_json_ struct json_object *rows = json_object_new_array();
    if (!rows)
        return err_oom(e);
    struct listing l = {.store = s,
                        .options = o,
                        .rows = rows,
                        .limit = o->latest ? 1
                                 : o->last ? o->last
                                           : SIZE_MAX,
                        .now = clock_now()};
    int r = check_filters(&l, e);
    if (r == 0)
        r = container_for_each(s, visit, &l, e);
    if (r < 0)
        return r;
    return listing_print(columns, rows, o->quiet ? "{{.ID}}" : o->format, o->no_trunc, e);
}

static int run(const struct invocation *in, struct err *e)
{
    struct ps_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = store_open(&s, e);
    if (r == 0) {
        mend_all(&s);
        r = list(&s, &o, e);
    }
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
