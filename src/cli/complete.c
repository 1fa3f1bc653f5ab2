/* SPDX-License-Identifier: Apache-2.0 */
/* Shell completion (complete.h). The shell hands over the words before the cursor; a half-typed line is no error here. */
#include "cli/complete.h"

#include "base/str.h"

/* The option that waits for its value at the end of words, or NULL. */
static const struct option_entry *open_option(const struct verb *verb, const char *word)
{
    if (word[0] != '-' || !word[1] || strchr(word, '='))
        return NULL;
    const struct option_entry *o = word[1] == '-' ? options_find(verb, word + 2, strlen(word + 2))
                                                  : options_find_letter(verb, word[strlen(word) - 1]);
    return o && o->value ? o : NULL;
}

static int add_if(struct str_list *candidates, const char *prefix, const char *name, const char *typed,
                  struct err *e)
{
    _cleanup_free_ char *whole = NULL;
    int r = str_format(&whole, e, "%s%s", prefix, name);
    if (r < 0)
        return r;
    return str_after(whole, typed) ? str_list_add(candidates, whole, e) : 0;
}

static int add_commands(struct str_list *candidates, const char *typed, struct err *e)
{
    static const char *const groups[] = {"container", "image", "system", "volume"};
    int r = 0;
    for (size_t i = 0; r == 0 && verbs[i]; i++)
        if (verbs[i]->group != VERB_HIDDEN && !strchr(verbs[i]->name, ' '))
            r = add_if(candidates, "", verbs[i]->name, typed, e);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(groups); i++)
        r = add_if(candidates, "", groups[i], typed, e);
    return r;
}

/* The second word of "container ls". */
static int add_of_group(const char *group, struct str_list *candidates, const char *typed, struct err *e)
{
    int r = 0;
    for (size_t i = 0; r == 0 && verbs[i]; i++) {
        size_t length = 0;
        _cleanup_free_ char *name = NULL;
        const char *word = verbs_in_group(verbs[i], group, &length);
        r = word ? str_copy_n(word, length, &name, e) : 0;
        if (r == 0 && name)
            r = add_if(candidates, "", name, typed, e);
    }
    return r;
}

/* `what` as in struct option_entry. */
static int add_values(const char *what, const char *prefix, const char *typed, struct str_list *candidates,
                      bool *ret_files, struct err *e)
{
    _cleanup_str_list_ struct str_list names = {0};
    if (!what)
        return 0;
    if (str_equal(what, "commands"))
        return add_commands(candidates, typed, e);
    *ret_files = *ret_files || str_equal(what, "files");
    complete_names(what, &names);
    bool fixed = !str_equal(what, "files") && !str_equal(what, "containers") && !str_equal(what, "images") &&
                 !str_equal(what, "volumes");
    int r = fixed ? str_list_split(what, ' ', 64, &names, e) : 0;
    for (size_t i = 0; r == 0 && i < names.count; i++)
        r = add_if(candidates, prefix, names.items[i], typed, e);
    return r;
}

static int add_flags(const struct verb *verb, const char *typed, struct str_list *candidates, struct err *e)
{
    const struct option_entry *o;
    int r = 0;
    for (size_t at = 0; r == 0 && (o = options_next(verb, &at));)
        if (o->kind != OPTION_UNSUPPORTED)
            r = add_if(candidates, "--", o->name, typed, e);
    return r < 0 ? r : add_if(candidates, "--", "help", typed, e);
}

/* How many arguments (not options) stand before the last word. */
static size_t count_arguments(const struct verb *verb, char **words, size_t count)
{
    size_t arguments = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        bool value = i > 0 && open_option(verb, words[i - 1]) && !(arguments && verb->flags & VERB_STOPS);
        arguments += !value && words[i][0] != '-';
    }
    return arguments;
}

static int complete_verb(const struct verb *verb, char **words, size_t count, struct str_list *candidates,
                         bool *ret_files, struct err *e)
{
    const char *typed = words[count - 1];
    size_t arguments = count_arguments(verb, words, count);
    const struct option_entry *open = count > 1 ? open_option(verb, words[count - 2]) : NULL;
    if (arguments && verb->flags & VERB_STOPS) {
        *ret_files = true;
        return 0;
    }
    if (open)
        return add_values(open->complete, "", typed, candidates, ret_files, e);
    const char *equals = typed[0] == '-' && typed[1] == '-' ? strchr(typed, '=') : NULL;
    if (equals) {
        _cleanup_free_ char *prefix = NULL;
        int r = str_copy_n(typed, (size_t)(equals - typed) + 1, &prefix, e);
        const struct option_entry *o = options_find(verb, typed + 2, (size_t)(equals - typed - 2));
        return r < 0 || !o ? r : add_values(o->complete, prefix, typed, candidates, ret_files, e);
    }
    if (typed[0] == '-')
        return add_flags(verb, typed, candidates, e);
    return arguments < verb->arguments_max ? add_values(verb->complete, "", typed, candidates, ret_files, e)
                                           : 0;
}

int complete_words(char **words, size_t count, struct str_list *candidates, bool *ret_files, struct err *e)
{
    size_t used;
    *ret_files = false;
    while (count > 1 && words[0][0] == '-') { /* options in front of the verb take no values */
        words++;
        count--;
    }
    if (count == 0)
        return 0;
    if (count == 1 && words[0][0] != '-')
        return add_commands(candidates, words[0], e);
    const struct verb *verb = verbs_find(words, &used);
    if (count == 2 && (!verb || used >= count))
        return add_of_group(words[0], candidates, words[1], e);
    if (!verb || used >= count)
        return 0;
    return complete_verb(verb, words + used, count - used, candidates, ret_files, e);
}
