/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that the probe finds out, in one struct, filled in one go.
 */
#pragma once

#include <stdbool.h>

#include "hello/names.h"
#include "hello/read_identity.h"
#include "hello/read_limits.h"
#include "hello/try_powers.h"
#include "hello/try_setuid.h"

struct probe {
    struct identity identity;
    struct limits limits;
    struct names leaked;
    size_t syscalls_tried;
    struct names syscalls;
    struct power_results powers;
    struct names socket_families;
    struct names netlink_protocols;
    struct names proc_writable;
    struct names sys_writable;
    size_t host_info_tried;
    struct names host_info;
    struct names mounts;
    struct names mounts_without_nosuid;
    struct names devices;
    struct names interfaces;
    struct names listeners;
    bool int80;
    bool x32;
    bool metadata_route;
    struct setuid_result setuid;
};

/* Fills *ret_probe, which lives as long as the program and is given zeroed. Takes about a tenth of a second. */
void probe_collect(struct probe *ret_probe);

/* The JSON object: a key per line, or all on one. */
void probe_print_json(const struct probe *probe, bool one_line);
