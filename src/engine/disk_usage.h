/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What files take on the disk, for ps -s, inspect -s, volume prune and system df. Walks trees that containers may change meanwhile: by
 * descriptors, never into another file system, never through a link.
 */
#pragma once

#include <stdint.h>

#include "engine/container.h"

#define DISK_USAGE_DEPTH_MAX \
    400 /* directories below each other that are looked into; each takes a descriptor */
#define DISK_USAGE_LINKS_MAX \
    65536 /* files with several names that are counted once; further ones for each name */

struct disk_usage {
    uint64_t
        bytes; /* of files: their length, or what is stored of it when there are holes; directories count nothing */
    uint64_t files; /* names of every kind, directories too */
    bool partial;   /* something was too deep or could not be read */
};

/* Of everything below dir (O_PATH will do). */
int disk_usage_tree(int dir, struct disk_usage *ret, struct err *e);

/* The writable layer of a container. */
int disk_usage_container(const struct container *c, struct disk_usage *ret, struct err *e);

/* The files of a volume; dir is from volume_open. */
int disk_usage_volume(int dir, struct disk_usage *ret, struct err *e);
