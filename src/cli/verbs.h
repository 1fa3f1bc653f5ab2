/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a verb is. Each verb has a file verb_NAME.c that defines `const struct verb verb_NAME`, and a line in verbs.c.
 */
#pragma once

#include <limits.h>

#include "cli/options.h"

enum verb_group {
    VERB_CONTAINERS,
    VERB_IMAGES,
    VERB_VOLUMES,
    VERB_EVIDENCE, /* what the practices do */
    VERB_SYSTEM,
    VERB_HIDDEN,
};

enum verb_flags {
    VERB_STOPS = 1,    /* options end at the first argument: what follows belongs to the container */
    VERB_RUNS = 2,     /* errors exit with 125, as the status of the container's command is the verb's own */
    VERB_ANYWHERE = 4, /* needs no data root: an ordinary user stays where he is */
};

#define VERB_MANY UINT_MAX
#define VERB_TABLES_MAX 6

struct verb {
    const char *name;
    const char *aliases; /* other spellings, divided by ", ": "image ls, image list"; may be NULL */
    enum verb_group group;
    unsigned flags;
    const char *usage;   /* what follows "[OPTIONS] " in the usage line: "IMAGE [COMMAND] [ARG...]" */
    const char *summary; /* one line, no full stop */
    unsigned arguments_min, arguments_max;
    const char *complete; /* completion of the arguments, as in struct option_entry */
    const struct option_entry *options[VERB_TABLES_MAX];
    /* Exit status, or a negative errno with e set: the caller prints it and exits with 1 (125 for VERB_RUNS). */
    int (*run)(const struct invocation *in, struct err *e);
};

#define CLI_ENGINE_ERROR 125 /* exit statuses of Docker */
#define CLI_NOT_EXECUTABLE 126
#define CLI_NOT_FOUND 127
#define CLI_LOST_STATUS 255 /* nobody knows how the container ended */

/* NULL-terminated, in the order of --help. */
extern const struct verb *const verbs[];

/* The options in front of the verb. */
extern const struct verb verb_globals;

/* The verb that the first one or two words name; *ret_used is how many they are. NULL: unknown. */
const struct verb *verbs_find(char **words, size_t *ret_used);

/* What the verb is called in a group ("container", "image", "volume", "system"): "ls" of "container ls", not terminated: its length
 * counts. NULL: it is not in it. */
const char *verbs_in_group(const struct verb *verb, const char *group, size_t *ret_length);
bool verbs_is_group(const char *word);

/* Unknown first word: -EINVAL with the nearest verb. */
int verbs_unknown(char **words, struct err *e);

/* Prints "casemate: TEXT" to stderr: for verbs that go on after an error. A refusal by a practice is recorded in the audit log. */
void verbs_complain(struct err *e);

/* -D, --debug was given. */
extern bool verbs_debug;
