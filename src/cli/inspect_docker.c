/* SPDX-License-Identifier: Apache-2.0 */
/* The rest of Docker's HostConfig (inspect_docker.h; names and zero values: Docker's API 1.41, ContainerInspect). */
#include "cli/inspect_docker.h"

#include "runtime/masks.h"

void inspect_add_unused(struct members *host, const struct plan *p)
{
    static const char *const texts[] = {"Cgroup",  "CgroupParent", "ContainerIDFile", "Isolation",
                                        "UTSMode", "UsernsMode",   "VolumeDriver"};
    static const char *const numbers[] = {"CpuCount",          "CpuPercent",         "CpuQuota",
                                          "CpuRealtimePeriod", "CpuRealtimeRuntime", "IOMaximumBandwidth",
                                          "IOMaximumIOps",     "KernelMemory",       "KernelMemoryTCP"};
    static const char *const lists[] = {"DeviceCgroupRules", "DeviceRequests", "Links", "Mounts"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        members_text(host, texts[i], "");
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        members_number(host, numbers[i], 0);
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        members_null(host, lists[i]);
    members_bool(host, "PublishAllPorts", false);
    members_list(host, "VolumesFrom", &p->volumes_from, true);
    struct members bindings = members_new_map(host, "PortBindings");
    members_join(host, &bindings);
}

static void add_paths(struct members *host, const char *key, bool read_only)
{
    struct err e = {0};
    _cleanup_str_list_ struct str_list paths = {0};
    host->failed = host->failed || masks_list(read_only, &paths, &e) < 0;
    members_list(host, key, &paths, false);
}

void inspect_add_masks(struct members *host)
{
    add_paths(host, "MaskedPaths", false);
    add_paths(host, "ReadonlyPaths", true);
}
