/* SPDX-License-Identifier: Apache-2.0 */
/* casemate cp: files between a container and the host. */
#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "cli/copy.h"
#include "cli/copy_path.h"
#include "cli/verbs.h"

static const struct option_entry options[] = {
    {"archive", 'a', OPTION_BOOL, NULL, "Keep owners: user and group ids as they are at the source",
     offsetof(struct copy_options, archive)},
    {"follow-link", 'L', OPTION_BOOL, NULL, "Copy what a symbolic link leads to",
     offsetof(struct copy_options, follow_link)},
    {"quiet", 'q', OPTION_BOOL, NULL, "Show no progress", offsetof(struct copy_options, quiet)},
    {0},
};

static int copy(struct copy_options *o, char *const *words, struct err *e)
{
    const char *source = NULL;
    const char *destination = NULL;
    _cleanup_free_ char *from = NULL;
    _cleanup_free_ char *to = NULL;
    int r = copy_path_split(words[0], &from, &source, e);
    if (r == 0)
        r = copy_path_split(words[1], &to, &destination, e);
    if (r < 0)
        return r;
    if (!str_set(words[0]) || !str_set(words[1]))
        return err_set(e, EINVAL, "%s can not be empty", str_set(words[0]) ? "destination" : "source");
    if (from && to)
        return err_set(e, EINVAL, "copying between containers is not supported");
    if (!from && !to)
        return err_set(e, EINVAL, "must specify at least one container source");
    o->container = from ? from : to;
    o->inside = from ? source : destination;
    o->outside = from ? destination : source;
    return from ? copy_from_container(o, e) : copy_to_container(o, e);
}

static int run(const struct invocation *in, struct err *e)
{
    struct copy_options o = {0};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = copy(&o, in->arguments, e);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_cp = {
    .name = "cp",
    .aliases = "container cp",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER:SOURCE DESTINATION|- | SOURCE|- CONTAINER:DESTINATION",
    .summary = "Copy files between a container and the host",
    .arguments_min = 2,
    .arguments_max = 2,
    .complete = "containers",
    .options = {options},
    .run = run,
};
