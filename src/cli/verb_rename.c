/* SPDX-License-Identifier: Apache-2.0 */
/* casemate rename: another name for a container. */
#include <stdlib.h>

#include "cli/containers.h"
#include "engine/rename.h"

static int run(const struct invocation *in, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_container_ struct container c = CONTAINER_INIT;
    int r = containers_open(&s, in->arguments[0], &c, e);
    if (r == 0)
        r = rename_container(&s, &c, in->arguments[1], e);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_rename = {
    .name = "rename",
    .aliases = "container rename",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER NAME",
    .summary = "Give a container another name",
    .arguments_min = 2,
    .arguments_max = 2,
    .complete = "containers",
    .run = run,
};
