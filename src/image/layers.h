/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer store: layers/<hex>/ holds one unpacked layer, `fs/`, `skeleton` and `layer.json`. <hex> is the digest of the blob as it was
 * served, hashed here, in the engine; a subverted casemate-unpack can spoil only the content of that blob.
 *
 * `fs/` belongs to the neutral range and is a lower directory for overlay mounted with `userxattr`: whiteouts are
 * character devices 0:0, opaque directories have user.overlay.opaque=y.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compression.h"
#include "base/digest.h"
#include "base/err.h"
#include "store/root.h"

#define LAYER_RECORD_VERSION 1

struct layer_request {
    struct digest blob;    /* SHA-256 of the bytes as served */
    uint64_t size;         /* how many of them */
    struct digest diff_id; /* SHA-256 of the tar inside */
    enum layer_compression compression;
    bool any_diff_id; /* diff_id is not known yet: what casemate-unpack says goes (layer_read_info) */
};

/* What layer.json says. The notices count what was not kept as the archive had it, or is worth telling. */
struct layer_info {
    struct digest blob;
    struct digest diff_id;
    uint64_t size;                 /* of the blob */
    uint64_t uncompressed;         /* of the tar */
    uint64_t entries;              /* of the tar, whiteouts included */
    uint64_t files_bytes;          /* content of regular files */
    uint64_t devices_dropped;      /* block and character nodes */
    uint64_t setid_files;          /* kept, without effect: containers mount nosuid with no_new_privs */
    uint64_t ids_above_block;      /* owners stored as IDS_OVERFLOW */
    uint64_t capabilities_dropped; /* security.capability */
    uint64_t xattrs_dropped;       /* others that cannot be stored */
};

bool layer_exists(const struct store *s, const struct digest *blob);

/* Unpacks a blob into the store. Blocks; may be called by several threads and processes at once, for the same layer too: one
 * does it and the others wait. `source_fd` is a pipe or file at the first byte; exactly `size` bytes must come. Returns 0
 * when it was imported, 1 when it was there already (then the source may be unread). On failure, also by being killed,
 * nothing is left but what store_staging_sweep removes. `progress` (may be NULL) is told the bytes taken, by this thread. */
int layer_import(const struct store *s, const struct layer_request *request, int source_fd,
                 void (*progress)(uint64_t done, uint64_t total, void *context), void *context,
                 struct err *e);

/* O_PATH descriptor of layers/<hex>/fs. */
int layer_open(const struct store *s, const struct digest *blob, struct err *e);

/* What the layer's tar has besides the content of its files (workers/unpack/skeleton.h); -ENOENT when none is kept: a tar that has the
 * same name twice cannot be put together again. */
int layer_open_skeleton(const struct store *s, const struct digest *blob, struct err *e);

int layer_read_info(const struct store *s, const struct digest *blob, struct layer_info *ret_info,
                    struct err *e);

/* Locks that killed importers have left. */
void layers_sweep_locks(const struct store *s);

/* Absent: success. The caller knows that nobody uses it. */
int layer_remove(const struct store *s, const struct digest *blob, struct err *e);
