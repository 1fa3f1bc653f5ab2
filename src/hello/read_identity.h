/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who this process is and what it holds, read from /proc/self.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "hello/names.h"

enum capability_set {
    CAPS_INHERITABLE,
    CAPS_PERMITTED,
    CAPS_EFFECTIVE,
    CAPS_BOUNDING,
    CAPS_AMBIENT,
    CAPS_SETS,
};

#define CAPS_HEX_MAX 20
#define GROUPS_MAX_SHOWN 64
#define NAMESPACES 8
#define RLIMITS 6

struct resource_limit {
    const char *name;
    long long soft, hard; /* -1: unlimited */
};

struct namespace_seen {
    const char *name;
    unsigned long long inode; /* 0: not visible */
};

struct identity {
    uid_t uid, euid;
    gid_t gid, egid;
    size_t groups_count;
    gid_t groups[GROUPS_MAX_SHOWN];
    mode_t umask;
    int caps_known;            /* how many capabilities the kernel has */
    int caps_count[CAPS_SETS]; /* -1: not visible */
    char caps_hex[CAPS_SETS][CAPS_HEX_MAX];
    int no_new_privs; /* -1: not visible, as the next */
    int seccomp_mode;
    int seccomp_filters;
    long long
        root_host_id; /* id on the host (in the parent user namespace) of uid 0; -1: not mapped or not visible */
    struct namespace_seen namespaces[NAMESPACES];
    struct resource_limit limits[RLIMITS];
    struct names environment; /* names of the variables */
};

void identity_read(struct identity *ret_identity);

/* Descriptors above standard error that are open: "N target". Call it before anything is opened. */
void descriptors_read(struct names *ret_leaked);

/* Does the name of a variable say that its value is secret? */
bool name_is_secret(const char *name);
