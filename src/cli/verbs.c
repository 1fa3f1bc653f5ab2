/* SPDX-License-Identifier: Apache-2.0 */
/* The list of verbs, in the order of --help. A new verb: its file verb_NAME.c, and a line here and in meson.build. */
#include "cli/verbs.h"

#include <errno.h>
#include <stdio.h>

#include "base/str.h"
#include "cli/absent.h"
#include "cli/nearest.h"
#include "cli/recording.h"

#define VERBS(X)       \
    X(run)             \
    X(create)          \
    X(start)           \
    X(stop)            \
    X(restart)         \
    X(kill)            \
    X(pause)           \
    X(unpause)         \
    X(update)          \
    X(stats)           \
    X(wait)            \
    X(rm)              \
    X(rename)          \
    X(ps)              \
    X(logs)            \
    X(exec)            \
    X(attach)          \
    X(top)             \
    X(port)            \
    X(container_prune) \
    X(cp)              \
    X(diff)            \
    X(export)          \
    X(commit)          \
    X(pull)            \
    X(images)          \
    X(tag)             \
    X(rmi)             \
    X(image_inspect)   \
    X(image_prune)     \
    X(login)           \
    X(logout)          \
    X(load)            \
    X(save)            \
    X(import)          \
    X(history)         \
    X(volume_create)   \
    X(volume_ls)       \
    X(volume_inspect)  \
    X(volume_rm)       \
    X(volume_prune)    \
    X(inspect)         \
    X(explain)         \
    X(debug)           \
    X(log)             \
    X(tend)            \
    X(events)          \
    X(system_df)       \
    X(system_prune)    \
    X(system_reset)    \
    X(store_image)     \
    X(info)            \
    X(version)         \
    X(help)            \
    X(completion)      \
    X(complete)

#define DECLARE(name) extern const struct verb verb_##name;
#define POINTER(name) &verb_##name,

VERBS(DECLARE)
const struct verb *const verbs[] = {VERBS(POINTER) NULL};

bool verbs_debug;

/* True when `name` ("ps" or "container ls") is what the words begin with; *ret_used is how many words that took. */
static bool words_are(const char *name, size_t length, char **words, size_t *ret_used)
{
    size_t used = 0;
    for (const char *at = name; at < name + length; used++) {
        size_t n = strcspn(at, " ,");
        if (!words[used] || strncmp(words[used], at, n) != 0 || words[used][n])
            return false;
        at += n + 1;
    }
    *ret_used = used;
    return true;
}

static bool alias_matches(const struct verb *verb, char **words, size_t *ret_used)
{
    for (const char *at = verb->aliases; str_set(at);) {
        size_t n = strcspn(at, ",");
        if (words_are(at, n, words, ret_used))
            return true;
        at += n + strspn(at + n, ", ");
    }
    return false;
}

const struct verb *verbs_find(char **words, size_t *ret_used)
{
    for (size_t i = 0; verbs[i]; i++)
        if (words_are(verbs[i]->name, strlen(verbs[i]->name), words, ret_used) ||
            alias_matches(verbs[i], words, ret_used))
            return verbs[i];
    return NULL;
}

/* What follows "container " in a spelling of this length; NULL: it is no spelling of the group. */
static const char *group_word(const char *spelling, const char *group)
{
    const char *rest = str_after(spelling, group);
    return rest && *rest == ' ' ? rest + 1 : NULL;
}

const char *verbs_in_group(const struct verb *verb, const char *group, size_t *ret_length)
{
    const char *word = group_word(verb->name, group);
    for (const char *at = verb->aliases; !word && str_set(at);) {
        size_t n = strcspn(at, ",");
        word = group_word(at, group);
        at += n + strspn(at + n, ", ");
    }
    if (word && verb->group != VERB_HIDDEN)
        *ret_length = strcspn(word, ",");
    return verb->group != VERB_HIDDEN ? word : NULL;
}

bool verbs_is_group(const char *word)
{
    size_t length;
    for (size_t i = 0; verbs[i]; i++)
        if (verbs_in_group(verbs[i], word, &length))
            return true;
    return false;
}

int verbs_unknown(char **words, struct err *e)
{
    struct nearest near;
    if (words[1] && verbs_is_group(words[0]))
        return err_set(e, EINVAL, "unknown command: casemate %s %s; see 'casemate %s --help'", words[0],
                       words[1], words[0]);
    const char *why = verbs_is_group(words[0]) ? NULL : absent_command(words[0]);
    if (why)
        return err_set(e, ENOTSUP, "casemate %s %s", words[0], why);
    nearest_start(&near, words[0], strlen(words[0]));
    for (size_t i = 0; verbs[i]; i++)
        if (verbs[i]->group != VERB_HIDDEN)
            nearest_try(&near, verbs[i]->name);
    if (near.best)
        return err_set(e, EINVAL, "unknown command: casemate %s; did you mean %s?", words[0], near.best);
    return err_set(e, EINVAL, "unknown command: casemate %s", words[0]);
}

void verbs_complain(struct err *e)
{
    record_refusal(e);
    if (verbs_debug)
        fprintf(stderr, "casemate: %s [%s]\n", e->text, strerrorname_np(e->code) ?: "no code");
    else
        fprintf(stderr, "casemate: %s\n", e->text);
}
