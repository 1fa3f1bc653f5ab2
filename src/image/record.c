/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image record as JSON (record.h). Trusted code; the text comes from the parse worker or from our own file, and is
 * believed in neither case: every member is checked by the same rules that the worker applies, unknown members are refused.
 */
#include "image/record.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/imagerules.h"
#include "base/io.h"
#include "base/json.h"
#include "base/path.h"

#define WORD_MAX 32 /* os, architecture, variant */
#define AUTHOR_MAX 1024
#define LAYER_SIZE_MAX (1ULL << 40)

static const char *const compression_names[] = {
    [LAYER_DETECT] = "detect", [LAYER_PLAIN] = "none", [LAYER_GZIP] = "gzip", [LAYER_ZSTD] = "zstd"};

void image_free(struct image *i)
{
    if (!i)
        return;
    struct str_list *const lists[] = {&i->env,           &i->entrypoint, &i->cmd,   &i->labels,
                                      &i->exposed_ports, &i->volumes,    &i->shell, &i->healthcheck.test,
                                      &i->names,         &i->vouched};
    char *const texts[] = {i->os,   i->architecture, i->variant,    i->author,
                           i->user, i->working_dir,  i->stop_signal};
    for (size_t n = 0; n < ARRAY_SIZE(lists); n++)
        str_list_clear(lists[n]);
    for (size_t n = 0; n < ARRAY_SIZE(texts); n++)
        free(texts[n]);
    free(i);
}

size_t image_distinct_layers(const struct image *i, size_t ret_index[IMAGE_LAYERS_MAX])
{
    size_t count = 0;
    for (size_t n = 0; n < i->layer_count; n++) {
        bool again = false;
        for (size_t later = n + 1; later < i->layer_count && !again; later++)
            again = digest_equal(&i->layers[n].blob, &i->layers[later].blob);
        if (!again)
            ret_index[count++] = n;
    }
    return count;
}

/* Writing */

static int add_layers(struct json_object *to, const struct image *i, struct err *e)
{
    _cleanup_json_ struct json_object *array = json_object_new_array();
    if (!array)
        return err_oom(e);
    for (size_t n = 0; n < i->layer_count; n++) {
        char text[DIGEST_TEXT_LENGTH + 1];
        struct json_object *layer = json_object_new_object();
        if (!layer || json_object_array_add(array, layer) < 0) {
            json_object_put(layer);
            return err_oom(e);
        }
        digest_format(&i->layers[n].blob, text);
        int r = json_add_string(layer, "blob", text, e);
        if (r == 0)
            r = json_add_u64(layer, "size", i->layers[n].size, e);
        digest_format(&i->layers[n].diff_id, text);
        if (r == 0)
            r = json_add_string(layer, "diffId", text, e);
        if (r == 0)
            r = json_add_string(layer, "compression", compression_names[i->layers[n].compression], e);
        if (r < 0)
            return r;
    }
    return json_add_object(to, "layers", steal_ptr(array), e);
}

static int add_labels(struct json_object *to, const struct str_list *labels, struct err *e)
{
    if (labels->count == 0)
        return 0;
    _cleanup_json_ struct json_object *map = json_object_new_object();
    if (!map)
        return err_oom(e);
    for (size_t n = 0; n < labels->count; n++) {
        _cleanup_free_ char *key = NULL;
        const char *equals = strchr(labels->items[n], '=');
        int r = str_copy_n(labels->items[n], (size_t)(equals - labels->items[n]), &key, e);
        if (r == 0)
            r = json_add_string(map, key, equals + 1, e);
        if (r < 0)
            return r;
    }
    return json_add_object(to, "labels", steal_ptr(map), e);
}

static int add_healthcheck(struct json_object *to, const struct image_healthcheck *h, struct err *e)
{
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {{"interval", h->interval},
                   {"timeout", h->timeout},
                   {"startPeriod", h->start_period},
                   {"startInterval", h->start_interval},
                   {"retries", h->retries}};
    if (h->test.count == 0)
        return 0;
    _cleanup_json_ struct json_object *o = json_object_new_object();
    if (!o)
        return err_oom(e);
    int r = json_add_strings(o, "test", &h->test, e);
    for (size_t n = 0; r == 0 && n < ARRAY_SIZE(numbers); n++)
        if (numbers[n].value)
            r = json_add_u64(o, numbers[n].key, numbers[n].value, e);
    return r < 0 ? r : json_add_object(to, "healthcheck", steal_ptr(o), e);
}

static int add_config(struct json_object *to, const struct image *i, struct err *e)
{
    const struct {
        const char *key;
        const char *value;
    } texts[] = {{"os", i->os},
                 {"architecture", i->architecture},
                 {"variant", i->variant},
                 {"author", i->author},
                 {"stopSignal", i->stop_signal},
                 {"user", str_set(i->user) ? i->user : NULL},
                 {"workingDir", str_set(i->working_dir) ? i->working_dir : NULL}};
    const struct {
        const char *key;
        const struct str_list *list;
    } lists[] = {{"env", &i->env},         {"entrypoint", &i->entrypoint},
                 {"cmd", &i->cmd},         {"exposedPorts", &i->exposed_ports},
                 {"volumes", &i->volumes}, {"shell", &i->shell}};
    _cleanup_json_ struct json_object *o = json_object_new_object();
    if (!o)
        return err_oom(e);
    int r = 0;
    for (size_t n = 0; r == 0 && n < ARRAY_SIZE(texts); n++)
        r = json_add_string(o, texts[n].key, texts[n].value, e);
    for (size_t n = 0; r == 0 && n < ARRAY_SIZE(lists); n++)
        r = json_add_strings(o, lists[n].key, lists[n].list, e);
    if (r == 0 && i->created) {
        char text[CLOCK_TEXT_LENGTH + 1];
        clock_format(i->created, text);
        r = json_add_string(o, "created", text, e);
    }
    if (r == 0)
        r = add_labels(o, &i->labels, e);
    if (r == 0)
        r = add_healthcheck(o, &i->healthcheck, e);
    if (r == 0)
        r = json_add_u64(o, "historyCount", i->history_count, e);
    return r < 0 ? r : json_add_object(to, "config", steal_ptr(o), e);
}

int image_record_format(const struct image *i, struct buf *ret_text, struct err *e)
{
    static const struct digest none = {0};
    char manifest[DIGEST_TEXT_LENGTH + 1];
    _cleanup_json_ struct json_object *o = json_object_new_object();
    if (!o)
        return err_oom(e);
    int r = json_add_u64(o, "version", IMAGE_RECORD_VERSION, e);
    if (r == 0)
        r = json_add_string(o, "id", i->id, e);
    digest_format(&i->manifest, manifest);
    if (r == 0 && !digest_equal(&i->manifest, &none))
        r = json_add_string(o, "manifest", manifest, e);
    if (r == 0)
        r = add_layers(o, i, e);
    if (r == 0)
        r = add_config(o, i, e);
    if (r < 0)
        return r;
    size_t length = 0;
    const char *text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &length);
    if (!text)
        return err_oom(e);
    r = buf_add(ret_text, text, length, IMAGE_RECORD_MAX, e);
    return r < 0 ? r : buf_add(ret_text, "\n", 1, IMAGE_RECORD_MAX, e);
}

/* Reading */

/* Only members from a list that ends with NULL. */
static int check_members(struct json_object *o, const char *const *known, struct err *e)
{
    json_object_object_foreach(o, key, value)
    {
        (void)value;
        size_t n = 0;
        while (known[n] && !str_equal(known[n], key))
            n++;
        if (!known[n])
            return err_set(e, EINVAL, "unknown member '%.60s'", key);
    }
    return 0;
}

static int get_text(struct json_object *o, const char *key, size_t max, char **ret_text, struct err *e)
{
    const char *text = NULL;
    int r = json_get_string(o, key, &text, e);
    if (r <= 0)
        return r;
    if (strlen(text) > max)
        return err_set(e, ENAMETOOLONG, "'%s' is too long", key);
    return str_replace(ret_text, text, e);
}

static int get_list(struct json_object *o, const char *key, int (*check)(const char *, struct err *),
                    struct str_list *list, struct err *e)
{
    int r = json_get_strings(o, key, IMAGE_RULE_LIST_MAX, list, e);
    for (size_t n = 0; r >= 0 && n < list->count; n++)
        r = check(list->items[n], e);
    return r < 0 ? r : 0;
}

/* Texts that must already be in the clean form that the rule would give them. */
static int check_clean(const char *text, int (*clean)(const char *, char *, struct err *), struct err *e)
{
    char result[PATH_LENGTH_MAX + 1];
    int r = clean(text, result, e);
    return r < 0 || str_equal(text, result) ? r
                                            : err_set(e, EINVAL, "'%.100s' is not in its clean form", text);
}

static int check_volume(const char *text, struct err *e)
{
    return check_clean(text, image_rule_volume, e);
}

static int check_port(const char *text, struct err *e)
{
    return check_clean(text, image_rule_port, e);
}

static int get_labels(struct json_object *o, struct str_list *labels, struct err *e)
{
    struct json_object *map = NULL;
    int r = json_get_object(o, "labels", &map, e);
    if (r <= 0)
        return r;
    json_object_object_foreach(map, key, value)
    {
        const char *text = "";
        (void)value;
        r = json_get_string(map, key, &text, e);
        if (r >= 0)
            r = image_rule_label(key, text, e);
        if (r < 0)
            return r;
    }
    r = json_get_string_map(o, "labels", IMAGE_RULE_LIST_MAX, labels, e);
    return r < 0 ? r : 0;
}

static int get_healthcheck(struct json_object *o, struct image_healthcheck *h, struct err *e)
{
    static const char *const known[] = {"test",          "interval", "timeout", "startPeriod",
                                        "startInterval", "retries",  NULL};
    struct json_object *health = NULL;
    int r = json_get_object(o, "healthcheck", &health, e);
    if (r <= 0)
        return r;
    uint64_t *const values[] = {&h->interval, &h->timeout, &h->start_period, &h->start_interval, &h->retries};
    r = check_members(health, known, e);
    if (r == 0)
        r = get_list(health, "test", image_rule_argument, &h->test, e);
    for (size_t n = 0; r >= 0 && n < ARRAY_SIZE(values); n++) {
        r = json_get_u64(health, known[n + 1], values[n], e);
        if (r > 0 && *values[n] > INT64_MAX)
            r = err_set(e, ERANGE, "'%s' is out of range", known[n + 1]);
    }
    return r < 0 ? r : 0;
}

static int get_origin(struct json_object *o, struct image *i, struct err *e)
{
    const char *created = NULL;
    int r = get_text(o, "os", WORD_MAX - 1, &i->os, e);
    if (r >= 0)
        r = get_text(o, "architecture", WORD_MAX - 1, &i->architecture, e);
    if (r >= 0)
        r = get_text(o, "variant", WORD_MAX - 1, &i->variant, e);
    if (r >= 0 && (!str_set(i->os) || !str_equal(i->os, "linux") || !str_set(i->architecture)))
        return err_set(e, EINVAL, "no platform of Linux");
    if (r >= 0)
        r = get_text(o, "author", AUTHOR_MAX, &i->author, e);
    if (r >= 0)
        r = json_get_string(o, "created", &created, e);
    if (r > 0)
        r = clock_parse(created, &i->created, e);
    return r < 0 ? r : 0;
}

static int get_execution(struct json_object *o, struct image *i, struct err *e)
{
    int r = get_list(o, "env", image_rule_env, &i->env, e);
    if (r == 0)
        r = get_list(o, "entrypoint", image_rule_argument, &i->entrypoint, e);
    if (r == 0)
        r = get_list(o, "cmd", image_rule_argument, &i->cmd, e);
    if (r == 0)
        r = get_list(o, "shell", image_rule_argument, &i->shell, e);
    if (r == 0)
        r = get_list(o, "exposedPorts", check_port, &i->exposed_ports, e);
    if (r == 0)
        r = get_list(o, "volumes", check_volume, &i->volumes, e);
    if (r == 0)
        r = get_labels(o, &i->labels, e);
    if (r == 0)
        r = get_healthcheck(o, &i->healthcheck, e);
    if (r == 0)
        r = get_text(o, "user", IMAGE_RULE_USER_MAX, &i->user, e);
    if (r >= 0)
        r = get_text(o, "workingDir", PATH_LENGTH_MAX, &i->working_dir, e);
    if (r >= 0)
        r = get_text(o, "stopSignal", IMAGE_RULE_SIGNAL_TEXT, &i->stop_signal, e);
    if (r >= 0 && i->user)
        r = image_rule_user(i->user, e);
    if (r >= 0 && i->working_dir)
        r = check_clean(i->working_dir, image_rule_working_dir, e);
    if (r >= 0 && i->stop_signal)
        r = check_clean(i->stop_signal, image_rule_signal, e);
    if (r >= 0)
        r = json_get_u64(o, "historyCount", &i->history_count, e);
    if (r >= 0 && i->history_count > IMAGE_RULE_HISTORY_MAX)
        r = err_set(e, E2BIG, "too much history");
    if (r >= 0 && !i->user)
        r = str_replace(&i->user, "", e);
    if (r >= 0 && !i->working_dir)
        r = str_replace(&i->working_dir, "", e);
    return r < 0 ? r : 0;
}

static int read_config(struct json_object *o, bool with_diff_ids, struct image *i, struct err *e)
{
    static const char *const known[] = {"os",          "architecture", "variant", "created",    "author",
                                        "env",         "entrypoint",   "cmd",     "user",       "workingDir",
                                        "labels",      "exposedPorts", "volumes", "stopSignal", "shell",
                                        "healthcheck", "historyCount", "diffIds", NULL};
    _cleanup_str_list_ struct str_list diff_ids = {0};
    int r = check_members(o, known, e);
    if (r == 0)
        r = get_origin(o, i, e);
    if (r == 0)
        r = get_execution(o, i, e);
    if (r == 0)
        r = json_get_strings(o, "diffIds", IMAGE_LAYERS_MAX, &diff_ids, e);
    if (r < 0)
        return r;
    if (with_diff_ids != (diff_ids.count > 0))
        return err_set(e, EINVAL, with_diff_ids ? "no layers" : "diff ids out of place");
    for (size_t n = 0; n < diff_ids.count; n++) {
        r = digest_parse(diff_ids.items[n], &i->layers[n].diff_id, e);
        if (r < 0)
            return r;
    }
    if (with_diff_ids)
        i->layer_count = diff_ids.count;
    return 0;
}

static int get_digest(struct json_object *o, const char *key, struct digest *ret_digest, struct err *e)
{
    const char *text = NULL;
    int r = json_get_string(o, key, &text, e);
    if (r > 0)
        r = digest_parse(text, ret_digest, e) < 0 ? -e->code : 1;
    return r;
}

static int read_layer(struct json_object *o, struct image_layer *l, struct err *e)
{
    static const char *const known[] = {"blob", "size", "diffId", "compression", NULL};
    const char *compression = "";
    if (!json_object_is_type(o, json_type_object))
        return err_set(e, EINVAL, "a layer is not an object");
    int r = check_members(o, known, e);
    if (r == 0 && get_digest(o, "blob", &l->blob, e) <= 0)
        r = err_set(e, EINVAL, "a layer has no blob");
    if (r == 0 && get_digest(o, "diffId", &l->diff_id, e) <= 0)
        r = err_set(e, EINVAL, "a layer has no diffId");
    if (r == 0 && (json_get_u64(o, "size", &l->size, e) <= 0 || l->size == 0 || l->size > LAYER_SIZE_MAX))
        r = err_set(e, EINVAL, "a layer has no size");
    if (r == 0)
        r = json_get_string(o, "compression", &compression, e);
    if (r < 0)
        return r;
    for (size_t n = 0; n < ARRAY_SIZE(compression_names); n++)
        if (str_equal(compression, compression_names[n])) {
            l->compression = (enum layer_compression)n;
            return 0;
        }
    return err_set(e, EINVAL, "unknown compression '%.40s'", compression);
}

static int read_layers(struct json_object *o, struct image *i, struct err *e)
{
    struct json_object *layers = NULL;
    int r = json_get_array(o, "layers", &layers, e);
    if (r < 0)
        return r;
    size_t count = layers ? json_object_array_length(layers) : 0;
    if (count == 0 || count > IMAGE_LAYERS_MAX)
        return err_set(e, EINVAL, "%zu layers", count);
    for (size_t n = 0; n < count; n++) {
        r = read_layer(json_object_array_get_idx(layers, n), &i->layers[n], e);
        if (r < 0)
            return r;
        i->size += i->layers[n].size; /* 127 times 2^40 fits */
    }
    i->layer_count = count;
    return 0;
}

static int read_record(struct json_object *o, struct image *i, struct err *e)
{
    static const char *const known[] = {"version", "id", "manifest", "layers", "config", NULL};
    uint64_t version = 0;
    const char *id = "";
    struct digest checked;
    struct json_object *config = NULL;
    int r = json_get_u64(o, "version", &version, e);
    if (r >= 0 && version != IMAGE_RECORD_VERSION)
        return err_set(e, EPROTO, "it has version %llu, this Casemate knows %d", (unsigned long long)version,
                       IMAGE_RECORD_VERSION);
    if (r >= 0)
        r = check_members(o, known, e);
    if (r >= 0)
        r = json_get_string(o, "id", &id, e);
    if (r >= 0)
        r = digest_parse_hex(id, &checked, e);
    if (r >= 0)
        r = str_put(i->id, sizeof(i->id), id, e);
    if (r >= 0)
        r = get_digest(o, "manifest", &i->manifest, e);
    if (r >= 0)
        r = read_layers(o, i, e);
    if (r >= 0)
        r = json_get_object(o, "config", &config, e);
    if (r == 0)
        return err_set(e, EINVAL, "it has no config");
    return r < 0 ? r : read_config(config, false, i, e);
}

static int parse_object(const char *text, size_t length, struct json_object **ret_object,
                        struct image **ret_image, struct err *e)
{
    _cleanup_json_ struct json_object *o = NULL;
    int r = json_parse(text, length, &o, e);
    if (r < 0)
        return r;
    if (!json_object_is_type(o, json_type_object))
        return err_set(e, EINVAL, "it is not a JSON object");
    struct image *i = calloc(1, sizeof(*i));
    if (!i)
        return err_oom(e);
    *ret_object = steal_ptr(o);
    *ret_image = i;
    return 0;
}

int image_record_parse(const char *text, size_t length, struct image **ret_image, struct err *e)
{
    _cleanup_json_ struct json_object *o = NULL;
    _cleanup_image_ struct image *i = NULL;
    int r = parse_object(text, length, &o, &i, e);
    if (r == 0)
        r = read_record(o, i, e);
    if (r < 0)
        return err_wrap(e, "image record");
    *ret_image = steal_ptr(i);
    return 0;
}

int image_record_parse_config(const char *text, size_t length, struct image **ret_image, struct err *e)
{
    _cleanup_json_ struct json_object *o = NULL;
    _cleanup_image_ struct image *i = NULL;
    int r = parse_object(text, length, &o, &i, e);
    if (r == 0)
        r = read_config(o, true, i, e);
    if (r < 0)
        return err_wrap(e, "image configuration");
    *ret_image = steal_ptr(i);
    return 0;
}

int image_record_read(const struct store *s, const char *id, struct image **ret_image, struct err *e)
{
    char name[DIGEST_HEX_LENGTH + 16];
    _cleanup_buf_ struct buf text = {0};
    _cleanup_image_ struct image *i = NULL;
    (void)snprintf(name, sizeof(name), "%s/record.json", id);
    int r = io_read_file_at(s->images, name, IMAGE_RECORD_MAX, &text, e);
    if (r == 0)
        r = image_record_parse(text.data ? text.data : "", text.length, &i, e);
    if (r == 0 && !str_equal(i->id, id))
        r = err_set(e, EINVAL, "the record is of another image");
    if (r < 0)
        return err_wrap(e, "image %.12s", id);
    *ret_image = steal_ptr(i);
    return 0;
}
