/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of config.json's part "linux" without its resources (config-linux.md). */
#include "oci/config_tables.h"

#define MINOR_MAX 0xfffff /* of the kernel's device numbers */
#define MAJOR_MAX 0xfff

static const struct schema namespace_fields[] = {
    CHOICE(struct oci_namespace, type, "type", SCHEMA_REQUIRED, oci_namespace_types),
    STRING(struct oci_namespace, path, "path", 0),
    {0},
};

static const struct schema device_fields[] = {
    STRING(struct oci_device, path, "path", SCHEMA_REQUIRED | SCHEMA_ABSOLUTE),
    CHOICE(struct oci_device, type, "type", SCHEMA_REQUIRED, oci_device_types),
    NUMBER(struct oci_device, major, "major", 0, 0, MAJOR_MAX),
    NUMBER(struct oci_device, minor, "minor", 0, 0, MINOR_MAX),
    NUMBER(struct oci_device, file_mode, "fileMode", 0, 0, UINT32_MAX),
    NUMBER(struct oci_device, uid, "uid", 0, 0, UINT32_MAX - 1),
    NUMBER(struct oci_device, gid, "gid", 0, 0, UINT32_MAX - 1),
    {0},
};

static const struct schema net_device_fields[] = {
    STRING(struct oci_net_device, name, "name", 0),
    {0},
};

static const struct schema time_offset_fields[] = {
    NUMBER(struct oci_time_offset, secs, "secs", 0, INT64_MIN, INT64_MAX),
    NUMBER(struct oci_time_offset, nanosecs, "nanosecs", 0, 0, 999999999),
    {0},
};

static const struct schema personality_fields[] = {
    CHOICE(struct oci_personality, domain, "domain", SCHEMA_REQUIRED, oci_personalities),
    STRINGS(struct oci_personality, flags, "flags", 0),
    {0},
};

static const struct schema seccomp_fields[] = {
    CHOICE(struct oci_seccomp, default_action, "defaultAction", SCHEMA_REQUIRED, oci_seccomp_actions),
    FLAGS(struct oci_seccomp, flags, "flags", oci_seccomp_flags),
    STRING(struct oci_seccomp, listener_path, "listenerPath", 0),
    STRING(struct oci_seccomp, listener_metadata, "listenerMetadata", 0),
    {0},
};

const struct schema oci_linux_fields[] = {
    LIST(struct oci_linux, uid_mappings, "uidMappings", oci_id_map_fields, struct oci_id_map),
    LIST(struct oci_linux, gid_mappings, "gidMappings", oci_id_map_fields, struct oci_id_map),
    MAP(struct oci_linux, sysctl, "sysctl", NULL, struct oci_pair),
    OBJECT(struct oci_linux, resources, "resources", 0, oci_resources_fields),
    STRING(struct oci_linux, cgroups_path, "cgroupsPath", 0),
    LIST(struct oci_linux, namespaces, "namespaces", namespace_fields, struct oci_namespace),
    LIST(struct oci_linux, devices, "devices", device_fields, struct oci_device),
    MAP(struct oci_linux, net_devices, "netDevices", net_device_fields, struct oci_net_device),
    OBJECT(struct oci_linux, seccomp, "seccomp", 0, seccomp_fields),
    JSON(struct oci_linux, seccomp_json, "seccomp"),
    CHOICE(struct oci_linux, rootfs_propagation, "rootfsPropagation", 0, oci_propagations),
    STRINGS(struct oci_linux, masked_paths, "maskedPaths", SCHEMA_ABSOLUTE),
    STRINGS(struct oci_linux, readonly_paths, "readonlyPaths", SCHEMA_ABSOLUTE),
    STRING(struct oci_linux, mount_label, "mountLabel", 0),
    JSON(struct oci_linux, intel_rdt, "intelRdt"),
    JSON(struct oci_linux, memory_policy, "memoryPolicy"),
    OBJECT(struct oci_linux, personality, "personality", 0, personality_fields),
    MAP(struct oci_linux, time_offsets, "timeOffsets", time_offset_fields, struct oci_time_offset),
    {0},
};
