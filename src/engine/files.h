/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of containers, of the store and of the caller, through casemate-files: the engine itself touches no path of a container and
 * reads no archive. A session is one worker process; after an error other than a path that is not there it is of no more use.
 */
#pragma once

#include "base/messages.h"
#include "base/worker.h"
#include "engine/container.h"
#include "engine/hold.h"

struct files {
    struct worker worker;
    const struct store *store;         /* of a container that does not run: */
    const struct container *container; /* borrowed */
    struct hold hold;
    int lock;
};

#define FILES_INIT                                           \
    {                                                        \
        .worker = WORKER_INIT, .hold = HOLD_INIT, .lock = -1 \
    }

void files_close(struct files *f);
#define _cleanup_files_ _cleanup_(files_close)

/* What the policy says of files that go into containers, or out of them: -EPERM names the key that allows it. */
int files_check_policy(bool out, struct err *e);

/* The files of a container as it sees them, running or not; `root` is FILES_ROOT_NAMESPACE or FILES_ROOT_OVERLAY (without volumes, binds and
 * system directories). Refreshes c, which outlives the session. */
int files_open_container(const struct store *s, struct container *c, enum message_files_root root,
                         bool writable, struct files *ret, struct err *e);

/* A directory of the caller's, with the caller's ids. Read-only sessions may read `readable` only (a descriptor of something below; -1: all of
 * it). */
int files_open_directory(int dir, int readable, bool writable, struct files *ret, struct err *e);

/* A directory of the store in the neutral range, and layers below it (topmost first), read-only. */
int files_open_store(int dir, const int *lower, size_t lower_count, struct files *ret, struct err *e);

/* The writable layer of a container above the layers of its image, as it is stored. */
int files_open_writable(const struct store *s, const struct container *c, struct files *ret, struct err *e);

/* -ENOENT: nothing is there, and the session goes on. */
int files_stat(struct files *f, const char *path, bool follow, struct message_files_found *ret_found,
               struct err *e);

/* Each of these hands a stream to the worker, which is read or written until files_wait says how it ended. */
int files_pack(struct files *f, const char *path, const char *name, unsigned flags, int out, struct err *e);

struct files_place_options {
    enum message_files_owners owners;
    bool drop_set_id; /* no set-user-id and set-group-id bits */
    bool plain;       /* the stream is ours and not compressed */
    bool tell;        /* progress; only where files_wait listens all the time */
};
int files_place(struct files *f, const char *path, const struct files_place_options *options, int in,
                struct err *e);
/* One directory as records (struct message_files_entry), at most `max` of them; or up to `max` bytes of a regular file. */
int files_list(struct files *f, const char *path, uint64_t max, int out, struct err *e);
int files_read(struct files *f, const char *path, uint64_t max, int out, struct err *e);
/* What the writable layer changes; the stream gets NUL-terminated records (workers/files/changes.h). */
int files_changes(struct files *f, bool executables, int out, struct err *e);
/* The tar of the layer whose directory the session has, from its skeleton. */
int files_assemble(struct files *f, int skeleton, int out, struct err *e);

typedef void (*files_progress)(uint64_t done, uint64_t total, void *context);
int files_wait(struct files *f, files_progress progress, void *context,
               struct message_files_counts *ret_counts, struct err *e);
