/* SPDX-License-Identifier: Apache-2.0 */
/* One copy between two sessions of casemate-files: the bytes go from worker to worker, the engine only waits. */
#pragma once

#include "engine/files.h"

struct copy_request {
    const char *from_path; /* in the source session */
    const char *name;      /* in the archive */
    unsigned pack_flags;
    const char *to_path; /* directory in the destination session */
    enum message_files_owners owners;
    bool drop_set_id;
    files_progress progress;
    void *context;
};

/* *ret_counts are those of the placing side, with what the packing side has left out added. */
int copy_between(struct files *from, struct files *to, const struct copy_request *request,
                 struct message_files_counts *ret_counts, struct err *e);
