/* SPDX-License-Identifier: Apache-2.0 */
/* What one copy, export or difference may ask of this machine. Beyond: it fails. */
#pragma once

#define FILES_ENTRIES_MAX 10000000U
#define FILES_DEPTH_MAX 1000         /* directories in each other: each holds a descriptor */
#define FILES_DIRECTORY_MAX 4000000U /* names in one directory: they are sorted in memory */
#define FILES_LINKS_MAX 1000000U     /* files with several names that are remembered */
#define FILES_DESCRIPTORS_MAX 1200U  /* FILES_DEPTH_MAX, layers and what else is open */
#define FILES_LAYERS_MAX 127
#define FILES_CHUNK (128U << 10)       /* bytes read at once */
#define FILES_PROGRESS_STEP (1U << 20) /* bytes between two messages of progress */
