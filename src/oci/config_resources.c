/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of config.json's linux.resources (config-linux.md, "Control groups"). */
#include "oci/config_tables.h"

#define DEVICE_ANY (-1)

static const struct schema device_rule_fields[] = {
    BOOL(struct oci_device_rule, allow, "allow"),
    STRING(struct oci_device_rule, type, "type", 0),
    NUMBER(struct oci_device_rule, major, "major", 0, DEVICE_ANY, UINT32_MAX),
    NUMBER(struct oci_device_rule, minor, "minor", 0, DEVICE_ANY, UINT32_MAX),
    STRING(struct oci_device_rule, access, "access", 0),
    {0},
};

static const struct schema memory_fields[] = {
    NUMBER(struct oci_memory, limit, "limit", 0, -1, INT64_MAX),
    NUMBER(struct oci_memory, reservation, "reservation", 0, -1, INT64_MAX),
    NUMBER(struct oci_memory, swap, "swap", 0, -1, INT64_MAX),
    NUMBER(struct oci_memory, kernel, "kernel", 0, -1, INT64_MAX),
    NUMBER(struct oci_memory, kernel_tcp, "kernelTCP", 0, -1, INT64_MAX),
    NUMBER(struct oci_memory, swappiness, "swappiness", 0, 0, INT64_MAX),
    BOOL(struct oci_memory, disable_oom_killer, "disableOOMKiller"),
    BOOL(struct oci_memory, use_hierarchy, "useHierarchy"),
    BOOL(struct oci_memory, check_before_update, "checkBeforeUpdate"),
    {0},
};

static const struct schema cpu_fields[] = {
    NUMBER(struct oci_cpu, shares, "shares", 0, 0, INT64_MAX),
    NUMBER(struct oci_cpu, quota, "quota", 0, -1, INT64_MAX),
    NUMBER(struct oci_cpu, burst, "burst", 0, 0, INT64_MAX),
    NUMBER(struct oci_cpu, period, "period", 0, 0, INT64_MAX),
    NUMBER(struct oci_cpu, realtime_runtime, "realtimeRuntime", 0, -1, INT64_MAX),
    NUMBER(struct oci_cpu, realtime_period, "realtimePeriod", 0, 0, INT64_MAX),
    NUMBER(struct oci_cpu, idle, "idle", 0, 0, 1),
    STRING(struct oci_cpu, cpus, "cpus", 0),
    STRING(struct oci_cpu, mems, "mems", 0),
    {0},
};

static const struct schema pids_fields[] = {
    NUMBER(struct oci_pids, limit, "limit", 0, -1, INT64_MAX),
    {0},
};

static const struct schema weight_device_fields[] = {
    NUMBER(struct oci_weight_device, major, "major", SCHEMA_REQUIRED, 0, UINT32_MAX),
    NUMBER(struct oci_weight_device, minor, "minor", SCHEMA_REQUIRED, 0, UINT32_MAX),
    NUMBER(struct oci_weight_device, weight, "weight", 0, 0, UINT16_MAX),
    NUMBER(struct oci_weight_device, leaf_weight, "leafWeight", 0, 0, UINT16_MAX),
    {0},
};

static const struct schema throttle_device_fields[] = {
    NUMBER(struct oci_throttle_device, major, "major", SCHEMA_REQUIRED, 0, UINT32_MAX),
    NUMBER(struct oci_throttle_device, minor, "minor", SCHEMA_REQUIRED, 0, UINT32_MAX),
    NUMBER(struct oci_throttle_device, rate, "rate", SCHEMA_REQUIRED, 0, INT64_MAX),
    {0},
};

static const struct schema block_io_fields[] = {
    NUMBER(struct oci_block_io, weight, "weight", 0, 0, UINT16_MAX),
    NUMBER(struct oci_block_io, leaf_weight, "leafWeight", 0, 0, UINT16_MAX),
    LIST(struct oci_block_io, weight_device, "weightDevice", weight_device_fields, struct oci_weight_device),
    LIST(struct oci_block_io, read_bps, "throttleReadBpsDevice", throttle_device_fields,
         struct oci_throttle_device),
    LIST(struct oci_block_io, write_bps, "throttleWriteBpsDevice", throttle_device_fields,
         struct oci_throttle_device),
    LIST(struct oci_block_io, read_iops, "throttleReadIOPSDevice", throttle_device_fields,
         struct oci_throttle_device),
    LIST(struct oci_block_io, write_iops, "throttleWriteIOPSDevice", throttle_device_fields,
         struct oci_throttle_device),
    {0},
};

static const struct schema hugepage_fields[] = {
    STRING(struct oci_hugepage_limit, page_size, "pageSize", SCHEMA_REQUIRED | SCHEMA_NOT_EMPTY),
    NUMBER(struct oci_hugepage_limit, limit, "limit", SCHEMA_REQUIRED, 0, INT64_MAX),
    {0},
};

static const struct schema interface_priority_fields[] = {
    STRING(struct oci_interface_priority, name, "name", SCHEMA_REQUIRED | SCHEMA_NOT_EMPTY),
    NUMBER(struct oci_interface_priority, priority, "priority", SCHEMA_REQUIRED, 0, UINT32_MAX),
    {0},
};

static const struct schema network_fields[] = {
    NUMBER(struct oci_network, class_id, "classID", 0, 0, UINT32_MAX),
    LIST(struct oci_network, priorities, "priorities", interface_priority_fields,
         struct oci_interface_priority),
    {0},
};

static const struct schema rdma_fields[] = {
    NUMBER(struct oci_rdma, handles, "hcaHandles", 0, 0, UINT32_MAX),
    NUMBER(struct oci_rdma, objects, "hcaObjects", 0, 0, UINT32_MAX),
    {0},
};

const struct schema oci_resources_fields[] = {
    LIST(struct oci_resources, devices, "devices", device_rule_fields, struct oci_device_rule),
    OBJECT(struct oci_resources, memory, "memory", 0, memory_fields),
    OBJECT(struct oci_resources, cpu, "cpu", 0, cpu_fields),
    OBJECT(struct oci_resources, pids, "pids", 0, pids_fields),
    OBJECT(struct oci_resources, block_io, "blockIO", 0, block_io_fields),
    LIST(struct oci_resources, hugepage_limits, "hugepageLimits", hugepage_fields, struct oci_hugepage_limit),
    OBJECT(struct oci_resources, network, "network", 0, network_fields),
    MAP(struct oci_resources, rdma, "rdma", rdma_fields, struct oci_rdma),
    MAP(struct oci_resources, unified, "unified", NULL, struct oci_pair),
    {0},
};

bool oci_resources_limit(const struct oci_resources *r)
{
    return r->memory.set || r->cpu.set || r->pids.set || r->block_io.set || r->unified.count > 0 ||
           r->hugepage_limits.count > 0 || r->rdma.count > 0;
}
