/* SPDX-License-Identifier: Apache-2.0 */
/* Disk limits of writable layers and volumes: project quotas where the data root's file system has them (store/quota.h). */
#pragma once

#include "engine/volume.h"
#include "plan/plan.h"
#include "store/quota.h"

/* Before a container or volume is in its place: the claim of its project. -1: it has none. */
struct disk_claim {
    int lock;
    uint32_t project;
};

#define DISK_CLAIM_INIT \
    {                   \
        .lock = -1      \
    }
static inline void disk_claim_close(struct disk_claim *c)
{
    close_fd(&c->lock);
}
#define _cleanup_disk_claim_ _cleanup_(disk_claim_close)

/* Limits a writable layer that is being made: `rw` with `upper` and `work`, all empty. A limit that the user has asked for and that cannot be
 * enforced is an error; one that is only the policy's is left out, and `explain` says so. */
int disk_limit_container(const struct store *s, const struct plan *p, int rw, struct disk_claim *ret,
                         struct err *e);

/* Other limits for the writable layer of a container, whose directory `dir` is. What is in it already stays, also when it is more. */
int disk_limit_change(int dir, const struct plan *p, struct err *e);

/* The same for the data directory of a volume; without limits of its own it has those of the policy. */
int disk_limit_volume(const struct store *s, const struct volume *v, int data, struct disk_claim *ret,
                      struct err *e);

/* The project of a directory before it is removed, for quota_release when it is gone. 0: none. */
uint32_t disk_limit_project(int dir, const char *below);

/* Gives back what killed commands have left. */
void disk_limit_sweep(const struct store *s);
