/* SPDX-License-Identifier: Apache-2.0 */
/* Where a container is found in the kernel (observe.h). */
#include "engine/observe.h"

#include <stdio.h>

#include "base/digest.h"
#include "base/dirs.h"
#include "base/str.h"

#define PARENT "casemate"
#define SUFFIX_LENGTH 8

const char *observe_cgroup_parent(void)
{
    static char name[sizeof(PARENT) + SUFFIX_LENGTH + 2];
    if (name[0])
        return name;
    const char *run = dirs_run();
    if (str_equal(run, "/run/casemate"))
        return PARENT;
    struct digest d;
    char hex[DIGEST_HEX_LENGTH + 1];
    digest_of(run, strlen(run), &d);
    digest_format_hex(&d, hex);
    (void)snprintf(name, sizeof(name), PARENT "-%.*s", SUFFIX_LENGTH, hex);
    return name;
}
