/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image configurations (OCI image-spec 1.1, config.md; Docker Image Specification 1.2 for Healthcheck and Shell). Out comes
 * an object of our own with known members only, every one checked by base/imagerules.h; what is not known is dropped.
 */
#include "workers/parse/parse.h"

#include <errno.h>

#include "base/clock.h"
#include "base/imagerules.h"
#include "base/json.h"
#include "base/path.h"

#define AUTHOR_MAX 1024

typedef int (*rule)(const char *text, struct err *e);
typedef int (*cleaning_rule)(const char *text, char *ret_clean, struct err *e);

/* Copies a list of strings that each pass a rule. */
static int copy_list(struct json_object *from, const char *key, rule check, struct json_object *to,
                     const char *to_key, struct err *e)
{
    _cleanup_str_list_ struct str_list list = {0};
    int r = json_get_strings(from, key, IMAGE_RULE_LIST_MAX, &list, e);
    for (size_t i = 0; r >= 0 && i < list.count; i++)
        r = check(list.items[i], e);
    if (r >= 0)
        r = json_add_strings(to, to_key, &list, e);
    return r < 0 ? err_wrap(e, "%s", key) : 0;
}

/* Copies the names of an object whose values are empty objects (ExposedPorts, Volumes), cleaned. */
static int copy_set(struct json_object *from, const char *key, cleaning_rule clean, struct json_object *to,
                    const char *to_key, struct err *e)
{
    _cleanup_str_list_ struct str_list list = {0};
    struct json_object *set = NULL;
    char text[PATH_LENGTH_MAX + 1];
    int r = json_get_object(from, key, &set, e);
    if (r <= 0)
        return r;
    if (json_object_object_length(set) > IMAGE_RULE_LIST_MAX)
        return err_set(e, E2BIG, "%s has more than %d entries", key, IMAGE_RULE_LIST_MAX);
    json_object_object_foreach(set, name, value)
    {
        if (value && !json_object_is_type(value, json_type_object))
            return err_set(e, EINVAL, "%s: '%.100s' is not an object", key, name);
        r = clean(name, text, e);
        if (r == 0 && !str_list_has(&list, text))
            r = str_list_add(&list, text, e);
        if (r < 0)
            return err_wrap(e, "%s", key);
    }
    return json_add_strings(to, to_key, &list, e);
}

static int copy_labels(struct json_object *from, struct json_object *to, struct err *e)
{
    struct json_object *labels = NULL;
    int r = json_get_object(from, "Labels", &labels, e);
    if (r <= 0)
        return r;
    if (json_object_object_length(labels) > IMAGE_RULE_LIST_MAX)
        return err_set(e, E2BIG, "Labels has more than %d entries", IMAGE_RULE_LIST_MAX);
    _cleanup_json_ struct json_object *copy = json_object_new_object();
    if (!copy)
        return err_oom(e);
    json_object_object_foreach(labels, key, value)
    {
        const char *text = "";
        (void)value;
        r = json_get_string(labels, key, &text, e);
        if (r >= 0)
            r = image_rule_label(key, text, e);
        if (r >= 0)
            r = json_add_string(copy, key, text, e);
        if (r < 0)
            return err_wrap(e, "Labels");
    }
    return json_add_object(to, "labels", steal_ptr(copy), e);
}

/* A string member through a rule that writes the clean form; "" is left out. */
static int copy_clean(struct json_object *from, const char *key, cleaning_rule clean, struct json_object *to,
                      const char *to_key, struct err *e)
{
    const char *text = "";
    char result[PATH_LENGTH_MAX + 1] = "";
    int r = json_get_string(from, key, &text, e);
    if (r >= 0 && *text)
        r = clean(text, result, e);
    if (r >= 0 && result[0])
        r = json_add_string(to, to_key, result, e);
    return r < 0 ? err_wrap(e, "%s", key) : 0;
}

static int copy_user(struct json_object *from, struct json_object *to, struct err *e)
{
    const char *user = "";
    int r = json_get_string(from, "User", &user, e);
    if (r >= 0)
        r = image_rule_user(user, e);
    if (r >= 0 && *user)
        r = json_add_string(to, "user", user, e);
    return r < 0 ? err_wrap(e, "User") : 0;
}

static int check_health_test(struct json_object *test, struct err *e)
{
    size_t count = json_object_array_length(test);
    const char *kind = count > 0 ? json_object_get_string(json_object_array_get_idx(test, 0)) : NULL;
    if (count == 0 || (kind && str_equal(kind, "NONE") && count == 1) ||
        (kind && str_equal(kind, "CMD") && count > 1) || (kind && str_equal(kind, "CMD-SHELL") && count == 2))
        return 0;
    return err_set(e, EINVAL, "Test is not NONE, CMD with arguments, or CMD-SHELL with one command");
}

static int copy_healthcheck(struct json_object *from, struct json_object *to, struct err *e)
{
    static const struct {
        const char *from, *to;
    } numbers[] = {{"Interval", "interval"},
                   {"Timeout", "timeout"},
                   {"StartPeriod", "startPeriod"},
                   {"StartInterval", "startInterval"},
                   {"Retries", "retries"}};
    struct json_object *health = NULL;
    struct json_object *test = NULL;
    int r = json_get_object(from, "Healthcheck", &health, e);
    if (r <= 0)
        return r;
    _cleanup_json_ struct json_object *copy = json_object_new_object();
    if (!copy)
        return err_oom(e);
    r = copy_list(health, "Test", image_rule_argument, copy, "test", e);
    if (r >= 0)
        r = json_get_array(health, "Test", &test, e);
    if (r > 0)
        r = check_health_test(test, e);
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(numbers); i++) {
        uint64_t value = 0;
        r = json_get_u64(health, numbers[i].from, &value, e);
        if (r > 0 && value > INT64_MAX)
            r = err_set(e, ERANGE, "%s is out of range", numbers[i].from);
        if (r > 0)
            r = json_add_u64(copy, numbers[i].to, value, e);
    }
    if (r < 0)
        return err_wrap(e, "Healthcheck");
    return json_add_object(to, "healthcheck", steal_ptr(copy), e);
}

static int copy_execution(struct json_object *config, struct json_object *to, struct err *e)
{
    int r = copy_list(config, "Env", image_rule_env, to, "env", e);
    if (r >= 0)
        r = copy_list(config, "Entrypoint", image_rule_argument, to, "entrypoint", e);
    if (r >= 0)
        r = copy_list(config, "Cmd", image_rule_argument, to, "cmd", e);
    if (r >= 0)
        r = copy_list(config, "Shell", image_rule_argument, to, "shell", e);
    if (r >= 0)
        r = copy_user(config, to, e);
    if (r >= 0)
        r = copy_clean(config, "WorkingDir", image_rule_working_dir, to, "workingDir", e);
    if (r >= 0)
        r = copy_clean(config, "StopSignal", image_rule_signal, to, "stopSignal", e);
    if (r >= 0)
        r = copy_set(config, "ExposedPorts", image_rule_port, to, "exposedPorts", e);
    if (r >= 0)
        r = copy_set(config, "Volumes", image_rule_volume, to, "volumes", e);
    if (r >= 0)
        r = copy_labels(config, to, e);
    if (r >= 0)
        r = copy_healthcheck(config, to, e);
    return r;
}

static int copy_platform(struct json_object *from, const struct message_parse_request *want,
                         struct json_object *to, struct err *e)
{
    const char *os = "";
    const char *architecture = "";
    const char *variant = NULL;
    int r = json_get_string(from, "os", &os, e);
    if (r >= 0)
        r = json_get_string(from, "architecture", &architecture, e);
    if (r >= 0)
        r = json_get_string(from, "variant", &variant, e);
    if (r < 0)
        return r;
    if (!str_equal(os, want->os) || !str_equal(architecture, want->architecture))
        return err_set(e, EINVAL, "the image is for %.40s/%.40s, not for %s/%s", *os ? os : "unknown",
                       *architecture ? architecture : "unknown", want->os, want->architecture);
    if (variant && strlen(variant) >= sizeof(want->variant))
        return err_set(e, EINVAL, "variant is too long");
    r = json_add_string(to, "os", os, e);
    if (r == 0)
        r = json_add_string(to, "architecture", architecture, e);
    if (r == 0 && str_set(variant))
        r = json_add_string(to, "variant", variant, e);
    return r;
}

/* Builders write year 1 for "no time": what nanoseconds cannot hold is left out. */
static int copy_origin(struct json_object *from, struct json_object *to, struct err *e)
{
    const char *created = NULL;
    const char *author = NULL;
    int64_t ns = 0;
    struct err out_of_range = {0};
    char text[CLOCK_TEXT_LENGTH + 1];
    int r = json_get_string(from, "created", &created, e);
    if (r >= 0)
        r = json_get_string(from, "author", &author, e);
    if (r < 0)
        return r;
    if (str_set(created)) {
        r = clock_parse(created, &ns, &out_of_range);
        if (r < 0 && r != -ERANGE)
            return err_set(e, EINVAL, "created: %s", out_of_range.text);
        if (r == 0 && ns > 0) {
            clock_format(ns, text);
            r = json_add_string(to, "created", text, e);
            if (r < 0)
                return r;
        }
    }
    if (str_set(author) && strlen(author) <= AUTHOR_MAX)
        return json_add_string(to, "author", author, e);
    return 0;
}

static int copy_diff_ids(struct json_object *from, struct json_object *to, struct err *e)
{
    _cleanup_str_list_ struct str_list list = {0};
    struct json_object *rootfs = NULL;
    const char *type = "";
    int r = json_get_object(from, "rootfs", &rootfs, e);
    if (r == 0)
        return err_set(e, EINVAL, "it has no rootfs");
    if (r > 0)
        r = json_get_string(rootfs, "type", &type, e);
    if (r >= 0 && !str_equal(type, "layers"))
        return err_set(e, EINVAL, "rootfs is of type '%.60s', not 'layers'", type);
    if (r >= 0)
        r = json_get_strings(rootfs, "diff_ids", MESSAGE_LAYERS_MAX, &list, e);
    if (r >= 0 && list.count == 0)
        return err_set(e, EINVAL, "the image has no layers: there is nothing to run");
    for (size_t i = 0; r >= 0 && i < list.count; i++) {
        struct digest d;
        r = digest_parse(list.items[i], &d, e);
    }
    if (r >= 0)
        r = json_add_strings(to, "diffIds", &list, e);
    return r < 0 ? err_wrap(e, "rootfs") : 0;
}

static int count_history(struct json_object *from, struct json_object *to, struct err *e)
{
    struct json_object *history = NULL;
    int r = json_get_array(from, "history", &history, e);
    if (r <= 0)
        return r;
    size_t count = json_object_array_length(history);
    if (count > IMAGE_RULE_HISTORY_MAX)
        return err_set(e, E2BIG, "history has more than %d entries", IMAGE_RULE_HISTORY_MAX);
    for (size_t i = 0; i < count; i++)
        if (!json_object_is_type(json_object_array_get_idx(history, i), json_type_object))
            return err_set(e, EINVAL, "history is not an array of objects");
    return json_add_u64(to, "historyCount", count, e);
}

int parse_config(const char *text, size_t length, const struct message_parse_request *request,
                 struct json_object **ret_answer, struct err *e)
{
    _cleanup_json_ struct json_object *o = NULL;
    struct json_object *config = NULL;
    int r = json_parse(text, length, &o, e);
    if (r < 0)
        return r;
    if (!json_object_is_type(o, json_type_object))
        return err_set(e, EINVAL, "it is not a JSON object");
    _cleanup_json_ struct json_object *answer = json_object_new_object();
    if (!answer)
        return err_oom(e);
    r = copy_platform(o, request, answer, e);
    if (r >= 0)
        r = copy_origin(o, answer, e);
    if (r >= 0)
        r = copy_diff_ids(o, answer, e);
    if (r >= 0)
        r = count_history(o, answer, e);
    if (r >= 0)
        r = json_get_object(o, "config", &config, e);
    if (r > 0)
        r = copy_execution(config, answer, e);
    if (r < 0)
        return r;
    *ret_answer = steal_ptr(answer);
    return 0;
}
