/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes: volumes/<name>/ with
 *   data/         the files, in the neutral range, shared by containers through idmapped mounts
 *   volume.json   what it was made with ("version": 1); a volume of an older Casemate has none
 *   users/<id>    a container whose plan names the volume; a file of a container that is gone means nothing
 *   fill/         its lock (flock) orders those who fill it from an image; holds `new` (nothing has used it yet) and
 *                 `filling` (begun, not finished: the next start goes on with it)
 *
 * Who makes a container holds a shared flock on volumes/<name> from before its file in users/ until the container is in its place;
 * who removes a volume holds it exclusively. So a volume is never taken away from a container that is being made.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/str.h"
#include "store/root.h"

#define VOLUME_NAME_MAX 128
#define VOLUME_VERSION 1
#define VOLUME_UNLIMITED UINT64_MAX

struct volume {
    char *name;
    int64_t created;         /* ns since the epoch */
    bool anonymous;          /* named by us for a container */
    struct str_list labels;  /* KEY=VALUE */
    struct str_list options; /* KEY=VALUE as they were given: size=1g */
    uint64_t size;           /* limits: bytes and files; VOLUME_UNLIMITED: none of its own */
    uint64_t inodes;
    bool recorded; /* it has a volume.json: its users are known by their files */
};

void volume_init(struct volume *v);
void volume_clear(struct volume *v);
#define _cleanup_volume_ _cleanup_(volume_clear)

/* Docker's grammar: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most VOLUME_NAME_MAX. */
int volume_check_name(const char *name, struct err *e);

/* Reads an option of `volume create --opt` or of volume-opt: size=, inodes=; type=none and the like of other drivers are refused. */
int volume_add_option(struct volume *v, const char *option, struct err *e);

/* Makes the volume as `v` says; the name in it counts. 1: it was there already, and stays as it is. */
int volume_make(const struct store *s, const struct volume *v, struct err *e);

/* Directory of the volume (O_RDONLY); -ENOENT "no such volume: NAME". */
int volume_open(const struct store *s, const char *name, struct err *e);

/* As volume_open, with the flock `operation` (LOCK_SH, LOCK_EX) held and the volume still in its place. Waits. */
int volume_lock(const struct store *s, const char *name, int operation, struct err *e);

/* O_PATH descriptor of the files; dir is from volume_open. */
int volume_open_data(int dir, struct err *e);

/* What volume.json says. */
int volume_read(int dir, const char *name, struct volume *ret_volume, struct err *e);

/* Notes a container as user, or no longer. */
int volume_add_user(int dir, const char *container, struct err *e);
void volume_remove_user(int dir, const char *container);

/* Ids of the containers that exist and name the volume. */
int volume_users(const struct store *s, int dir, const struct volume *v, struct str_list *ret_ids,
                 struct err *e);

/* -EBUSY when containers use it: the text names them. */
int volume_remove(const struct store *s, const char *name, struct err *e);

/* Takes the container from the users of an anonymous volume, and removes the volume when it was the last one. */
void volume_leave(const struct store *s, const char *name, const char *container);

/* Opens every volume in the order of their names and calls visit until it returns non-zero. One that is being made or removed is skipped. */
int volume_for_each(const struct store *s,
                    int (*visit)(const struct volume *v, int dir, void *context, struct err *e),
                    void *context, struct err *e);

/* How the start of a container finds a volume. */
struct volume_fill {
    int lock;       /* held while the volume is filled; -1: it is used as it is */
    bool brand_new; /* nothing has used it: it takes owner and mode even of an empty directory */
};

/*
 * Decides whether a start fills the volume from the image: when an earlier start was interrupted in it, or when it is empty and either
 * new or the container has never been started. Waits for another start that fills it. What has begun is noted on the disk.
 */
int volume_fill_begin(int dir, bool first_start, struct volume_fill *ret, struct err *e);

/* It is filled, all of it. */
int volume_fill_done(int lock, struct err *e);
