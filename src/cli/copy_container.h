/* SPDX-License-Identifier: Apache-2.0 */
/* What both directions of cp share: the container's end of a copy. */
#pragma once

#include "cli/copy.h"
#include "cli/copy_path.h"
#include "engine/files.h"

struct copy_side {
    struct store store;
    struct container container;
    struct files files;
};

#define COPY_SIDE_INIT                                                        \
    {                                                                         \
        .store = STORE_INIT, .container = CONTAINER_INIT, .files = FILES_INIT \
    }

void copy_side_close(struct copy_side *side);
#define _cleanup_copy_side_ _cleanup_(copy_side_close)

/* Opens store and container, records the copy and starts the session. `what` goes to the audit log. */
int copy_side_open(const struct copy_options *o, bool writable, const char *what, struct copy_side *ret,
                   struct err *e);

/* Fills `end` for the path as typed; symbolic links at its end are followed up to COPY_LINKS_MAX times with `follow`. Nothing there:
 * `exists` is false. */
#define COPY_LINKS_MAX 10
int copy_side_find(struct copy_side *side, const char *typed, bool follow, struct copy_end *ret_end,
                   struct message_files_found *ret_found, struct err *e);
