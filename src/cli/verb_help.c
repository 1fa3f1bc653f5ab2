/* SPDX-License-Identifier: Apache-2.0 */
/* casemate help [COMMAND]: the same text as --help; with --format json all tables, for tools and tests. */
#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "cli/help.h"

struct help_options {
    const char *format;
};

static const struct option_entry options[] = {
    {"format", 0, OPTION_STRING, "FORMAT", "json: every command and option, for programs",
     offsetof(struct help_options, format), .complete = "json"},
    {0},
};

static int run(const struct invocation *in, struct err *e)
{
    struct help_options o = {0};
    int r = options_apply(in, &o, e);
    if (r < 0)
        return r;
    if (o.format && !str_equal(o.format, "json"))
        return err_set(e, EINVAL, "--format of help knows only json");
    if (o.format)
        return help_print_json(stdout, e);
    if (in->argument_count == 0) {
        help_print_all(stdout);
        return EXIT_SUCCESS;
    }
    size_t used;
    const struct verb *verb = verbs_find(in->arguments, &used);
    if (!verb && !in->arguments[1] && verbs_is_group(in->arguments[0])) {
        help_print_group(in->arguments[0], stdout);
        return EXIT_SUCCESS;
    }
    if (!verb)
        return verbs_unknown(in->arguments, e);
    help_print_verb(verb, stdout);
    return EXIT_SUCCESS;
}

const struct verb verb_help = {
    .name = "help",
    .group = VERB_SYSTEM,
    .flags = VERB_ANYWHERE,
    .usage = "[COMMAND]",
    .summary = "Show how a command is used",
    .arguments_max = 2,
    .complete = "commands",
    .options = {options},
    .run = run,
};
