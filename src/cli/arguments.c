/* SPDX-License-Identifier: Apache-2.0 */
/* One argument after the other (arguments.h). */
#include "cli/arguments.h"

#include <errno.h>
#include <stdlib.h>

int arguments_each(const struct invocation *in, bool missing_ok, arguments_act act, void *context)
{
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < in->argument_count; i++) {
        struct err failed = {0};
        int r = act(in->arguments[i], context, &failed);
        if (r < 0)
            verbs_complain(&failed);
        if (r < 0 && !(missing_ok && r == -ENOENT))
            status = EXIT_FAILURE;
    }
    return status;
}
