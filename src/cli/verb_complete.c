/* SPDX-License-Identifier: Apache-2.0 */
/* casemate __complete WORD...: what the completion scripts call. One candidate per line; a last line ":files" asks the shell for
 * names of files. Hidden. */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "cli/complete.h"

static int run(const struct invocation *in, struct err *e)
{
    _cleanup_str_list_ struct str_list candidates = {0};
    bool files;
    int r = complete_words(in->arguments, in->argument_count, &candidates, &files, e);
    if (r < 0)
        return r;
    for (size_t i = 0; i < candidates.count; i++)
        printf("%s\n", candidates.items[i]);
    if (files)
        printf(":files\n");
    return EXIT_SUCCESS;
}

const struct verb verb_complete = {
    .name = "__complete",
    .group = VERB_HIDDEN,
    .flags = VERB_STOPS,
    .usage = "-- WORD...",
    .summary = "Candidates for the last word of a command line",
    .arguments_max = VERB_MANY,
    .run = run,
};
