/* SPDX-License-Identifier: Apache-2.0 */
/* casemate tag: one more name for an image. */
#include <stdlib.h>

#include "cli/verbs.h"
#include "engine/audit_log.h"
#include "engine/events.h"
#include "image/image.h"

static int run(const struct invocation *in, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    int r = store_open(&s, e);
    if (r == 0)
        r = image_tag(&s, in->arguments[0], in->arguments[1], e);
    if (r == 0) {
        audit_note_name(&s, AUDIT_TAG, in->arguments[1], NULL, in->arguments[0]);
        events_image(&s, "tag", NULL, in->arguments[1]);
    }
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_tag = {
    .name = "tag",
    .aliases = "image tag",
    .group = VERB_IMAGES,
    .usage = "IMAGE[:TAG] NAME[:TAG]",
    .summary = "Give an image one more name",
    .arguments_min = 2,
    .arguments_max = 2,
    .complete = "images",
    .run = run,
};
