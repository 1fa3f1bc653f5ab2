/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the caller has the rights of the host's root (rootless.h). */
#include "oci/rootless.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"

#define MAP_MAX 8192

/* The first user namespace maps all ids to themselves: one line. */
bool oci_is_rootless(void)
{
    static int known = -1;
    _cleanup_buf_ struct buf map = {0};
    struct err ignored = {0};
    if (known >= 0)
        return known;
    known = geteuid() != 0;
    if (!known && io_read_path("/proc/self/uid_map", MAP_MAX, &map, &ignored) == 0 && map.data)
        known = !strstr(map.data, "4294967295");
    return known;
}
