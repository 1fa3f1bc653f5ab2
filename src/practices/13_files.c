/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 13, files and logs: a read-only root where asked for and in strict; logs outside of the container. */
#include "practices/refuse.h"
#include "practices/registry.h"

static int apply(struct practice_run *run, struct err *e)
{
    (void)e;
    if (run->plan->profile == PLAN_STRICT || run->policy->read_only)
        run->plan->read_only = true;
    return 0;
}

const struct practice practice_files = {
    .number = 13,
    .id = "files",
    .title = "files and logs",
    .what = "keeps logs outside of the container and its root file system read-only where that is wanted",
    .missing = "logs are not chained against tampering, and the writable layer has no size limit",
    .apply = apply,
};
