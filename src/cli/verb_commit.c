/* SPDX-License-Identifier: Apache-2.0 */
/* casemate commit: an image of what a container has become. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/containers.h"
#include "cli/image_change.h"
#include "engine/audit_log.h"
#include "engine/commit.h"
#include "engine/events.h"
#include "engine/files.h"
#include "image/reference.h"

struct commit_options {
    const char *author;
    const char *message;
    struct str_list changes;
    struct str_list left_out;
    bool pause;
};

static const struct option_entry options[] = {
    {"author", 'a', OPTION_STRING, "TEXT", "Who made it", offsetof(struct commit_options, author)},
    {"change", 'c', OPTION_LIST, "INSTRUCTION",
     "Apply an instruction of a Dockerfile to the configuration (CMD, ENV, USER …)",
     offsetof(struct commit_options, changes)},
    {"message", 'm', OPTION_STRING, "TEXT", "What was done", offsetof(struct commit_options, message)},
    {"pause", 'p', OPTION_BOOL, NULL,
     "Stop the container's processes while its files are read (default true)",
     offsetof(struct commit_options, pause)},
    {0},
};

static int apply_changes(struct image *i, void *context, struct err *e)
{
    const struct commit_options *o = context;
    int r = 0;
    for (size_t n = 0; n < o->changes.count && r == 0; n++)
        r = image_change(i, o->changes.items[n], e);
    return r;
}

/* Before anything is done: instructions that cannot be read, and names that cannot be given. */
static int check(const struct invocation *in, struct commit_options *o, struct err *e)
{
    struct reference reference;
    _cleanup_image_ struct image *nothing = calloc(1, sizeof(*nothing));
    int r = nothing ? apply_changes(nothing, o, e) : err_oom(e);
    if (r == 0 && in->argument_count > 1)
        r = reference_parse(in->arguments[1], &reference, e);
    return r;
}

static int commit(const struct invocation *in, struct commit_options *o, struct err *e)
{
    char id[DIGEST_HEX_LENGTH + 1];
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_container_ struct container c = CONTAINER_INIT;
    const struct commit_request request = {.name = in->argument_count > 1 ? in->arguments[1] : NULL,
                                           .author = o->author,
                                           .message = o->message,
                                           .left_out = &o->left_out,
                                           .pause = o->pause,
                                           .change = apply_changes,
                                           .context = o};
    int r = check(in, o, e);
    if (r == 0)
        r = containers_open(&s, in->arguments[0], &c, e);
    if (r == 0 && (r = files_check_policy(true, e)) < 0)
        audit_note_refusal(&s, &c.plan, e);
    if (r < 0)
        return r;
    audit_note_container(&s, AUDIT_COMMIT, &c.plan, request.name);
    r = commit_container(&s, &c, &request, id, e);
    if (r == -ENOSYS && o->pause)
        return err_wrap(e, "commit %s (--pause=false takes it while it runs)", in->arguments[0]);
    if (r < 0)
        return r;
    events_container(&s, &c.plan, "commit", &(const struct event_attribute){"imageID", id}, 1);
    for (size_t i = 0; i < o->left_out.count; i++)
        fprintf(stderr,
                "casemate: %s is left out of the image, since it looks like a secret (practice 12); --change "
                "'ENV "
                "%s=VALUE' puts it there\n",
                o->left_out.items[i], o->left_out.items[i]);
    printf("sha256:%s\n", id);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct commit_options o = {.pause = true};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = commit(in, &o, e);
    str_list_clear(&o.changes);
    str_list_clear(&o.left_out);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_commit = {
    .name = "commit",
    .aliases = "container commit",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER [NAME[:TAG]]",
    .summary = "Make an image of what a container has become",
    .arguments_min = 1,
    .arguments_max = 2,
    .complete = "containers",
    .options = {options},
    .run = run,
};
