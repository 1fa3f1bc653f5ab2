/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command-line options from tables. One table per verb drives parsing, --help, shell completion, `help --format json` and
 * the check of the man pages. The syntax is Docker's: --name value, --name=value, -n value, -nvalue, -n=value, combined
 * one-letter switches (-it), switches with =true or =false, options and arguments in any order (unless the verb stops at its
 * first argument, as run and exec do), `--` ends the options.
 *
 * Two steps: options_scan checks the words against the table and says what is asked for; options_apply stores the values.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct verb;

enum option_kind {
    OPTION_END,      /* ends a table */
    OPTION_BOOL,     /* bool */
    OPTION_STRING,   /* const char *: the last use counts; borrowed from the command line */
    OPTION_LIST,     /* struct str_list: each use appends */
    OPTION_U64,      /* uint64_t, plain decimal */
    OPTION_SIZE,     /* uint64_t, bytes ("512m") */
    OPTION_DURATION, /* uint64_t, nanoseconds ("1m30s", bare numbers are seconds) */
    OPTION_CUSTOM,   /* set(target + offset, value) */
    OPTION_UNSUPPORTED, /* Docker has it, Casemate has not: `help` is what follows "--name is not supported" in the error */
};

/* value is "true" or "false" for an option without a value name. */
typedef int (*option_setter)(void *target, const char *value, struct err *e);

struct option_entry {
    const char *name; /* without the dashes */
    char letter;      /* one-letter form, or 0 */
    enum option_kind kind;
    const char *value; /* what --help calls the value; NULL: a switch */
    const char *help;  /* one line, no full stop */
    size_t offset;     /* of the target in the struct given to options_apply */
    option_setter set; /* OPTION_CUSTOM only */
    const char *
        complete; /* completion of the value: "containers", "images", "volumes", "files" or words divided by blanks; may be NULL */
};

struct option_setting {
    const struct option_entry *option;
    const char *value; /* borrowed from the words, or "true" */
};

/* A command line that has been checked against its verb's table. */
struct invocation {
    const struct verb *verb;
    struct option_setting *settings;
    size_t setting_count;
    char **arguments; /* what is not an option; NULL-terminated, the strings are borrowed */
    size_t argument_count;
    bool help; /* --help was among the options: nothing else counts */
};

#define _cleanup_invocation_ _cleanup_(invocation_clear)
void invocation_clear(struct invocation *in);

/* Checks words (NULL-terminated, the verb's own words not among them): unknown and unsupported options, missing values, number of
 * arguments. Errors are -EINVAL, -ENOTSUP for an unsupported option, -ERANGE for the number of arguments. */
int options_scan(const struct verb *verb, char **words, struct invocation *ret_invocation, struct err *e);

/* Stores every setting in order. The caller owns what the target owns, also on failure. */
int options_apply(const struct invocation *in, void *target, struct err *e);

/* True when the option was on the command line, whatever its value. */
bool options_given(const struct invocation *in, const char *name);

/* Walks the tables of a verb: *at starts at 0; NULL at the end. */
const struct option_entry *options_next(const struct verb *verb, size_t *at);

/* The entry named so, with or without a letter; NULL when there is none. */
const struct option_entry *options_find(const struct verb *verb, const char *name, size_t length);
const struct option_entry *options_find_letter(const struct verb *verb, char letter);
