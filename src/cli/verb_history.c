/* SPDX-License-Identifier: Apache-2.0 */
/* casemate history: how an image came to be, newest first. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "cli/verbs.h"
#include "image/history.h"
#include "image/layers.h"

#define MISSING "<missing>" /* Docker's word for what is no image of its own here */
#define CREATED_BY_WIDTH 45
#define ELLIPSIS "\xe2\x80\xa6"

struct history_options {
    bool no_trunc, quiet, human;
    const char *format;
};

static const struct option_entry options[] = {
    {"format", 0, OPTION_STRING, "FORMAT", "table, json, or a template such as {{.CreatedBy}}",
     offsetof(struct history_options, format), .complete = "table json"},
    {"human", 'H', OPTION_BOOL, NULL, "Print sizes and times for people (default true)",
     offsetof(struct history_options, human)},
    {"no-trunc", 0, OPTION_BOOL, NULL, "Do not cut ids and texts",
     offsetof(struct history_options, no_trunc)},
    {"quiet", 'q', OPTION_BOOL, NULL, "Print ids only", offsetof(struct history_options, quiet)},
    {0},
};

static struct listing_column columns[] = {
    {"ID", "IMAGE", true},
    {"CreatedSince", "CREATED", true},
    {"CreatedAt", "CREATED AT", false},
    {"CreatedBy", "CREATED BY", true},
    {"Size", "SIZE", true},
    {"Comment", "COMMENT", true},
    {0},
};

/* Cut at a character, so that it takes `width` columns. */
static int add_cut(struct json_object *row, const char *key, const char *text, bool whole, struct err *e)
{
    char cut[4 * CREATED_BY_WIDTH + sizeof(ELLIPSIS)];
    size_t n = 0;
    size_t at = 0;
    if (!text)
        text = "";
    while (text[at] && n < CREATED_BY_WIDTH - 1) {
        size_t step = str_utf8_length(text + at);
        at += step ? step : 1;
        n++;
    }
    if (whole || !text[at])
        return json_add_string(row, key, text, e);
    (void)snprintf(cut, sizeof(cut), "%.*s" ELLIPSIS, (int)at, text);
    return json_add_string(row, key, cut, e);
}

/* Bytes of the files in the layer that the entry has made. */
static uint64_t size_of(const struct store *s, const struct image *i, const struct image_history_entry *x,
                        size_t *layer)
{
    struct layer_info info = {0};
    struct err ignored = {0};
    if (x->empty_layer || *layer == 0)
        return 0;
    (void)layer_read_info(s, &i->layers[--*layer].blob, &info, &ignored);
    return info.files_bytes;
}

static int add_row(const struct history_options *o, const char *id, const struct image_history_entry *x,
                   uint64_t size, struct json_object *rows, struct err *e)
{
    char short_id[sizeof("sha256:") + DIGEST_HEX_LENGTH];
    char age[HUMAN_TEXT_MAX];
    char bytes[HUMAN_TEXT_MAX];
    char date[CLOCK_TEXT_LENGTH + 1];
    _cleanup_json_ struct json_object *row = json_object_new_object();
    if (!row)
        return err_oom(e);
    (void)snprintf(short_id, sizeof(short_id), id && o->no_trunc ? "sha256:%s" : "%.12s", id ? id : MISSING);
    human_age(x->created, clock_now(), age);
    clock_format(x->created, date);
    if (o->human)
        human_size(size, bytes);
    else
        (void)snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)size);
    int r = json_add_string(row, "ID", short_id, e);
    if (r == 0)
        r = json_add_string(row, "CreatedSince", o->human ? age : date, e);
    if (r == 0)
        r = json_add_string(row, "CreatedAt", date, e);
    if (r == 0)
        r = add_cut(row, "CreatedBy", x->created_by, o->no_trunc, e);
    if (r == 0)
        r = json_add_string(row, "Size", bytes, e);
    if (r == 0)
        r = json_add_string(row, "Comment", x->comment ? x->comment : "", e);
    if (r == 0 && json_object_array_add(rows, row) < 0)
        r = err_oom(e);
    if (r == 0)
        (void)steal_ptr(row);
    return r;
}

static int list(const struct history_options *o, const char *word, struct err *e)
{
    struct documents d = DOCUMENTS_INIT;
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_image_ struct image *i = NULL;
    _cleanup_image_history_ struct image_history h = {0};
    _cleanup_json_ struct json_object *rows = json_object_new_array();
    int r = rows ? store_open(&s, e) : err_oom(e);
    if (r == 0)
        r = image_find(&s, word, &i, e);
    if (r == 0)
        r = documents_open(&d, e);
    if (r == 0)
        r = image_history_read(&s, i, &d, &h, e);
    documents_close(&d);
    if (r < 0 || !i)
        return r;
    size_t layer = i->layer_count;
    for (size_t n = h.count; n > 0 && r == 0; n--) {
        const struct image_history_entry *x = &h.items[n - 1];
        r = add_row(o, n == h.count ? i->id : NULL, x, size_of(&s, i, x, &layer), rows, e);
    }
    return r < 0 ? r : listing_print(columns, rows, o->quiet ? "{{.ID}}" : o->format, o->no_trunc, e);
}

static int run(const struct invocation *in, struct err *e)
{
    struct history_options o = {.human = true};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = list(&o, in->arguments[0], e);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_history = {
    .name = "history",
    .aliases = "image history",
    .group = VERB_IMAGES,
    .usage = "IMAGE",
    .summary = "Show how an image came to be",
    .arguments_min = 1,
    .arguments_max = 1,
    .complete = "images",
    .options = {options},
    .run = run,
};
