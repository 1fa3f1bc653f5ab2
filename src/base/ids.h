/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host ids that Casemate uses (DESIGN: reserved in /etc/subuid under `casemate`, clear of systemd-nspawn's range).
 * The pool is cut in blocks of 65,536: block 0 owns the store (the neutral range), the last block holds single ids of
 * shims and workers, the others are handed to containers. An ordinary user's containers have the same numbers, shown on the
 * user's own subordinate ids by the kernel: identity.h says which of them there are.
 */
#pragma once

#include <sys/types.h>

#define IDS_POOL_FIRST 1879048192U /* 0x70000000 */
#define IDS_BLOCK_SIZE 65536U
#define IDS_BLOCK_COUNT 4095U /* up to 2147418111 */
#define IDS_NEUTRAL IDS_POOL_FIRST
#define IDS_OVERFLOW 65534U /* image ids above the block are stored as this one */

#define IDS_SINGLES (IDS_POOL_FIRST + (IDS_BLOCK_COUNT - 1) * IDS_BLOCK_SIZE)
/* The shim of the container in block n has id IDS_SINGLES + n. */
#define IDS_WORKER_FETCH (IDS_SINGLES + 65001U)
#define IDS_WORKER_PARSE (IDS_SINGLES + 65002U)
#define IDS_WORKER_SECCOMP (IDS_SINGLES + 65003U)
