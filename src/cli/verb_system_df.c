/* SPDX-License-Identifier: Apache-2.0 */
/* casemate system df: what layers, containers, their logs and volumes take on the disk. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/shimproto.h"
#include "cli/human.h"
#include "cli/inspect_json.h"
#include "cli/listing.h"
#include "cli/row.h"
#include "cli/verbs.h"
#include "engine/disk_usage.h"
#include "engine/lifecycle.h"
#include "engine/mend.h"
#include "engine/volume.h"

struct df_options {
    bool verbose;
    const char *format;
};

static const struct option_entry options[] = {
    {"format", 0, OPTION_STRING, "FORMAT", "table, json, or a template such as {{.Type}} {{.Size}}",
     offsetof(struct df_options, format), .complete = "table json"},
    {"verbose", 'v', OPTION_BOOL, NULL, "Show each image, container and volume",
     offsetof(struct df_options, verbose)},
    {0},
};

static const struct listing_column columns[] = {
    {"Type", "TYPE", true}, {"TotalCount", "TOTAL", true},        {"Active", "ACTIVE", true},
    {"Size", "SIZE", true}, {"Reclaimable", "RECLAIMABLE", true}, {0},
};
static const struct listing_column image_columns[] = {
    {"Name", "IMAGE", true},
    {"ID", "IMAGE ID", true},
    {"CreatedSince", "CREATED", true},
    {"Size", "SIZE", true},
    {"SharedSize", "SHARED SIZE", true},
    {"UniqueSize", "UNIQUE SIZE", true},
    {"Containers", "CONTAINERS", true},
    {0},
};
static const struct listing_column container_columns[] = {
    {"ID", "CONTAINER ID", true}, {"Image", "IMAGE", true},      {"Command", "COMMAND", true},
    {"Size", "SIZE", true},       {"LogSize", "LOG SIZE", true}, {"RunningFor", "CREATED", true},
    {"Status", "STATUS", true},   {"Names", "NAMES", true},      {0},
};
static const struct listing_column volume_columns[] = {
    {"Name", "VOLUME NAME", true},
    {"Links", "LINKS", true},
    {"Size", "SIZE", true},
    {0},
};

/* One kind of thing. */
struct part {
    uint64_t total, active, bytes, reclaimable;
    struct json_object *rows;
};

struct layer {
    struct digest blob;
    uint64_t bytes;
    unsigned images; /* that have it */
    bool active;     /* a container is of one of them */
};

struct usage {
    const struct store *s;
    int64_t now;
    struct part images, containers, logs, volumes;
    struct str_list used; /* image ids of containers, one for each container */
    struct layer *layers;
    size_t layer_count;
};

static int add_row(struct part *p, struct members *row, struct err *e)
{
    if (!row->failed && json_object_array_add(p->rows, row->object) == 0)
        return 0;
    json_object_put(row->object);
    return err_oom(e);
}

static void add_size(struct members *m, const char *key, uint64_t bytes)
{
    char text[HUMAN_TEXT_MAX];
    human_size(bytes, text);
    members_text(m, key, text);
}

static void log_usage(const struct container *c, struct disk_usage *ret)
{
    struct err none = {0};
    _cleanup_close_ int log =
        openat(c->shim_dir, SHIM_LOG_DIR, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (log >= 0)
        (void)disk_usage_tree(log, ret, &none);
}

static int visit_container(struct container *c, void *context, struct err *e)
{
    struct usage *u = context;
    struct disk_usage written = {0}, log = {0};
    struct err gone = {0};
    struct json_object *json;
    bool active = c->status == CONTAINER_RUNNING || c->status == CONTAINER_RESTARTING;
    (void)disk_usage_container(c, &written, &gone);
    log_usage(c, &log);
    u->containers.total++;
    u->containers.active += active;
    u->containers.bytes += written.bytes;
    u->containers.reclaimable += active ? 0 : written.bytes;
    u->logs.total++;
    u->logs.active += active;
    u->logs.bytes += log.bytes;
    u->logs.reclaimable += active ? 0 : log.bytes;
    int r = str_list_add(&u->used, c->plan.image_id, e);
    if (r == 0)
        r = row_make(c, u->now, ROW_WHOLE, false, &json, e);
    if (r < 0)
        return r;
    struct members row = {.object = json};
    add_size(&row, "Size", written.bytes);
    add_size(&row, "LogSize", log.bytes);
    return add_row(&u->containers, &row, e);
}

static int visit_volume(const struct volume *v, int dir, void *context, struct err *e)
{
    struct usage *u = context;
    struct disk_usage usage = {0};
    struct err gone = {0};
    _cleanup_str_list_ struct str_list users = {0};
    (void)disk_usage_volume(dir, &usage, &gone);
    int r = volume_users(u->s, dir, v, &users, e);
    if (r < 0)
        return r;
    u->volumes.total++;
    u->volumes.active += users.count > 0;
    u->volumes.bytes += usage.bytes;
    u->volumes.reclaimable += users.count ? 0 : usage.bytes;
    struct members row = {.object = json_object_new_object()};
    row.failed = !row.object;
    members_text(&row, "Name", v->name);
    members_number(&row, "Links", (int64_t)users.count);
    add_size(&row, "Size", usage.bytes);
    return add_row(&u->volumes, &row, e);
}

static uint64_t measure_layer(const struct usage *u, const struct digest *blob)
{
    char text[DIGEST_TEXT_LENGTH + 1];
    struct disk_usage usage = {0};
    struct err gone = {0};
    digest_format(blob, text);
    const char *hex = str_after(text, "sha256:") ?: text;
    _cleanup_close_ int dir = openat(u->s->layers, hex, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir >= 0)
        (void)disk_usage_tree(dir, &usage, &gone);
    return usage.bytes;
}

/* The layer, measured when it is met first; NULL: no memory. */
static struct layer *find_layer(struct usage *u, const struct digest *blob)
{
    for (size_t i = 0; i < u->layer_count; i++)
        if (memcmp(&u->layers[i].blob, blob, sizeof(*blob)) == 0)
            return &u->layers[i];
    struct layer *grown = reallocarray(u->layers, u->layer_count + 1, sizeof(*grown));
    if (!grown)
        return NULL;
    u->layers = grown;
    struct layer *layer = &grown[u->layer_count++];
    *layer = (struct layer){.blob = *blob, .bytes = measure_layer(u, blob)};
    return layer;
}

static size_t count_containers(const struct usage *u, const struct image *image)
{
    size_t count = 0;
    for (size_t i = 0; i < u->used.count; i++)
        count += str_equal(u->used.items[i], image->id);
    return count;
}

static int count_layers(struct usage *u, const struct image *image, struct err *e)
{
    size_t indexes[IMAGE_LAYERS_MAX];
    size_t n = image_distinct_layers(image, indexes);
    bool active = count_containers(u, image) > 0;
    for (size_t i = 0; i < n; i++) {
        struct layer *layer = find_layer(u, &image->layers[indexes[i]].blob);
        if (!layer)
            return err_oom(e);
        layer->images++;
        layer->active = layer->active || active;
    }
    u->images.total++;
    u->images.active += active;
    return 0;
}

static int add_image_row(struct usage *u, const struct image *image, struct err *e)
{
    size_t indexes[IMAGE_LAYERS_MAX];
    size_t n = image_distinct_layers(image, indexes);
    uint64_t shared = 0, unique = 0;
    char age[HUMAN_TEXT_MAX];
    char id[ID_SHORT_LENGTH + 1];
    for (size_t i = 0; i < n; i++) {
        const struct layer *layer = find_layer(u, &image->layers[indexes[i]].blob);
        if (!layer)
            return err_oom(e);
        *(layer->images > 1 ? &shared : &unique) += layer->bytes;
    }
    (void)snprintf(id, sizeof(id), "%.*s", ID_SHORT_LENGTH, image->id);
    human_age(image->created, u->now, age);
    struct members row = {.object = json_object_new_object()};
    row.failed = !row.object;
    members_text(&row, "Name", image->names.count ? image->names.items[0] : "<none>");
    members_text(&row, "ID", id);
    members_text(&row, "CreatedSince", age);
    add_size(&row, "Size", shared + unique);
    add_size(&row, "SharedSize", shared);
    add_size(&row, "UniqueSize", unique);
    members_number(&row, "Containers", (int64_t)count_containers(u, image));
    return add_row(&u->images, &row, e);
}

static int measure_images(struct usage *u, struct err *e)
{
    _cleanup_image_list_ struct image_list images = {0};
    int r = image_list(u->s, &images, e);
    for (size_t i = 0; i < images.count && r == 0; i++)
        r = count_layers(u, images.items[i], e);
    for (size_t i = 0; i < images.count && r == 0; i++)
        r = add_image_row(u, images.items[i], e);
    for (size_t i = 0; i < u->layer_count; i++) {
        u->images.bytes += u->layers[i].bytes;
        u->images.reclaimable += u->layers[i].active ? 0 : u->layers[i].bytes;
    }
    return r;
}

static int add_summary(struct json_object *rows, const char *type, const struct part *p, struct err *e)
{
    char size[HUMAN_TEXT_MAX], count[24], active[24];
    _cleanup_free_ char *text = NULL;
    human_size(p->reclaimable, size);
    int r = p->bytes
                ? str_format(&text, e, "%s (%.0f%%)", size, (double)p->reclaimable * 100 / (double)p->bytes)
                : str_copy(size, &text, e);
    if (r < 0)
        return r;
    struct part list = {.rows = rows};
    struct members row = {.object = json_object_new_object()};
    row.failed = !row.object;
    (void)snprintf(count, sizeof(count), "%llu", (unsigned long long)p->total);
    (void)snprintf(active, sizeof(active), "%llu", (unsigned long long)p->active);
    members_text(&row, "Type", type);
    members_text(&row, "TotalCount", count);
    members_text(&row, "Active", active);
    add_size(&row, "Size", p->bytes);
    members_text(&row, "Reclaimable", text);
    return add_row(&list, &row, e);
}

static int print_summary(const struct usage *u, const char *format, struct err *e)
{
    _cleanup_json_ struct json_object *rows = json_object_new_array();
    int r = rows ? add_summary(rows, "Images", &u->images, e) : err_oom(e);
    if (r == 0)
        r = add_summary(rows, "Containers", &u->containers, e);
    if (r == 0)
        r = add_summary(rows, "Container Logs", &u->logs, e);
    if (r == 0)
        r = add_summary(rows, "Local Volumes", &u->volumes, e);
    return r < 0 ? r : listing_print(columns, rows, format, false, e);
}

static int print_verbose(const struct usage *u, struct err *e)
{
    printf("Images space usage:\n\n");
    int r = listing_print(image_columns, u->images.rows, NULL, false, e);
    printf("\nContainers space usage:\n\n");
    if (r == 0)
        r = listing_print(container_columns, u->containers.rows, NULL, false, e);
    printf("\nLocal Volumes space usage:\n\n");
    return r < 0 ? r : listing_print(volume_columns, u->volumes.rows, NULL, true, e);
}

static int measure(struct usage *u, struct err *e)
{
    struct part *const all[] = {&u->images, &u->containers, &u->volumes};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        all[i]->rows = json_object_new_array();
        if (!all[i]->rows)
            return err_oom(e);
    }
    int r = container_for_each(u->s, visit_container, u, e);
    if (r == 0)
        r = measure_images(u, e);
    return r < 0 ? r : volume_for_each(u->s, visit_volume, u, e);
}

static void clear(struct usage *u)
{
    json_object_put(u->images.rows);
    json_object_put(u->containers.rows);
    json_object_put(u->volumes.rows);
    str_list_clear(&u->used);
    free(u->layers);
}

static int run(const struct invocation *in, struct err *e)
{
    struct df_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    struct usage u = {.s = &s, .now = clock_now()};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = store_open(&s, e);
    if (r < 0)
        return r;
    mend_ended(&s);
    r = measure(&u, e);
    if (r == 0)
        r = o.verbose && !o.format ? print_verbose(&u, e) : print_summary(&u, o.format, e);
    clear(&u);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_system_df = {
    .name = "system df",
    .group = VERB_SYSTEM,
    .usage = "",
    .summary = "Show what is used of the disk",
    .options = {options},
    .run = run,
};
