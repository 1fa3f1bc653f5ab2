/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of config.json that are not of one platform: process, root, mounts, hooks (config.md). */
#include <sys/resource.h>

#include "oci/config_tables.h"

static const struct schema box_fields[] = {
    NUMBER(struct oci_box, height, "height", SCHEMA_REQUIRED, 0, UINT16_MAX),
    NUMBER(struct oci_box, width, "width", SCHEMA_REQUIRED, 0, UINT16_MAX),
    {0},
};

/* (uid_t)-1 means "leave it" to the kernel. */
#define ID_MAX (UINT32_MAX - 1)

static const struct schema user_fields[] = {
    NUMBER(struct oci_user, uid, "uid", 0, 0, ID_MAX),
    NUMBER(struct oci_user, gid, "gid", 0, 0, ID_MAX),
    NUMBER(struct oci_user, umask, "umask", 0, 0, 07777),
    NUMBERS(struct oci_user, additional_gids, "additionalGids", 0, ID_MAX),
    {0},
};

static const struct schema capabilities_fields[] = {
    STRINGS(struct oci_capabilities, bounding, "bounding", 0),
    STRINGS(struct oci_capabilities, effective, "effective", 0),
    STRINGS(struct oci_capabilities, inheritable, "inheritable", 0),
    STRINGS(struct oci_capabilities, permitted, "permitted", 0),
    STRINGS(struct oci_capabilities, ambient, "ambient", 0),
    {0},
};

static const struct schema rlimit_fields[] = {
    CHOICE(struct oci_rlimit, type, "type", SCHEMA_REQUIRED, oci_rlimit_types),
    NUMBER(struct oci_rlimit, soft, "soft", SCHEMA_REQUIRED, 0, INT64_MAX),
    NUMBER(struct oci_rlimit, hard, "hard", SCHEMA_REQUIRED, 0, INT64_MAX),
    {0},
};

static const struct schema scheduler_fields[] = {
    CHOICE(struct oci_scheduler, policy, "policy", SCHEMA_REQUIRED, oci_scheduler_policies),
    NUMBER(struct oci_scheduler, nice, "nice", 0, -20, 19),
    NUMBER(struct oci_scheduler, priority, "priority", 0, 0, 99),
    FLAGS(struct oci_scheduler, flags, "flags", oci_scheduler_flags),
    NUMBER(struct oci_scheduler, runtime, "runtime", 0, 0, INT64_MAX),
    NUMBER(struct oci_scheduler, deadline, "deadline", 0, 0, INT64_MAX),
    NUMBER(struct oci_scheduler, period, "period", 0, 0, INT64_MAX),
    {0},
};

static const struct schema io_priority_fields[] = {
    CHOICE(struct oci_io_priority, class, "class", SCHEMA_REQUIRED, oci_io_classes),
    NUMBER(struct oci_io_priority, priority, "priority", SCHEMA_REQUIRED, 0, 7),
    {0},
};

static const struct schema cpu_affinity_fields[] = {
    STRING(struct oci_cpu_affinity, initial, "initial", SCHEMA_NOT_EMPTY),
    STRING(struct oci_cpu_affinity, final, "final", SCHEMA_NOT_EMPTY),
    {0},
};

const struct schema oci_process_fields[] = {
    BOOL(struct oci_process, terminal, "terminal"),
    OBJECT(struct oci_process, console_size, "consoleSize", 0, box_fields),
    OBJECT(struct oci_process, user, "user", 0, user_fields),
    STRINGS(struct oci_process, args, "args", SCHEMA_NOT_EMPTY),
    STRINGS(struct oci_process, env, "env", 0),
    STRING(struct oci_process, cwd, "cwd", SCHEMA_REQUIRED | SCHEMA_NOT_EMPTY | SCHEMA_ABSOLUTE),
    OBJECT(struct oci_process, capabilities, "capabilities", 0, capabilities_fields),
    LIST(struct oci_process, rlimits, "rlimits", rlimit_fields, struct oci_rlimit),
    BOOL(struct oci_process, no_new_privileges, "noNewPrivileges"),
    STRING(struct oci_process, apparmor_profile, "apparmorProfile", 0),
    STRING(struct oci_process, selinux_label, "selinuxLabel", 0),
    NUMBER(struct oci_process, oom_score_adj, "oomScoreAdj", 0, -1000, 1000),
    OBJECT(struct oci_process, scheduler, "scheduler", 0, scheduler_fields),
    OBJECT(struct oci_process, io_priority, "ioPriority", 0, io_priority_fields),
    OBJECT(struct oci_process, exec_cpu_affinity, "execCPUAffinity", 0, cpu_affinity_fields),
    {0},
};

static const struct schema root_fields[] = {
    STRING(struct oci_root, path, "path", SCHEMA_REQUIRED | SCHEMA_NOT_EMPTY),
    BOOL(struct oci_root, readonly, "readonly"),
    {0},
};

const struct schema oci_id_map_fields[] = {
    NUMBER(struct oci_id_map, container_id, "containerID", SCHEMA_REQUIRED, 0, ID_MAX),
    NUMBER(struct oci_id_map, host_id, "hostID", SCHEMA_REQUIRED, 0, ID_MAX),
    NUMBER(struct oci_id_map, size, "size", SCHEMA_REQUIRED, 1, UINT32_MAX),
    {0},
};

static const struct schema mount_fields[] = {
    STRING(struct oci_mount, destination, "destination", SCHEMA_REQUIRED | SCHEMA_NOT_EMPTY),
    STRING(struct oci_mount, type, "type", 0),
    STRING(struct oci_mount, source, "source", 0),
    STRINGS(struct oci_mount, options, "options", 0),
    LIST(struct oci_mount, uid_mappings, "uidMappings", oci_id_map_fields, struct oci_id_map),
    LIST(struct oci_mount, gid_mappings, "gidMappings", oci_id_map_fields, struct oci_id_map),
    {0},
};

static const struct schema hook_fields[] = {
    STRING(struct oci_hook, path, "path", SCHEMA_REQUIRED | SCHEMA_ABSOLUTE),
    STRINGS(struct oci_hook, args, "args", 0),
    STRINGS(struct oci_hook, env, "env", 0),
    NUMBER(struct oci_hook, timeout, "timeout", 0, 1, INT32_MAX),
    {0},
};

static const struct schema hooks_fields[] = {
    LIST(struct oci_hooks, prestart, "prestart", hook_fields, struct oci_hook),
    LIST(struct oci_hooks, create_runtime, "createRuntime", hook_fields, struct oci_hook),
    LIST(struct oci_hooks, create_container, "createContainer", hook_fields, struct oci_hook),
    LIST(struct oci_hooks, start_container, "startContainer", hook_fields, struct oci_hook),
    LIST(struct oci_hooks, poststart, "poststart", hook_fields, struct oci_hook),
    LIST(struct oci_hooks, poststop, "poststop", hook_fields, struct oci_hook),
    {0},
};

const struct schema oci_config_fields[] = {
    STRING(struct oci_config, version, "ociVersion", SCHEMA_REQUIRED | SCHEMA_NOT_EMPTY),
    OBJECT(struct oci_config, process, "process", 0, oci_process_fields),
    OBJECT(struct oci_config, root, "root", SCHEMA_REQUIRED, root_fields),
    STRING(struct oci_config, hostname, "hostname", 0),
    STRING(struct oci_config, domainname, "domainname", 0),
    LIST(struct oci_config, mounts, "mounts", mount_fields, struct oci_mount),
    OBJECT(struct oci_config, hooks, "hooks", 0, hooks_fields),
    MAP(struct oci_config, annotations, "annotations", NULL, struct oci_pair),
    OBJECT(struct oci_config, linux_part, "linux", 0, oci_linux_fields),
    {0},
};
