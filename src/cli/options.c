/* SPDX-License-Identifier: Apache-2.0 */
/* Command-line options from tables (options.h). The words come from the caller of the program, who is trusted, but may have been pasted. */
#include "cli/options.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/str.h"
#include "cli/nearest.h"
#include "cli/verbs.h"

static const struct option_entry help_entry = {
    .name = "help", .letter = 'h', .kind = OPTION_BOOL, .help = "Print this help"};

void invocation_clear(struct invocation *in)
{
    free(in->settings);
    free(in->arguments);
    *in = (struct invocation){0};
}

const struct option_entry *options_next(const struct verb *verb, size_t *at)
{
    size_t before = 0;
    for (size_t t = 0; t < VERB_TABLES_MAX && verb->options[t]; t++) {
        size_t count = 0;
        while (verb->options[t][count].kind != OPTION_END)
            count++;
        if (*at < before + count)
            return &verb->options[t][(*at)++ - before];
        before += count;
    }
    return NULL;
}

const struct option_entry *options_find(const struct verb *verb, const char *name, size_t length)
{
    const struct option_entry *o;
    for (size_t at = 0; (o = options_next(verb, &at));)
        if (strncmp(o->name, name, length) == 0 && !o->name[length])
            return o;
    return strncmp(help_entry.name, name, length) == 0 && !help_entry.name[length] ? &help_entry : NULL;
}

const struct option_entry *options_find_letter(const struct verb *verb, char letter)
{
    const struct option_entry *o;
    for (size_t at = 0; (o = options_next(verb, &at));)
        if (o->letter == letter)
            return o;
    return letter == help_entry.letter ? &help_entry : NULL;
}

static int grow(void **array, size_t count, size_t size, struct err *e)
{
    if (count & (count - 1)) /* room is made at each power of two */
        return 0;
    void *grown = reallocarray(*array, count ? count * 2 : 1, size);
    if (!grown)
        return err_oom(e);
    *array = grown;
    return 0;
}

/* One use of an option. */
static int add_setting(struct invocation *in, const struct option_entry *o, const char *value, struct err *e)
{
    if (o->kind == OPTION_UNSUPPORTED)
        return err_set(e, ENOTSUP, "--%s is not supported%s", o->name, o->help);
    if (o == &help_entry) {
        in->help = true;
        return 0;
    }
    int r = grow((void **)&in->settings, in->setting_count, sizeof(*in->settings), e);
    if (r < 0)
        return r;
    in->settings[in->setting_count++] = (struct option_setting){o, value};
    return 0;
}

static int add_argument(struct invocation *in, char *word, struct err *e)
{
    int r = grow((void **)&in->arguments, in->argument_count, sizeof(*in->arguments), e);
    if (r < 0)
        return r;
    in->arguments[in->argument_count++] = word;
    return 0;
}

static int unknown_flag(const struct verb *verb, const char *name, size_t length, struct err *e)
{
    struct nearest near;
    const struct option_entry *o;
    nearest_start(&near, name, length);
    for (size_t at = 0; (o = options_next(verb, &at));)
        if (o->kind != OPTION_UNSUPPORTED)
            nearest_try(&near, o->name);
    if (near.best)
        return err_set(e, EINVAL, "unknown flag: --%.*s; did you mean --%s?", (int)length, name, near.best);
    return err_set(e, EINVAL, "unknown flag: --%.*s", (int)length, name);
}

/* "--name", "--name=value" or "--name" "value". *words is moved past what was used. */
static int scan_long(struct invocation *in, char ***words, struct err *e)
{
    const char *name = *(*words)++ + 2;
    size_t length = (size_t)(strchrnul(name, '=') - name);
    if (length == 0 || name[0] == '-')
        return err_set(e, EINVAL, "bad flag syntax: --%s", name);
    const struct option_entry *o = options_find(in->verb, name, length);
    if (!o)
        return unknown_flag(in->verb, name, length, e);
    if (name[length] == '=')
        return add_setting(in, o, name + length + 1, e);
    if (!o->value)
        return add_setting(in, o, "true", e);
    if (!**words && o->kind != OPTION_UNSUPPORTED)
        return err_set(e, EINVAL, "flag needs an argument: --%s", o->name);
    return add_setting(in, o, *(*words)++, e);
}

/* "-it", "-e" "value", "-evalue", "-e=value". */
static int scan_short(struct invocation *in, char ***words, struct err *e)
{
    const char *word = *(*words)++;
    for (const char *at = word + 1; *at; at++) {
        const struct option_entry *o = options_find_letter(in->verb, *at);
        if (!o)
            return err_set(e, EINVAL, "unknown shorthand flag: '%c' in %s", *at, word);
        if (at[1] == '=')
            return add_setting(in, o, at + 2, e);
        if (o->value && at[1])
            return add_setting(in, o, at + 1, e);
        if (o->value && !**words && o->kind != OPTION_UNSUPPORTED)
            return err_set(e, EINVAL, "flag needs an argument: '%c' in %s", *at, word);
        if (o->value)
            return add_setting(in, o, *(*words)++, e);
        int r = add_setting(in, o, "true", e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int check_count(const struct verb *verb, size_t count, struct err *e)
{
    unsigned min = verb->arguments_min;
    unsigned max = verb->arguments_max;
    if (count >= min && count <= max)
        return 0;
    if (max == 0)
        return err_set(e, ERANGE, "'casemate %s' accepts no arguments", verb->name);
    const char *bound = min == max ? "" : count < min ? "at least " : "at most ";
    unsigned wanted = count < min ? min : max;
    return err_set(e, ERANGE, "'casemate %s' requires %s%u argument%s", verb->name, bound, wanted,
                   wanted == 1 ? "" : "s");
}

static int scan_words(struct invocation *in, char **words, struct err *e)
{
    bool options = true;
    while (*words) {
        const char *word = *words;
        int r;
        if (!options || word[0] != '-' || !word[1]) {
            r = add_argument(in, *words++, e);
            options = options && !(in->verb->flags & VERB_STOPS);
        } else if (str_equal(word, "--")) {
            words++;
            options = false;
            r = 0;
        } else if (word[1] == '-') {
            r = scan_long(in, &words, e);
        } else {
            r = scan_short(in, &words, e);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

int options_scan(const struct verb *verb, char **words, struct invocation *ret_invocation, struct err *e)
{
    _cleanup_invocation_ struct invocation in = {.verb = verb};
    int r = scan_words(&in, words, e);
    if (r < 0)
        return r;
    r = add_argument(&in, NULL, e);
    if (r < 0)
        return r;
    in.argument_count--;
    if (!in.help) {
        r = check_count(verb, in.argument_count, e);
        if (r < 0)
            return r;
    }
    *ret_invocation = in;
    in = (struct invocation){0};
    return 0;
}

static int set_bool(bool *target, const char *value, struct err *e)
{
    static const char *const yes[] = {"true", "1", "t", "T", "TRUE", "True"};
    static const char *const no[] = {"false", "0", "f", "F", "FALSE", "False"};
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        if (str_equal(value, yes[i]) || str_equal(value, no[i])) {
            *target = str_equal(value, yes[i]);
            return 0;
        }
    }
    return err_set(e, EINVAL, "expected true or false");
}

static int set_value(const struct option_entry *o, void *target, const char *value, struct err *e)
{
    switch (o->kind) {
    case OPTION_BOOL:
        return set_bool(target, value, e);
    case OPTION_STRING:
        *(const char **)target = value;
        return 0;
    case OPTION_LIST:
        return str_list_add(target, value, e);
    case OPTION_U64:
        return num_parse_u64(value, UINT64_MAX, target, e);
    case OPTION_SIZE:
        return num_parse_size(value, target, e);
    case OPTION_DURATION:
        return num_parse_duration(value, target, e);
    case OPTION_CUSTOM:
        return o->set(target, value, e);
    case OPTION_END:
    case OPTION_UNSUPPORTED:
        break;
    }
    return err_set(e, EINVAL, "not an option that can be set");
}

int options_apply(const struct invocation *in, void *target, struct err *e)
{
    for (size_t i = 0; i < in->setting_count; i++) {
        const struct option_entry *o = in->settings[i].option;
        const char *value = in->settings[i].value;
        int r = set_value(o, (char *)target + o->offset, value, e);
        if (r < 0 && e->practice)
            return err_wrap(e, "--%s%s%s", o->name, o->value ? " " : "", o->value ? value : "");
        if (r < 0 && o->letter)
            return err_wrap(e, "invalid argument \"%s\" for \"-%c, --%s\" flag", value, o->letter, o->name);
        if (r < 0)
            return err_wrap(e, "invalid argument \"%s\" for \"--%s\" flag", value, o->name);
    }
    return 0;
}

bool options_given(const struct invocation *in, const char *name)
{
    for (size_t i = 0; i < in->setting_count; i++)
        if (str_equal(in->settings[i].option->name, name))
            return true;
    return false;
}
