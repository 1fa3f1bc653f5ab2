/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions of --change (image_change.h): the user's own words, with the meaning that they have in a Dockerfile. */
#include "cli/image_change.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/imagerules.h"
#include "base/json.h"
#include "base/num.h"
#include "base/path.h"

#define WORD_MAX 65536

/* ["a", "b"]: 1; anything else: 0. */
static int read_array(const char *text, struct str_list *list, struct err *e)
{
    struct err not_json = {0};
    _cleanup_json_ struct json_object *o = NULL;
    if (text[0] != '[' || json_parse(text, strlen(text), &o, &not_json) < 0 ||
        !json_object_is_type(o, json_type_array))
        return 0;
    for (size_t n = 0; n < json_object_array_length(o); n++) {
        struct json_object *item = json_object_array_get_idx(o, n);
        if (!json_object_is_type(item, json_type_string))
            return err_set(e, EINVAL, "%s: not an array of strings", text);
        int r = str_list_add(list, json_object_get_string(item), e);
        if (r < 0)
            return r;
    }
    return 1;
}

/* An array as it is, anything else through the image's shell. */
static int read_command(const struct image *i, const char *text, struct str_list *list, struct err *e)
{
    int r = read_array(text, list, e);
    if (r != 0)
        return r < 0 ? r : 0;
    if (i->shell.count > 0)
        r = str_list_copy(&i->shell, list, e);
    else if ((r = str_list_add(list, "/bin/sh", e)) == 0)
        r = str_list_add(list, "-c", e);
    return r < 0 ? r : str_list_add(list, text, e);
}

static int set_command(struct image *i, const char *text, struct str_list *target, struct err *e)
{
    _cleanup_str_list_ struct str_list list = {0};
    int r = read_command(i, text, &list, e);
    for (size_t n = 0; n < list.count && r == 0; n++)
        r = image_rule_argument(list.items[n], e);
    if (r < 0)
        return r;
    str_list_clear(target);
    *target = list;
    list = (struct str_list){0};
    return 0;
}

/* The next word, quotes and backslashes resolved. 1: there is one; 0: the end. */
static int next_word(const char **at, char *ret, struct err *e)
{
    char quote = 0;
    size_t n = 0;
    while (isblank((unsigned char)**at))
        (*at)++;
    if (!**at)
        return 0;
    for (; **at && (quote || !isblank((unsigned char)**at)); (*at)++) {
        char c = **at;
        if (n + 1 >= WORD_MAX)
            return err_set(e, E2BIG, "a word is longer than %d bytes", WORD_MAX);
        if (quote && c == quote)
            quote = 0;
        else if (!quote && (c == '"' || c == '\''))
            quote = c;
        else if (c == '\\' && quote != '\'' && (*at)[1])
            ret[n++] = *++(*at);
        else
            ret[n++] = c;
    }
    ret[n] = '\0';
    return quote ? err_set(e, EINVAL, "a quote is not closed") : 1;
}

static int check_pair(bool label, char *pair, struct err *e)
{
    char *equals = strchr(pair, '=');
    if (!equals)
        return err_set(e, EINVAL, "'%.100s' is not NAME=VALUE", pair);
    if (!label)
        return image_rule_env(pair, e);
    *equals = '\0';
    int r = image_rule_label(pair, equals + 1, e);
    *equals = '=';
    return r;
}

/* NAME=VALUE …, or the old NAME VALUE. */
static int set_pairs(struct str_list *list, const char *text, bool label, struct err *e)
{
    _cleanup_free_ char *word = malloc(WORD_MAX);
    _cleanup_free_ char *old = NULL;
    const char *at = text;
    size_t name = strcspn(text, "= \t");
    if (!word)
        return err_oom(e);
    if (text[name] && text[name] != '=') {
        int r = str_format(&old, e, "%.*s=%s", (int)name, text, text + name + strspn(text + name, " \t"));
        if (r == 0)
            r = check_pair(label, old, e);
        return r < 0 ? r : str_list_set_env(list, old, e);
    }
    int r;
    while ((r = next_word(&at, word, e)) > 0) {
        r = check_pair(label, word, e);
        if (r == 0)
            r = str_list_set_env(list, word, e);
        if (r < 0)
            return r;
    }
    return r;
}

typedef int (*cleaning_rule)(const char *text, char *ret_clean, struct err *e);

/* Words, or an array of them, into a set. */
static int add_words(struct str_list *set, const char *text, cleaning_rule rule, struct err *e)
{
    _cleanup_str_list_ struct str_list words = {0};
    _cleanup_free_ char *word = malloc(WORD_MAX);
    char clean[PATH_LENGTH_MAX + 1];
    const char *at = text;
    if (!word)
        return err_oom(e);
    int r = read_array(text, &words, e);
    if (r == 0)
        while ((r = next_word(&at, word, e)) > 0)
            if ((r = str_list_add(&words, word, e)) < 0)
                return r;
    for (size_t n = 0; n < words.count && r >= 0; n++) {
        r = rule(words.items[n], clean, e);
        if (r == 0 && !str_list_has(set, clean))
            r = str_list_add(set, clean, e);
    }
    return r < 0 ? r : 0;
}

static int set_working_dir(struct image *i, const char *text, struct err *e)
{
    char clean[PATH_LENGTH_MAX + 1];
    _cleanup_free_ char *joined = NULL;
    int r = text[0] == '/'
                ? str_copy(text, &joined, e)
                : str_format(&joined, e, "%s/%s", str_set(i->working_dir) ? i->working_dir : "", text);
    if (r == 0)
        r = image_rule_working_dir(joined, clean, e);
    return r < 0 ? r : str_replace(&i->working_dir, clean, e);
}

static int set_stop_signal(struct image *i, const char *text, struct err *e)
{
    char clean[PATH_LENGTH_MAX + 1];
    int r = image_rule_signal(text, clean, e);
    return r < 0 ? r : str_replace(&i->stop_signal, clean, e);
}

/* --interval=30s … of a health check. 1: it was one. */
static int take_health_option(struct image_healthcheck *h, const char *word, struct err *e)
{
    const struct {
        const char *prefix;
        uint64_t *target;
    } times[] = {{"--interval=", &h->interval},
                 {"--timeout=", &h->timeout},
                 {"--start-period=", &h->start_period},
                 {"--start-interval=", &h->start_interval}};
    const char *retries = str_after(word, "--retries=");
    if (retries)
        return num_parse_u64(retries, INT32_MAX, &h->retries, e) < 0 ? -e->code : 1;
    for (size_t n = 0; n < ARRAY_SIZE(times); n++) {
        const char *value = str_after(word, times[n].prefix);
        if (value)
            return num_parse_duration(value, times[n].target, e) < 0 ? -e->code : 1;
    }
    return str_after(word, "--") ? err_set(e, EINVAL, "unknown option %.100s", word) : 0;
}

static int set_health(struct image *i, const char *text, struct err *e)
{
    _cleanup_free_ char *word = malloc(WORD_MAX);
    _cleanup_str_list_ struct str_list test = {0};
    struct image_healthcheck h = {0};
    const char *at = text;
    int r = word ? 1 : err_oom(e);
    while (r > 0 && (r = next_word(&at, word, e)) > 0)
        r = take_health_option(&h, word, e);
    if (r < 0)
        return r;
    at += strspn(at, " \t");
    if (strcasecmp(word, "NONE") == 0 && !*at)
        r = str_list_add(&test, "NONE", e);
    else if (strcasecmp(word, "CMD") != 0 || !*at)
        return err_set(e, EINVAL, "is neither NONE nor CMD with a command");
    else if (*at == '[' && (r = str_list_add(&test, "CMD", e)) == 0)
        r = read_array(at, &test, e) < 0 ? -e->code : 0;
    else if (*at != '[' && (r = str_list_add(&test, "CMD-SHELL", e)) == 0)
        r = str_list_add(&test, at, e);
    if (r < 0)
        return r;
    str_list_clear(&i->healthcheck.test);
    h.test = test;
    test = (struct str_list){0};
    i->healthcheck = h;
    return 0;
}

static int set_user(struct image *i, const char *text, struct err *e)
{
    int r = image_rule_user(text, e);
    return r < 0 ? r : str_replace(&i->user, text, e);
}

static int apply(struct image *i, const char *name, const char *rest, struct err *e)
{
    if (strcasecmp(name, "CMD") == 0)
        return set_command(i, rest, &i->cmd, e);
    if (strcasecmp(name, "ENTRYPOINT") == 0)
        return set_command(i, rest, &i->entrypoint, e);
    if (strcasecmp(name, "ENV") == 0)
        return set_pairs(&i->env, rest, false, e);
    if (strcasecmp(name, "LABEL") == 0)
        return set_pairs(&i->labels, rest, true, e);
    if (strcasecmp(name, "EXPOSE") == 0)
        return add_words(&i->exposed_ports, rest, image_rule_port, e);
    if (strcasecmp(name, "VOLUME") == 0)
        return add_words(&i->volumes, rest, image_rule_volume, e);
    if (strcasecmp(name, "USER") == 0)
        return set_user(i, rest, e);
    if (strcasecmp(name, "WORKDIR") == 0)
        return set_working_dir(i, rest, e);
    if (strcasecmp(name, "STOPSIGNAL") == 0)
        return set_stop_signal(i, rest, e);
    if (strcasecmp(name, "HEALTHCHECK") == 0)
        return set_health(i, rest, e);
    return err_set(
        e, EINVAL,
        "is not one of CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR");
}

int image_change(struct image *i, const char *instruction, struct err *e)
{
    char name[32];
    const char *at = instruction + strspn(instruction, " \t");
    size_t n = strcspn(at, " \t");
    if (n == 0 || n >= sizeof(name) || !at[n])
        return err_set(e, EINVAL, "--change '%.200s' is not an instruction with its value", instruction);
    memcpy(name, at, n);
    name[n] = '\0';
    at += n + strspn(at + n, " \t");
    int r = *at ? apply(i, name, at, e) : err_set(e, EINVAL, "has no value");
    return r < 0 ? err_wrap(e, "--change %s", name) : 0;
}
