/* SPDX-License-Identifier: Apache-2.0 */
/* casemate rmi: names of images go, and with the last name the image. */
#include <errno.h>
#include <stdio.h>

#include "cli/arguments.h"
#include "engine/audit_log.h"
#include "engine/events.h"
#include "engine/lifecycle.h"
#include "image/image.h"

struct rmi_options {
    bool force;
};

static const struct option_entry options[] = {
    {"force", 'f', OPTION_BOOL, NULL, "Remove several names at once; a missing image is no error",
     offsetof(struct rmi_options, force)},
    {"no-prune", 0, OPTION_UNSUPPORTED, NULL, ": layers that no image needs are removed"},
    {0},
};

/* An answer that cannot be had counts as "used". */
static bool in_use(const struct image *i, char ret_container[DIGEST_HEX_LENGTH + 1], void *context)
{
    struct err e = {0};
    ret_container[0] = '\0';
    return lifecycle_image_user(context, i->id, ret_container, &e) != 0;
}

struct removal {
    struct store *s;
    bool force;
};

static int remove_one(const char *word, void *context, struct err *e)
{
    const struct removal *x = context;
    struct store *s = x->s;
    _cleanup_image_removed_ struct image_removed removed = {0};
    const struct image_remove_options o = {.force = x->force, .in_use = in_use, .context = s};
    int r = image_remove(s, word, &o, &removed, e);
    for (size_t i = 0; i < removed.untagged.count; i++) {
        audit_note_name(s, AUDIT_IMAGE_REMOVE, removed.untagged.items[i], NULL, "untagged");
        events_image(s, "untag", NULL, removed.untagged.items[i]);
        printf("Untagged: %s\n", removed.untagged.items[i]);
    }
    for (size_t i = 0; i < removed.deleted.count; i++) {
        audit_note_name(s, AUDIT_IMAGE_REMOVE, removed.deleted.items[i], NULL, "deleted");
        if (i == 0) /* behind the image: its layers */
            events_image(s, "delete", removed.deleted.items[i], NULL);
        printf("Deleted: %s\n", removed.deleted.items[i]);
    }
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct rmi_options o = {0};
    struct err unmended = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = store_open(&s, e);
    if (r < 0)
        return r;
    (void)image_mend(&s, &unmended);
    struct removal x = {&s, o.force};
    return arguments_each(in, o.force, remove_one, &x);
}

const struct verb verb_rmi = {
    .name = "rmi",
    .aliases = "image rm, image remove",
    .group = VERB_IMAGES,
    .usage = "IMAGE [IMAGE...]",
    .summary = "Remove images",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "images",
    .options = {options},
    .run = run,
};
