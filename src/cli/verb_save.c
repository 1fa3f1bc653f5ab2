/* SPDX-License-Identifier: Apache-2.0 */
/* casemate save: images as an archive. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/output_file.h"
#include "cli/verbs.h"
#include "engine/audit_log.h"
#include "engine/events.h"
#include "engine/save.h"

struct save_verb_options {
    const char *output;
};

static const struct option_entry options[] = {
    {"output", 'o', OPTION_STRING, "FILE", "Write to this file (default: standard output)",
     offsetof(struct save_verb_options, output), .complete = "files"},
    {"platform", 0, OPTION_UNSUPPORTED, NULL, ": the store has images of one platform each"},
    {0},
};

static void tell_renamed(const char *id, const char *new_id, void *context)
{
    (void)context;
    fprintf(stderr,
            "casemate: image %.12s is saved as %.12s: one of its layers had the same name twice and cannot "
            "be written as it was\n",
            id, new_id);
}

static int run(const struct invocation *in, struct err *e)
{
    struct save_verb_options o = {0};
    _cleanup_output_file_ struct output_file out = OUTPUT_FILE_INIT;
    _cleanup_store_ struct store s = STORE_INIT;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = output_file_open(o.output, &out, e);
    if (r == 0)
        r = store_open(&s, e);
    if (r < 0)
        return r;
    for (size_t i = 0; i < in->argument_count; i++) {
        audit_note_name(&s, AUDIT_SAVE, in->arguments[i], NULL, o.output ? o.output : "(standard output)");
        events_image(&s, "save", NULL, in->arguments[i]);
    }
    const struct save_options options_of_save = {.out = out.fd, .renamed = tell_renamed};
    r = save_images(&s, in->arguments, in->argument_count, &options_of_save, e);
    if (r == 0)
        r = output_file_finish(&out, e);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_save = {
    .name = "save",
    .aliases = "image save",
    .group = VERB_IMAGES,
    .usage = "IMAGE [IMAGE...]",
    .summary = "Write images to an archive",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "images",
    .options = {options},
    .run = run,
};
