/* SPDX-License-Identifier: Apache-2.0 */
/* Writing image configurations (history.h): the same record and history give the same bytes, and with them the same image id. */
#include <errno.h>

#include "base/clock.h"
#include "base/json.h"
#include "image/history.h"

static int add_time(struct json_object *o, const char *key, int64_t ns, struct err *e)
{
    char text[CLOCK_TEXT_LENGTH + 1];
    clock_format(ns, text);
    return ns > 0 ? json_add_string(o, key, text, e) : 0;
}

static int add_optional(struct json_object *o, const char *key, const char *text, struct err *e)
{
    return str_set(text) ? json_add_string(o, key, text, e) : 0;
}

static int add_list(struct json_object *o, const char *key, const struct str_list *list, struct err *e)
{
    return list->count ? json_add_strings(o, key, list, e) : 0;
}

/* {"NAME": {}, …} */
static int add_set(struct json_object *o, const char *key, const struct str_list *list, struct err *e)
{
    if (list->count == 0)
        return 0;
    _cleanup_json_ struct json_object *set = json_object_new_object();
    if (!set)
        return err_oom(e);
    for (size_t i = 0; i < list->count; i++) {
        struct json_object *empty = json_object_new_object();
        int r = empty ? json_add_object(set, list->items[i], empty, e) : err_oom(e);
        if (r < 0)
            return r;
    }
    return json_add_object(o, key, steal_ptr(set), e);
}

static int add_labels(struct json_object *o, const struct str_list *labels, struct err *e)
{
    if (labels->count == 0)
        return 0;
    _cleanup_json_ struct json_object *map = json_object_new_object();
    if (!map)
        return err_oom(e);
    for (size_t i = 0; i < labels->count; i++) {
        const char *equals = strchr(labels->items[i], '=');
        _cleanup_free_ char *key = NULL;
        int r = str_copy_n(labels->items[i],
                           equals ? (size_t)(equals - labels->items[i]) : strlen(labels->items[i]), &key, e);
        if (r == 0)
            r = json_add_string(map, key, equals ? equals + 1 : "", e);
        if (r < 0)
            return r;
    }
    return json_add_object(o, "Labels", steal_ptr(map), e);
}

static int add_healthcheck(struct json_object *o, const struct image_healthcheck *h, struct err *e)
{
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {{"Interval", h->interval},
                   {"Timeout", h->timeout},
                   {"StartPeriod", h->start_period},
                   {"StartInterval", h->start_interval},
                   {"Retries", h->retries}};
    if (h->test.count == 0)
        return 0;
    _cleanup_json_ struct json_object *health = json_object_new_object();
    int r = health ? json_add_strings(health, "Test", &h->test, e) : err_oom(e);
    for (size_t i = 0; i < ARRAY_SIZE(numbers) && r == 0; i++)
        r = numbers[i].value ? json_add_u64(health, numbers[i].key, numbers[i].value, e) : 0;
    return r < 0 ? r : json_add_object(o, "Healthcheck", steal_ptr(health), e);
}

static int add_execution(struct json_object *o, const struct image *i, struct err *e)
{
    _cleanup_json_ struct json_object *config = json_object_new_object();
    if (!config)
        return err_oom(e);
    int r = add_optional(config, "User", i->user, e);
    if (r == 0)
        r = add_set(config, "ExposedPorts", &i->exposed_ports, e);
    if (r == 0)
        r = add_list(config, "Env", &i->env, e);
    if (r == 0)
        r = add_list(config, "Entrypoint", &i->entrypoint, e);
    if (r == 0)
        r = add_list(config, "Cmd", &i->cmd, e);
    if (r == 0)
        r = add_healthcheck(config, &i->healthcheck, e);
    if (r == 0)
        r = add_set(config, "Volumes", &i->volumes, e);
    if (r == 0)
        r = add_optional(config, "WorkingDir", i->working_dir, e);
    if (r == 0)
        r = add_labels(config, &i->labels, e);
    if (r == 0)
        r = add_optional(config, "StopSignal", i->stop_signal, e);
    if (r == 0)
        r = add_list(config, "Shell", &i->shell, e);
    return r < 0 ? r : json_add_object(o, "config", steal_ptr(config), e);
}

static int add_rootfs(struct json_object *o, const struct image *i, struct err *e)
{
    _cleanup_str_list_ struct str_list ids = {0};
    _cleanup_json_ struct json_object *rootfs = json_object_new_object();
    int r = rootfs ? json_add_string(rootfs, "type", "layers", e) : err_oom(e);
    for (size_t n = 0; n < i->layer_count && r == 0; n++) {
        char text[DIGEST_TEXT_LENGTH + 1];
        digest_format(&i->layers[n].diff_id, text);
        r = str_list_add(&ids, text, e);
    }
    if (r == 0)
        r = json_add_strings(rootfs, "diff_ids", &ids, e);
    return r < 0 ? r : json_add_object(o, "rootfs", steal_ptr(rootfs), e);
}

static int add_history(struct json_object *o, const struct image_history *h, struct err *e)
{
    _cleanup_json_ struct json_object *list = json_object_new_array();
    int r = list ? 0 : err_oom(e);
    for (size_t n = 0; n < h->count && r == 0; n++) {
        const struct image_history_entry *x = &h->items[n];
        struct json_object *entry = json_object_new_object();
        if (!entry || json_object_array_add(list, entry) < 0) {
            json_object_put(entry);
            return err_oom(e);
        }
        r = add_time(entry, "created", x->created, e);
        if (r == 0)
            r = add_optional(entry, "created_by", x->created_by, e);
        if (r == 0)
            r = add_optional(entry, "author", x->author, e);
        if (r == 0)
            r = add_optional(entry, "comment", x->comment, e);
        if (r == 0 && x->empty_layer)
            r = json_add_bool(entry, "empty_layer", true, e);
    }
    return r < 0 ? r : json_add_object(o, "history", steal_ptr(list), e);
}

int image_config_format(const struct image *i, const struct image_history *h, struct buf *ret_text,
                        struct err *e)
{
    _cleanup_json_ struct json_object *o = json_object_new_object();
    if (!o)
        return err_oom(e);
    int r = add_time(o, "created", i->created, e);
    if (r == 0)
        r = add_optional(o, "author", i->author, e);
    if (r == 0)
        r = json_add_string(o, "architecture", i->architecture, e);
    if (r == 0)
        r = add_optional(o, "variant", i->variant, e);
    if (r == 0)
        r = json_add_string(o, "os", i->os, e);
    if (r == 0)
        r = add_execution(o, i, e);
    if (r == 0)
        r = add_rootfs(o, i, e);
    if (r == 0)
        r = add_history(o, h, e);
    if (r < 0)
        return r;
    const char *text =
        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    return text ? buf_add(ret_text, text, strlen(text), DOCUMENTS_CONFIG_MAX, e) : err_oom(e);
}
