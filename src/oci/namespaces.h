/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces of config.json: those that are made, and those that are joined by path. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "oci/config.h"

#define OCI_NAMESPACES_MAX 8

struct oci_namespaces {
    int made; /* CLONE_NEW* of the new ones, for clone3(2); a cgroup namespace is not among them */
    int joined[OCI_NAMESPACES_MAX]; /* descriptors, in the order in which they are joined */
    int types[OCI_NAMESPACES_MAX];
    size_t joined_count;
    bool offsets; /* a new time namespace with offsets, which must be made before anybody is in it */
};

/* Opens what is joined; each is checked to be of its type. */
int oci_namespaces_open(const struct oci_config *c, struct oci_namespaces *ret, struct err *e);
void oci_namespaces_close(struct oci_namespaces *n);

/* True when the maps of the new user namespace are written with the rights of an ordinary user: its process stays dumpable until then. */
bool oci_namespaces_need_maps_of_user(const struct oci_namespaces *n);

/* Makes a process with them, as a child of the caller. Returns its pid and pidfd in the caller, 0 in that process. cgroup: directory of
 * the unified group to be born in, -1: none. */
pid_t oci_namespaces_clone(const struct oci_config *c, const struct oci_namespaces *n, int cgroup,
                           int *ret_pidfd, struct err *e);
