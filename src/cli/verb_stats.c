/* SPDX-License-Identifier: Apache-2.0 */
/* casemate stats: what containers use, once or again and again. Two samples make a line, so that nothing has to be watched in between. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/containers.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "engine/stats.h"

#define FIRST_MS 500 /* between the samples of the first lines */
#define PERIOD_MS 1000
#define CONTAINERS_MAX 100000

struct stats_options {
    bool all, no_stream, no_trunc;
    const char *format;
};

static const struct option_entry options[] = {
    {"all", 'a', OPTION_BOOL, NULL, "Show containers that do not run too",
     offsetof(struct stats_options, all)},
    {"format", 0, OPTION_STRING, "FORMAT", "table, json, or a template such as {{.Name}}",
     offsetof(struct stats_options, format), .complete = "table json"},
    {"no-stream", 0, OPTION_BOOL, NULL, "Print once and return", offsetof(struct stats_options, no_stream)},
    {"no-trunc", 0, OPTION_BOOL, NULL, "Do not cut ids", offsetof(struct stats_options, no_trunc)},
    {0},
};

static const struct listing_column columns[] = {
    {"ID", "CONTAINER ID", true},      {"Name", "NAME", true},
    {"CPUPerc", "CPU %", true},        {"MemUsage", "MEM USAGE / LIMIT", true},
    {"MemPerc", "MEM %", true},        {"NetIO", "NET I/O", true},
    {"BlockIO", "BLOCK I/O", true},    {"PIDs", "PIDS", true},
    {"Container", "CONTAINER", false}, {0},
};

/* One container that is watched. */
struct watched {
    struct container c;
    const char *word; /* how it was named; NULL: by nothing */
    bool runs;
    struct stats_sample before, now;
};

struct watch {
    const struct store *store;
    const struct stats_options *options;
    struct watched *items;
    size_t count;
};

static void watch_clear(struct watch *w)
{
    for (size_t i = 0; i < w->count; i++)
        container_close(&w->items[i].c);
    free(w->items);
    w->items = NULL;
    w->count = 0;
}

/* Takes the container over. */
static int add(struct watch *w, struct container *c, const char *word, struct err *e)
{
    if (w->count == CONTAINERS_MAX)
        return err_set(e, E2BIG, "more than %d containers", CONTAINERS_MAX);
    struct watched *grown = reallocarray(w->items, w->count + 1, sizeof(*grown));
    if (!grown)
        return err_oom(e);
    w->items = grown;
    grown[w->count++] = (struct watched){.c = *c, .word = word};
    *c = (struct container)CONTAINER_INIT;
    plan_init(&c->plan);
    return 0;
}

static int visit(struct container *c, void *context, struct err *e)
{
    struct watch *w = context;
    return c->status == CONTAINER_RUNNING || w->options->all ? add(w, c, NULL, e) : 0;
}

static int find_all(struct watch *w, const struct invocation *in, struct err *e)
{
    if (in->argument_count == 0)
        return container_for_each(w->store, visit, w, e);
    int r = 0;
    for (size_t i = 0; i < in->argument_count && r == 0; i++) {
        _cleanup_container_ struct container c = CONTAINER_INIT;
        r = container_find(w->store, in->arguments[i], &c, e);
        if (r == 0)
            r = add(w, &c, in->arguments[i], e);
    }
    return r;
}

static void sample(struct watch *w)
{
    for (size_t i = 0; i < w->count; i++) {
        struct watched *x = &w->items[i];
        struct err gone = {0};
        x->before = x->now;
        x->runs = container_refresh(&x->c, &gone) == 0 && x->c.status == CONTAINER_RUNNING &&
                  stats_read(&x->c, &x->now, &gone) == 0;
        if (!x->runs)
            x->now = (struct stats_sample){0};
    }
}

static uint64_t machine_memory(void)
{
    struct sysinfo info;
    return sysinfo(&info) < 0 ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

static int add_percent(struct json_object *row, const char *key, uint64_t hundredths, struct err *e)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%llu.%02llu%%", (unsigned long long)(hundredths / 100),
                   (unsigned long long)(hundredths % 100));
    return json_add_string(row, key, text, e);
}

static int add_pair(struct json_object *row, const char *key, const char *first, const char *second,
                    struct err *e)
{
    _cleanup_free_ char *text = NULL;
    int r = str_format(&text, e, "%s / %s", first, second);
    return r < 0 ? r : json_add_string(row, key, text, e);
}

static int add_memory(struct json_object *row, const struct watched *x, struct err *e)
{
    char used[HUMAN_TEXT_MAX], limit[HUMAN_TEXT_MAX];
    const struct cgroup_use *u = &x->now.use;
    uint64_t most = machine_memory();
    most = u->memory_limit < most ? u->memory_limit : most;
    human_memory(u->memory, used);
    human_memory(x->runs ? most : 0, limit);
    int r = add_pair(row, "MemUsage", used, limit, e);
    return r < 0 ? r : add_percent(row, "MemPerc", most ? u->memory * 10000 / most : 0, e);
}

static int add_traffic(struct json_object *row, const char *key, uint64_t in, uint64_t out, struct err *e)
{
    char first[HUMAN_TEXT_MAX], second[HUMAN_TEXT_MAX];
    human_size(in, first);
    human_size(out, second);
    return add_pair(row, key, first, second, e);
}

static int fill(struct json_object *row, const struct watched *x, bool no_trunc, struct err *e)
{
    char id[ID_LENGTH + 1], processes[24];
    const struct cgroup_use *u = &x->now.use;
    (void)snprintf(id, sizeof(id), "%.*s", no_trunc ? ID_LENGTH : ID_SHORT_LENGTH, x->c.id);
    (void)snprintf(processes, sizeof(processes), "%llu", (unsigned long long)u->processes);
    int r = add_traffic(row, "BlockIO", u->read_bytes, u->written_bytes, e);
    if (r == 0)
        r = add_percent(row, "CPUPerc", x->runs && x->before.time ? stats_cpu(&x->before, &x->now) : 0, e);
    if (r == 0)
        r = json_add_string(row, "Container", x->word ? x->word : id, e);
    if (r == 0)
        r = json_add_string(row, "ID", id, e);
    if (r == 0)
        r = add_memory(row, x, e);
    if (r == 0)
        r = json_add_string(row, "Name", x->c.plan.name ? x->c.plan.name : "", e);
    if (r == 0)
        r = add_traffic(row, "NetIO", x->now.received, x->now.sent, e);
    return r < 0 ? r : json_add_string(row, "PIDs", processes, e);
}

static int print(const struct watch *w, struct err *e)
{
    _cleanup_json_ struct json_object *rows = json_object_new_array();
    if (!rows)
        return err_oom(e);
    for (size_t i = 0; i < w->count; i++) {
        struct json_object *row = json_object_new_object();
        if (!row || json_object_array_add(rows, row) < 0) {
            json_object_put(row);
            return err_oom(e);
        }
        int r = fill(row, &w->items[i], w->options->no_trunc, e);
        if (r < 0)
            return r;
    }
    return listing_print(columns, rows, w->options->format, w->options->no_trunc, e);
}

/* On a terminal each round takes the place of the one before. */
static int stream(struct watch *w, const struct invocation *in, struct err *e)
{
    bool terminal = isatty(STDOUT_FILENO);
    int r = 0;
    while (r == 0) {
        if (terminal)
            (void)fputs("\033[H\033[J", stdout);
        r = print(w, e);
        if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
            return 0; /* nobody reads any more */
        (void)poll(NULL, 0, PERIOD_MS);
        if (r == 0 && in->argument_count == 0) { /* others may have started */
            struct watch fresh = {.store = w->store, .options = w->options};
            r = find_all(&fresh, in, e);
            for (size_t i = 0; i < fresh.count; i++)
                for (size_t k = 0; k < w->count; k++)
                    if (str_equal(fresh.items[i].c.id, w->items[k].c.id))
                        fresh.items[i].now = w->items[k].now;
            watch_clear(w);
            *w = fresh;
        }
        if (r == 0)
            sample(w);
    }
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct stats_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    struct watch w = {.store = &s, .options = &o};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = store_open(&s, e);
    if (r == 0)
        r = find_all(&w, in, e);
    if (r >= 0) {
        sample(&w);
        (void)poll(NULL, 0, w.count ? FIRST_MS : 0);
        sample(&w);
        r = o.no_stream ? print(&w, e) : stream(&w, in, e);
    }
    watch_clear(&w);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_stats = {
    .name = "stats",
    .aliases = "container stats",
    .group = VERB_CONTAINERS,
    .usage = "[CONTAINER...]",
    .summary = "Show what containers use",
    .arguments_max = VERB_MANY,
    .complete = "containers",
    .options = {options},
    .run = run,
};
