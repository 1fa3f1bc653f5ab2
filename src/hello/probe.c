/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe: asks every part for its figures (probe.h). What leaves traces in this process comes in children, so the order
 * matters only for descriptors, which are looked at first.
 */
#include "hello/probe.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "hello/find_writable.h"
#include "hello/hello.h"
#include "hello/read_hostinfo.h"
#include "hello/read_mounts.h"
#include "hello/read_network.h"
#include "hello/try_abi.h"
#include "hello/try_sockets.h"
#include "hello/try_syscalls.h"

void probe_collect(struct probe *ret_probe)
{
    struct probe *p = ret_probe;
    struct mounts mounts;

    descriptors_read(&p->leaked);
    identity_read(&p->identity);
    p->limits = read_limits();
    mounts_read(&mounts);
    mounts_list(&mounts, &p->mounts, &p->mounts_without_nosuid);
    find_writable(&mounts, "/proc", &p->proc_writable);
    find_writable(&mounts, "/sys", &p->sys_writable);
    p->host_info_tried = read_hostinfo(&mounts, &p->host_info);
    mounts_clear(&mounts);
    find_devices(&p->devices);
    read_interfaces(&p->interfaces);
    read_listeners(&p->listeners);

    p->syscalls_tried = try_syscalls(&p->syscalls);
    try_powers(&p->powers);
    try_socket_families(&p->socket_families);
    try_netlink_protocols(&p->netlink_protocols);
    p->int80 = try_int80();
    p->x32 = try_x32();
    p->metadata_route = try_metadata_route();
    p->setuid = try_setuid_copy();
}

int verb_probe(int argc, char **argv)
{
    static struct probe probe;
    bool one_line = argc == 2 && strcmp(argv[1], "--json") == 0;
    if (argc > 1 && !one_line) {
        fputs("usage: hello probe [--json]\n", stderr);
        return 2;
    }
    probe_collect(&probe);
    probe_print_json(&probe, one_line);
    return 0;
}
