/* SPDX-License-Identifier: Apache-2.0 */
/* What one layer, and one image archive, may ask of this machine. Beyond: the layer is refused, nothing of it stays. */
#pragma once

#define LAYER_ENTRIES_MAX 1000000U
#define LAYER_DEPTH_MAX 128            /* components of a name */
#define LAYER_BYTES_MAX (256ULL << 30) /* stored content and LAYER_ENTRY_COST for each entry */
#define LAYER_ENTRY_COST 4096ULL       /* what a directory takes on ext4 */
#define LAYER_FILE_MAX (1ULL << 40)    /* apparent size of one file */
#define ARCHIVE_MEMBERS_MAX 65536U     /* of an image archive */
#define ARCHIVE_LINKS_MAX 1024U
#define ARCHIVE_LINK_DEPTH_MAX 8 /* links from a member to a member */

/* A stream may become this much larger than what was sent, once it is larger than the free part. Text reaches 20, deflate can do
 * no more than 1032. */
#define STREAM_RATIO_MAX 200
#define STREAM_RATIO_FREE (1ULL << 30)
#define STREAM_BYTES_MAX (300ULL << 30)
#define STREAM_ZSTD_WINDOW_LOG_MAX 27 /* 128 MiB of memory; what the zstd command allows without --long */
