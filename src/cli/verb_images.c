/* SPDX-License-Identifier: Apache-2.0 */
/* casemate images: what is in the store, newest first, a row for each name. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/filter.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "cli/verbs.h"
#include "engine/lifecycle.h"
#include "image/image.h"
#include "image/reference.h"

#define NONE "<none>"

struct images_options {
    bool all, digests, no_trunc, quiet, unused;
    const char *format;
    struct str_list filters;
    const char *name; /* the argument: only this repository, or this name; NULL: all */
};

static const struct option_entry options[] = {
    {"all", 'a', OPTION_BOOL, NULL, "Accepted for Docker's sake: every image is shown",
     offsetof(struct images_options, all)},
    {"digests", 0, OPTION_BOOL, NULL, "Show digests", offsetof(struct images_options, digests)},
    {"filter", 'f', OPTION_LIST, "KEY=VALUE",
     "Show those that match: dangling, label, before, since, reference, until",
     offsetof(struct images_options, filters)},
    {"format", 0, OPTION_STRING, "FORMAT", "table, json, or a template such as {{.ID}}",
     offsetof(struct images_options, format), .complete = "table json"},
    {"no-trunc", 0, OPTION_BOOL, NULL, "Do not cut ids", offsetof(struct images_options, no_trunc)},
    {"quiet", 'q', OPTION_BOOL, NULL, "Print ids only", offsetof(struct images_options, quiet)},
    {"unused", 0, OPTION_BOOL, NULL, "Show those that no container is of, and when one was last started",
     offsetof(struct images_options, unused)},
    {"tree", 0, OPTION_UNSUPPORTED, NULL, " yet"},
    {0},
};

static struct listing_column columns[] = {
    {"Repository", "REPOSITORY", true},
    {"Tag", "TAG", true},
    {"Digest", "DIGEST", false},
    {"ID", "IMAGE ID", true},
    {"CreatedSince", "CREATED", true},
    {"CreatedAt", "CREATED AT", false},
    {"LastUsed", "LAST USED", false},
    {"Size", "SIZE", true},
    {"Containers", "CONTAINERS", false},
    {"SharedSize", "SHARED SIZE", false},
    {"UniqueSize", "UNIQUE SIZE", false},
    {"VirtualSize", "VIRTUAL SIZE", false},
    {0},
};

struct listing {
    const struct images_options *options;
    struct json_object *rows;
    int64_t now;
    bool dangling, dangling_given;
    int64_t before, since, until; /* creation times, of the filters; 0: none */
};

static int add_texts(struct json_object *row, const struct listing *l, const struct image *image,
                     struct err *e)
{
    char id[sizeof("sha256:") + DIGEST_HEX_LENGTH];
    char size[HUMAN_TEXT_MAX];
    char age[HUMAN_TEXT_MAX];
    char used[HUMAN_TEXT_MAX] = "never";
    char date[64] = "";
    struct tm tm;
    time_t seconds = (time_t)(image->created / CLOCK_SECOND);
    if (l->options->no_trunc)
        (void)snprintf(id, sizeof(id), "sha256:%s", image->id);
    else
        (void)snprintf(id, sizeof(id), "%.12s", image->id);
    human_size(image->size, size);
    human_age(image->created, l->now, age);
    if (image->used)
        human_age(image->used, l->now, used);
    if (localtime_r(&seconds, &tm))
        (void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S %z %Z", &tm);
    int r = json_add_string(row, "ID", id, e);
    if (r == 0)
        r = json_add_string(row, "LastUsed", used, e);
    if (r == 0)
        r = json_add_string(row, "CreatedSince", age, e);
    if (r == 0)
        r = json_add_string(row, "CreatedAt", date, e);
    if (r == 0)
        r = json_add_string(row, "Size", size, e);
    if (r == 0)
        r = json_add_string(row, "VirtualSize", size, e);
    /* `system df -v` has them, as with Docker. */
    static const char *const elsewhere[] = {"Containers", "SharedSize", "UniqueSize"};
    for (size_t i = 0; i < ARRAY_SIZE(elsewhere) && r == 0; i++)
        r = json_add_string(row, elsewhere[i], "N/A", e);
    return r;
}

static int add_row(const struct listing *l, const struct image *image, const char *repository,
                   const char *tag, const char *digest, struct err *e)
{
    _cleanup_json_ struct json_object *row = json_object_new_object();
    if (!row)
        return err_oom(e);
    int r = json_add_string(row, "Repository", repository, e);
    if (r == 0)
        r = json_add_string(row, "Tag", tag, e);
    if (r == 0)
        r = json_add_string(row, "Digest", digest, e);
    if (r == 0)
        r = add_texts(row, l, image, e);
    if (r == 0 && json_object_array_add(l->rows, row) < 0)
        r = err_oom(e);
    if (r == 0)
        (void)steal_ptr(row);
    return r;
}

/* The argument is a repository, or a name with its tag. */
static bool is_wanted(const struct images_options *o, const struct reference *name)
{
    struct reference wanted;
    struct err ignored = {0};
    if (!o->name)
        return true;
    if (reference_parse(o->name, &wanted, &ignored) < 0 || !str_equal(wanted.host, name->host) ||
        !str_equal(wanted.path, name->path))
        return false;
    const char *last = strrchr(o->name, '/');
    bool tagged = strchr(last ? last : o->name, ':');
    return !tagged || str_equal(wanted.tag, name->tag);
}

static bool is_reference(const char *value, const void *context)
{
    const char *name = context;
    const char *last = strrchr(value, '/');
    if (!name)
        return false;
    /* A pattern without a tag is for the repository alone. */
    _cleanup_free_ char *repository =
        strndup(name, strcspn(name, "@") < strlen(name) ? strcspn(name, "@") : strlen(name));
    char *colon = repository ? strrchr(repository, ':') : NULL;
    if (colon && !strchr(colon, '/') && !strchr(last ? last : value, ':'))
        *colon = '\0';
    return repository && fnmatch(value, repository, FNM_PATHNAME) == 0;
}

static bool passes(const struct listing *l, const struct image *image, const char *name)
{
    const struct images_options *o = l->options;
    return (!l->dangling_given || l->dangling == !name) && filters_labels(&o->filters, &image->labels) &&
           filters_any(&o->filters, "reference", is_reference, name) &&
           (!l->before || image->created < l->before) && (!l->since || image->created > l->since) &&
           (!l->until || image->created < l->until);
}

static void digest_of_name(const struct image *image, const struct reference *name, char *ret_text)
{
    struct err ignored = {0};
    struct reference other;
    (void)snprintf(ret_text, DIGEST_TEXT_LENGTH + 1, "%s", NONE);
    for (size_t i = 0; i < image->names.count; i++)
        if (reference_parse(image->names.items[i], &other, &ignored) == 0 && other.has_digest &&
            str_equal(other.host, name->host) && str_equal(other.path, name->path))
            digest_format(&other.digest, ret_text);
}

/* A row for each tag; one for a repository that is known by digest only. */
static int add_image(const struct listing *l, const struct image *image, struct err *e)
{
    size_t rows = 0;
    struct reference name;
    struct err ignored = {0};
    char repository[REFERENCE_TEXT_MAX + 1];
    char digest[DIGEST_TEXT_LENGTH + 1];
    for (int tagged = 1; tagged >= 0 && rows == 0; tagged--) {
        for (size_t i = 0; i < image->names.count; i++) {
            const char *text = image->names.items[i];
            if (reference_parse(text, &name, &ignored) < 0 || (tagged && !name.tag[0]))
                continue;
            rows++;
            if (!is_wanted(l->options, &name) || !passes(l, image, text))
                continue;
            reference_format_familiar_name(&name, repository);
            digest_of_name(image, &name, digest);
            int r = add_row(l, image, repository, name.tag[0] ? name.tag : NONE, digest, e);
            if (r < 0)
                return r;
        }
    }
    if (rows > 0 || l->options->name || !passes(l, image, NULL))
        return 0;
    return add_row(l, image, NONE, NONE, NONE, e);
}

static int find_time(const struct store *s, const char *text, int64_t *ret, struct err *e)
{
    _cleanup_image_ struct image *image = NULL;
    int r = image_find(s, text, &image, e);
    if (r == 0)
        *ret = image->created;
    return r;
}

static int read_filters(struct listing *l, const struct store *s, struct err *e)
{
    static const char *const keys[] = {"dangling", "label", "before", "since", "reference", "until", NULL};
    const struct str_list *filters = &l->options->filters;
    int r = filters_check(filters, keys, e);
    for (size_t i = 0; i < filters->count && r == 0; i++) {
        const char *before = filters_value(filters->items[i], "before");
        const char *since = filters_value(filters->items[i], "since");
        r = before ? find_time(s, before, &l->before, e) : since ? find_time(s, since, &l->since, e) : 0;
    }
    if (r == 0)
        r = filters_time(filters, "until", l->now, &l->until, e);
    l->dangling_given = filters_given(filters, "dangling");
    return r < 0 ? r : filters_bool(filters, "dangling", &l->dangling, e);
}

/* No container is of it, running or not. */
static bool is_unused(const struct store *s, const struct image *image)
{
    struct err ignored = {0};
    char container[ID_LENGTH + 1];
    return lifecycle_image_user(s, image->id, container, &ignored) == 0;
}

static int list(const struct images_options *o, struct err *e)
{
    struct err unmended = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_image_list_ struct image_list images = {0};
    _cleanup_json_ struct json_object *rows = json_object_new_array();
    struct listing l = {.options = o, .rows = rows, .now = clock_now()};
    int r = rows ? store_open(&s, e) : err_oom(e);
    if (r == 0)
        r = read_filters(&l, &s, e);
    if (r < 0)
        return r;
    (void)image_mend(&s, &unmended);
    r = image_list(&s, &images, e);
    for (size_t i = 0; i < images.count && r == 0; i++)
        if (!o->unused || is_unused(&s, images.items[i]))
            r = add_image(&l, images.items[i], e);
    for (size_t i = 0; columns[i].field; i++) {
        if (str_equal(columns[i].field, "Digest"))
            columns[i].shown = o->digests;
        if (str_equal(columns[i].field, "LastUsed"))
            columns[i].shown = o->unused;
    }
    return r < 0 ? r : listing_print(columns, rows, o->quiet ? "{{.ID}}" : o->format, o->no_trunc, e);
}

static int run(const struct invocation *in, struct err *e)
{
    struct images_options o = {.name = in->arguments[0]};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = list(&o, e);
    str_list_clear(&o.filters);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_images = {
    .name = "images",
    .aliases = "image ls, image list",
    .group = VERB_IMAGES,
    .usage = "[NAME[:TAG]]",
    .summary = "List images",
    .arguments_max = 1,
    .complete = "images",
    .options = {options},
    .run = run,
};
