/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of directories by project quotas of ext4 and xfs: every file below a directory carries the directory's project id, and the file
 * system counts and limits what a project has. Directories are given by descriptor (O_PATH will do for everything but quota_assign).
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "store/root.h"

#define QUOTA_NONE UINT64_MAX

/* Ids that Casemate gives out; files of others on the same file system keep clear of them. */
#define QUOTA_PROJECT_FIRST 1879048192U
#define QUOTA_PROJECT_COUNT (1U << 20)

struct quota_limit {
    uint64_t bytes; /* QUOTA_NONE: not limited; the kernel counts in units of 512 bytes, or of a block */
    uint64_t inodes;
};

struct quota_state {
    uint32_t project; /* 0: the directory has none */
    struct quota_limit limit;
    uint64_t bytes; /* in use */
    uint64_t inodes;
};

/* 0 when the file system of fd enforces limits of projects; -ENOTSUP with e saying why not, and what to do. */
int quota_probe(int fd, struct err *e);

/* What the kernel has for the project of a directory. All zero and QUOTA_NONE when it has none. */
int quota_read(int fd, struct quota_state *ret, struct err *e);

/* Makes an empty directory, and what will be made below it, part of a project. */
int quota_assign(int dir, uint32_t project, struct err *e);

/* Of the file system that fd is on. */
int quota_set(int fd, uint32_t project, const struct quota_limit *limit, struct err *e);

/*
 * Claims a project id for an owner ("container ID", "volume NAME") by a file projects/<id> of the data root. *ret_lock is held until the
 * owner is in its place: a claim that nobody holds and whose owner does not exist is swept.
 */
int quota_claim(const struct store *s, const char *owner, uint32_t *ret_project, int *ret_lock,
                struct err *e);

/* Takes the limits away and gives the id back. 0: does nothing. */
void quota_release(const struct store *s, uint32_t project);

/* Gives back ids whose owners are gone. */
void quota_sweep(const struct store *s, bool (*exists)(const struct store *s, const char *owner));
