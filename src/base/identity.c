/* SPDX-License-Identifier: Apache-2.0 */
/* Which ids there are (identity.h). Trusted; what it reads is the kernel's. */
#include "base/identity.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/ids.h"

#define MAPS_MAX 16
#define SHIM_FIRST (IDS_SINGLES + 1)
#define WORKER_FIRST IDS_WORKER_FETCH
#define WORKERS 3U
#define SHIM_SHARE 64U /* of so many subordinate ids one is a shim's */
#define SHIMS_MAX (IDS_BLOCK_COUNT - 2)

struct maps {
    struct id_map items[MAPS_MAX];
    size_t count;
};

static struct {
    bool known, rootless, entered;
    struct maps uids, gids;
    uint32_t block_ids;
    unsigned containers;
} self;

/* As many lines as there are, at most MAPS_MAX: the map of an engine's namespace has fewer. */
static void read_maps(const char *path, struct maps *ret)
{
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    struct id_map m;
    while (f && ret->count < MAPS_MAX && fscanf(f, "%u %u %u", &m.inside, &m.outside, &m.count) == 3)
        ret->items[ret->count++] = m;
}

static const struct id_map *map_from(uint32_t inside)
{
    for (size_t i = 0; i < self.uids.count; i++)
        if (self.uids.items[i].inside == inside)
            return &self.uids.items[i];
    return NULL;
}

static uint32_t outside_of(const struct maps *maps, uint32_t id)
{
    for (size_t i = 0; i < maps->count; i++)
        if (id >= maps->items[i].inside && id - maps->items[i].inside < maps->items[i].count)
            return maps->items[i].outside + (id - maps->items[i].inside);
    return (uint32_t)-1;
}

static void learn(void)
{
    if (self.known)
        return;
    self.known = true;
    read_maps("/proc/self/uid_map", &self.uids);
    read_maps("/proc/self/gid_map", &self.gids);
    const struct id_map *user = map_from(0);
    const struct id_map *block = map_from(IDS_NEUTRAL);
    const struct id_map *shims = map_from(SHIM_FIRST);
    self.entered = user && user->count == 1 && block && shims && map_from(WORKER_FIRST);
    self.rootless = self.entered || geteuid() != 0;
    self.block_ids = self.entered && block->count < IDS_BLOCK_SIZE ? block->count : IDS_BLOCK_SIZE;
    self.containers = self.entered && shims->count < SHIMS_MAX ? shims->count : SHIMS_MAX;
}

bool identity_rootless(void)
{
    learn();
    return self.rootless;
}

bool identity_ready(void)
{
    learn();
    return !self.rootless || self.entered;
}

uint32_t identity_block_ids(void)
{
    learn();
    return self.block_ids;
}

bool identity_block_has(uint32_t id)
{
    return id < identity_block_ids() || id == IDS_OVERFLOW;
}

size_t identity_block_map_with(uid_t first, uint32_t owner, struct id_map ret[IDENTITY_BLOCK_MAPS])
{
    uint32_t ids = identity_block_ids();
    size_t n = 0;
    if (owner == 0 || owner >= ids) {
        ret[n++] = (struct id_map){0, first, ids};
    } else {
        ret[n++] = (struct id_map){0, first, owner};
        ret[n++] = (struct id_map){owner, 0, 1};
        if (owner + 1 < ids)
            ret[n++] = (struct id_map){owner + 1, first + owner + 1, ids - owner - 1};
    }
    if (ids < IDS_BLOCK_SIZE)
        ret[n++] = (struct id_map){IDS_OVERFLOW, first + IDS_OVERFLOW, 1};
    return n;
}

size_t identity_block_map(uid_t first, struct id_map ret[IDENTITY_BLOCK_MAPS])
{
    return identity_block_map_with(first, 0, ret);
}

unsigned identity_containers_max(void)
{
    learn();
    return self.containers;
}

uid_t identity_block_first(unsigned n)
{
    return identity_rootless() ? IDS_NEUTRAL : IDS_POOL_FIRST + n * IDS_BLOCK_SIZE;
}

uid_t identity_shim(unsigned n)
{
    return IDS_SINGLES + n;
}

bool identity_maps_mounts(void)
{
    return !identity_rootless();
}

uid_t identity_host_uid(uid_t id)
{
    learn();
    return outside_of(&self.uids, id);
}

gid_t identity_host_gid(gid_t id)
{
    learn();
    return outside_of(&self.gids, id);
}

/* False in a user namespace that an ordinary user has made, as Podman without root: what is the administrator's shows as the overflow id there. */
static bool is_root_here(void)
{
    for (size_t i = 0; i < self.uids.count; i++)
        if (self.uids.items[i].outside == 0)
            return true;
    return false;
}

bool identity_is_administrator(uid_t owner)
{
    learn();
    if (!self.entered && !is_root_here() && geteuid() == 0)
        return owner == IDS_OVERFLOW;
    return self.entered ? identity_host_uid(owner) == (uid_t)-1 : owner == 0;
}

/* 65534 has a line of its own: below it there is a gap where the range is small. */
void identity_engine_map(uint32_t user, uint32_t first, uint32_t count,
                         struct id_map ret[IDENTITY_ENGINE_MAPS])
{
    uint32_t shims = count / SHIM_SHARE < SHIMS_MAX ? count / SHIM_SHARE : SHIMS_MAX;
    uint32_t rest = count - shims - WORKERS - 1;
    uint32_t low = rest < IDS_OVERFLOW ? rest : IDS_OVERFLOW;
    ret[0] = (struct id_map){0, user, 1};
    ret[1] = (struct id_map){IDS_NEUTRAL, first, low};
    ret[2] = (struct id_map){IDS_NEUTRAL + IDS_OVERFLOW, first + low, 1};
    ret[3] = (struct id_map){SHIM_FIRST, first + low + 1, shims};
    ret[4] = (struct id_map){WORKER_FIRST, first + low + 1 + shims, WORKERS};
}
