/* SPDX-License-Identifier: Apache-2.0 */
/* The container's end of a copy (copy_container.h). */
#include "cli/copy_container.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cli/containers.h"
#include "engine/audit_log.h"
#include "engine/events.h"

void copy_side_close(struct copy_side *side)
{
    files_close(&side->files);
    container_close(&side->container);
    store_close(&side->store);
}

int copy_side_open(const struct copy_options *o, bool writable, const char *what, struct copy_side *ret,
                   struct err *e)
{
    int r = containers_open(&ret->store, o->container, &ret->container, e);
    if (r < 0)
        return r;
    r = files_check_policy(!writable, e);
    audit_note_container(&ret->store, AUDIT_COPY, &ret->container.plan, what);
    if (r < 0) {
        audit_note_refusal(&ret->store, &ret->container.plan, e);
        return r;
    }
    events_container(&ret->store, &ret->container.plan, writable ? "extract-to-dir" : "archive-path", NULL,
                     0);
    return files_open_container(&ret->store, &ret->container, FILES_ROOT_NAMESPACE, writable, &ret->files, e);
}

int copy_side_find(struct copy_side *side, const char *typed, bool follow, struct copy_end *ret_end,
                   struct message_files_found *ret_found, struct err *e)
{
    int r = copy_path_clean(typed, true, ret_end->path, e);
    for (int i = 0; r == 0 && i <= COPY_LINKS_MAX; i++) {
        char next[MESSAGE_PATH_MAX];
        r = files_stat(&side->files, ret_end->path, false, ret_found, e);
        if (r < 0 || !S_ISLNK(ret_found->mode) || !follow)
            break;
        r = i == COPY_LINKS_MAX ? err_set(e, ELOOP, "%s: too many symbolic links", typed)
                                : copy_path_follow(ret_end->path, ret_found->target, true, next, e);
        if (r == 0)
            (void)snprintf(ret_end->path, sizeof(ret_end->path), "%s", next);
    }
    ret_end->exists = r == 0;
    ret_end->is_dir = r == 0 && S_ISDIR(ret_found->mode);
    if (r == -ENOENT)
        err_clear(e);
    return r == -ENOENT ? 0 : r;
}
