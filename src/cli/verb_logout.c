/* SPDX-License-Identifier: Apache-2.0 */
/* casemate logout: forgets the password for a registry. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/recording.h"
#include "cli/verbs.h"
#include "image/credentials.h"

static int run(const struct invocation *in, struct err *e)
{
    char host[REFERENCE_NAME_MAX + 1];
    int r = reference_parse_host(in->arguments[0], host, e);
    if (r == 0)
        r = credentials_erase(host, e);
    if (r < 0)
        return r;
    if (r)
        record_registry(AUDIT_LOGOUT, host, NULL);
    printf(r ? "Removing login credentials for %s\n" : "Not logged in to %s\n", host);
    return EXIT_SUCCESS;
}

const struct verb verb_logout = {
    .name = "logout",
    .group = VERB_IMAGES,
    .usage = "[REGISTRY]",
    .summary = "Forget the password for a registry",
    .arguments_max = 1,
    .run = run,
};
