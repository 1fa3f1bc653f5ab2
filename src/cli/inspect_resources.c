/* SPDX-License-Identifier: Apache-2.0 */
/* Limits, devices and names as Docker's API has them (inspect_resources.h). */
#include "cli/inspect_resources.h"

#include <stdio.h>
#include <string.h>

#include "engine/compose_resources.h"
#include "plan/device.h"
#include "plan/io.h"

static int64_t number(uint64_t value)
{
    return value == PLAN_UNSET || value == PLAN_UNLIMITED ? 0 : (int64_t)value;
}

static void add_devices(struct members *host, const struct plan *p)
{
    struct members array = members_array(host, "Devices");
    for (size_t i = 0; i < p->devices.count; i++) {
        struct err e = {0};
        _cleanup_plan_device_ struct plan_device d = {0};
        if (plan_device_parse(p->devices.items[i], &d, &e) < 0) {
            host->failed = true;
            continue;
        }
        struct members m = members_item(&array);
        members_text(&m, "PathOnHost", d.source);
        members_text(&m, "PathInContainer", d.target);
        members_text(&m, "CgroupPermissions", d.read && d.write ? "rw" : d.write ? "w" : "r");
        members_join(&array, &m);
    }
    members_join(host, &array);
}

/* Rates of disks that were named. */
static void add_io(struct members *host, const struct plan *p, enum plan_io_kind kind, const char *key)
{
    struct members array = members_array(host, key);
    for (size_t i = 0; i < p->io.count; i++) {
        struct err e = {0};
        _cleanup_plan_io_ struct plan_io io = {0};
        if (plan_io_parse(p->io.items[i], &io, &e) < 0 || io.kind != kind)
            continue;
        struct members m = members_item(&array);
        members_text(&m, "Path", io.path);
        members_number(&m, kind == PLAN_IO_WEIGHT ? "Weight" : "Rate", (int64_t)io.number);
        members_join(&array, &m);
    }
    members_join(host, &array);
}

/* NAME=ADDRESS in the plan, NAME:ADDRESS in Docker's. */
static void add_hosts(struct members *host, const struct plan *p)
{
    struct err e = {0};
    _cleanup_str_list_ struct str_list hosts = {0};
    for (size_t i = 0; i < p->hosts.count; i++) {
        const char *entry = p->hosts.items[i];
        const char *equals = strchrnul(entry, '=');
        if (str_list_addf(&hosts, &e, "%.*s:%s", (int)(equals - entry), entry, *equals ? equals + 1 : "") < 0)
            host->failed = true;
    }
    members_list(host, "ExtraHosts", &hosts, true);
}

void inspect_add_resources(struct members *host, const struct plan *p)
{
    members_number(host, "MemoryReservation", number(p->memory_reservation));
    if (p->memory_swappiness == PLAN_UNSET)
        members_null(host, "MemorySwappiness");
    else
        members_number(host, "MemorySwappiness", (int64_t)p->memory_swappiness);
    members_bool(host, "OomKillDisable", false);
    members_number(host, "OomScoreAdj", compose_oom_score_adj(p));
    members_number(host, "CpuShares", number(p->cpu_shares));
    members_number(host, "CpuPeriod", number(p->cpu_period_us));
    members_number(host, "BlkioWeight", number(p->blkio_weight));
    add_io(host, p, PLAN_IO_WEIGHT, "BlkioWeightDevice");
    add_io(host, p, PLAN_IO_READ_BPS, "BlkioDeviceReadBps");
    add_io(host, p, PLAN_IO_WRITE_BPS, "BlkioDeviceWriteBps");
    add_io(host, p, PLAN_IO_READ_IOPS, "BlkioDeviceReadIOps");
    add_io(host, p, PLAN_IO_WRITE_IOPS, "BlkioDeviceWriteIOps");
    add_devices(host, p);
    members_list(host, "Dns", &p->dns, false);
    members_list(host, "DnsOptions", &p->dns_options, false);
    members_list(host, "DnsSearch", &p->dns_search, false);
    add_hosts(host, p);
    members_map(host, "Annotations", &p->annotations);
}

void inspect_add_ports(struct members *config, const struct plan *p)
{
    struct members ports = members_object(config, "ExposedPorts");
    for (size_t i = 0; i < p->expose.count; i++) {
        struct members none = members_object(&ports, p->expose.items[i]);
        members_join(&ports, &none);
    }
    members_join(config, &ports);
}
