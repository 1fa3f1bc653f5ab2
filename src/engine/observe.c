/* SPDX-License-Identifier: Apache-2.0 */
/* Where a container is found in the kernel (observe.h). */
#include "engine/observe.h"

#include <stdio.h>

#include "base/digest.h"
#include "base/dirs.h"
#include "base/identity.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "runtime/cgroup.h"
#include "store/root.h"

#define PARENT "casemate"
#define SUFFIX_LENGTH 8
#define BASE_FILE "delegated"

void observe_note_groups(const struct store *s, const struct cgroup *group)
{
    char base[PATH_LENGTH_MAX + 1];
    struct err ignored = {0};
    if (identity_rootless() && cgroup_base(group, base, sizeof(base), &ignored) == 0)
        (void)io_replace_file_at(s->run, BASE_FILE, base, strlen(base), 0600, false, &ignored);
}

static void recall_groups(void)
{
    char path[PATH_LENGTH_MAX + 1];
    _cleanup_buf_ struct buf text = {0};
    struct err ignored = {0};
    int n = snprintf(path, sizeof(path), "%s/" BASE_FILE, dirs_run());
    if (n > 0 && (size_t)n < sizeof(path) && io_read_path(path, PATH_LENGTH_MAX, &text, &ignored) == 0 &&
        text.data)
        cgroup_remember_base(text.data);
}

const char *observe_cgroup_parent(void)
{
    static char name[sizeof(PARENT) + SUFFIX_LENGTH + 2];
    if (name[0])
        return name;
    if (identity_rootless())
        recall_groups();
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
