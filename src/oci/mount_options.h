/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a mount, as config-linux.md ("Linux mount options") and mount(8) name them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "oci/config.h"

struct oci_mount_options {
    uint64_t set, clear;                     /* MOUNT_ATTR_*: of the mount itself */
    uint64_t set_recursive, clear_recursive; /* of everything below it too (rro and its like) */
    bool bind, recursive;                    /* bind, rbind */
    bool remount;
    bool tmpcopyup;               /* a tmpfs begins with what the image has there */
    bool idmap, ridmap;           /* asked by option; with mappings of the mount, or the container's own */
    unsigned long propagation[4]; /* MS_SHARED ... with MS_REC, in the order as written */
    size_t propagation_count;
    struct str_list data; /* what is the file system's own: KEY or KEY=VALUE */
};

/* -EINVAL when there are more changes of propagation than make sense. The caller's to clear. */
int oci_mount_options_read(const struct oci_mount *m, struct oci_mount_options *ret, struct err *e);
void oci_mount_options_clear(struct oci_mount_options *o);
#define _cleanup_oci_mount_options_ _cleanup_(oci_mount_options_clear)

/* The names of all options that are not a file system's own, NULL behind the last; for `features`. The result is static. */
const char *const *oci_mount_options_known(void);
