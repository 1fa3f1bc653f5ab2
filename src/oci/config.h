/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json of a bundle: the OCI runtime specification 1.0 to 1.3, its Linux part. The structures have the specification's members
 * under its names, in this project's spelling; what is not there is zero, NULL, or not `set`.
 *
 * Source of every field and its meaning: config.md and config-linux.md of the runtime specification.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "oci/schema.h"

#define OCI_SPEC_VERSION "1.3.0"   /* the newest of which everything is known */
#define OCI_CONFIG_MAX (16U << 20) /* bytes of config.json */
#define OCI_ABSENT (-1)            /* of a choice that is not there, where zero means something */

struct oci_box {
    bool set;
    struct schema_number height, width;
};

struct oci_user {
    bool set;
    struct schema_number uid, gid, umask;
    struct schema_list additional_gids; /* int64_t */
};

/* Lists of capabilities by name; unknown ones are skipped with a warning, as the specification wants it of newer kernels' names. */
struct oci_capabilities {
    bool set;
    struct schema_list bounding, effective, inheritable, permitted, ambient; /* const char * */
};

struct oci_rlimit {
    int type;                        /* RLIMIT_* */
    struct schema_number soft, hard; /* INT64_MAX: without limit */
};

struct oci_scheduler {
    bool set;
    int policy; /* SCHED_* */
    struct schema_number nice, priority, runtime, deadline, period;
    uint64_t flags; /* SCHED_FLAG_* */
};

struct oci_io_priority {
    bool set;
    int class; /* IOPRIO_CLASS_* */
    struct schema_number priority;
};

struct oci_cpu_affinity {
    bool set;
    const char *initial, *final; /* lists of processors: "0-3,7" */
};

struct oci_process {
    bool set;
    bool terminal;
    struct oci_box console_size;
    struct oci_user user;
    struct schema_list args, env; /* const char * */
    const char *cwd;
    struct oci_capabilities capabilities;
    struct schema_list rlimits; /* struct oci_rlimit */
    bool no_new_privileges;
    const char *apparmor_profile, *selinux_label;
    struct schema_number oom_score_adj;
    struct oci_scheduler scheduler;
    struct oci_io_priority io_priority;
    struct oci_cpu_affinity exec_cpu_affinity;
};

struct oci_root {
    bool set;
    const char *path;
    bool readonly;
};

struct oci_id_map {
    struct schema_number container_id, host_id, size;
};

struct oci_mount {
    const char *destination, *type, *source;
    struct schema_list options;                    /* const char * */
    struct schema_list uid_mappings, gid_mappings; /* struct oci_id_map */
};

struct oci_hook {
    const char *path;
    struct schema_list args, env; /* const char * */
    struct schema_number timeout; /* seconds */
};

/* Lists of struct oci_hook. */
struct oci_hooks {
    bool set;
    struct schema_list prestart, create_runtime, create_container, start_container, poststart, poststop;
};

/* An item of an object of strings. */
struct oci_pair {
    const char *key, *value;
};

struct oci_namespace {
    int type; /* CLONE_NEW* */
    const char *path;
};

struct oci_device {
    const char *path;
    int type; /* S_IFCHR, S_IFBLK, S_IFIFO */
    struct schema_number major, minor, file_mode, uid, gid;
};

struct oci_net_device {
    const char *key; /* its name on the host */
    const char *name;
};

struct oci_time_offset {
    const char *key; /* "monotonic" or "boottime" */
    struct schema_number secs, nanosecs;
};

struct oci_personality {
    bool set;
    int domain; /* PER_* */
    struct schema_list flags;
};

struct oci_seccomp {
    bool set;
    int default_action; /* read again by the compiler; here to tell a document that has none */
    uint64_t flags;     /* SECCOMP_FILTER_FLAG_* */
    const char *listener_path, *listener_metadata;
};

struct oci_device_rule {
    bool allow;
    const char *type;                  /* "a", "b", "c"; NULL: as "a" */
    struct schema_number major, minor; /* absent or -1: any */
    const char *access;                /* of r, w, m */
};

struct oci_memory {
    bool set;
    struct schema_number limit, reservation, swap, kernel, kernel_tcp, swappiness;
    bool disable_oom_killer, use_hierarchy, check_before_update;
};

struct oci_cpu {
    bool set;
    struct schema_number shares, quota, burst, period, realtime_runtime, realtime_period, idle;
    const char *cpus, *mems;
};

struct oci_pids {
    bool set;
    struct schema_number limit;
};

struct oci_weight_device {
    struct schema_number major, minor, weight, leaf_weight;
};

struct oci_throttle_device {
    struct schema_number major, minor, rate;
};

struct oci_block_io {
    bool set;
    struct schema_number weight, leaf_weight;
    struct schema_list weight_device;                              /* struct oci_weight_device */
    struct schema_list read_bps, write_bps, read_iops, write_iops; /* struct oci_throttle_device */
};

struct oci_hugepage_limit {
    const char *page_size;
    struct schema_number limit;
};

struct oci_interface_priority {
    const char *name;
    struct schema_number priority;
};

struct oci_network {
    bool set;
    struct schema_number class_id;
    struct schema_list priorities; /* struct oci_interface_priority */
};

struct oci_rdma {
    const char *key; /* the device */
    struct schema_number handles, objects;
};

struct oci_resources {
    bool set;
    struct schema_list devices; /* struct oci_device_rule */
    struct oci_memory memory;
    struct oci_cpu cpu;
    struct oci_pids pids;
    struct oci_block_io block_io;
    struct schema_list hugepage_limits; /* struct oci_hugepage_limit */
    struct oci_network network;
    struct schema_list rdma;    /* struct oci_rdma */
    struct schema_list unified; /* struct oci_pair */
};

struct oci_linux {
    bool set;
    struct schema_list uid_mappings, gid_mappings; /* struct oci_id_map */
    struct schema_list sysctl;                     /* struct oci_pair */
    struct oci_resources resources;
    const char *cgroups_path;
    struct schema_list namespaces;  /* struct oci_namespace */
    struct schema_list devices;     /* struct oci_device */
    struct schema_list net_devices; /* struct oci_net_device */
    struct oci_seccomp seccomp;
    struct json_object *seccomp_json; /* the same as it was written, NULL when there is none */
    int rootfs_propagation; /* MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE, with MS_REC; 0: absent */
    struct schema_list masked_paths, readonly_paths; /* const char * */
    const char *mount_label;
    struct json_object *intel_rdt, *memory_policy; /* refused when they are there */
    struct oci_personality personality;
    struct schema_list time_offsets; /* struct oci_time_offset */
};

struct oci_config {
    struct json_object *document; /* owned: all strings are its */
    const char *version;
    struct oci_process process;
    struct oci_root root;
    const char *hostname, *domainname;
    struct schema_list mounts; /* struct oci_mount */
    struct oci_hooks hooks;
    struct schema_list annotations; /* struct oci_pair */
    struct oci_linux linux_part;
};

/* Reads and judges a whole configuration: each field by itself and those that must fit together. On success *ret belongs to the caller
 * (oci_config_clear). -EINVAL names the field; -ENOTSUP what this kernel or this runtime does not have. */
int oci_config_read(const char *text, size_t length, struct oci_config *ret, struct err *e);

void oci_config_clear(struct oci_config *c);
#define _cleanup_oci_config_ _cleanup_(oci_config_clear)

/* The document of `exec --process FILE`: one process, of which the strings belong to *ret_document. */
int oci_process_read(const char *text, size_t length, struct oci_process *ret,
                     struct json_object **ret_document, struct err *e);
void oci_process_clear(struct oci_process *p);

/* The document of `update --resources FILE`. */
int oci_resources_read(const char *text, size_t length, struct oci_resources *ret,
                       struct json_object **ret_document, struct err *e);
void oci_resources_clear(struct oci_resources *r);

/* True when it limits something besides devices. */
bool oci_resources_limit(const struct oci_resources *r);

/* The namespace of a type (CLONE_NEW*), NULL when the configuration has none. */
const struct oci_namespace *oci_config_namespace(const struct oci_config *c, int type);

/* The value of an annotation, NULL when there is none. */
const char *oci_config_annotation(const struct oci_config *c, const char *key);

/* Item i of a list of T. */
#define OCI_ITEM(list, T, i) (&((const T *)(list)->items)[i])

/* Words of the specification, for `features` and for errors. */
extern const struct schema_choice oci_namespace_types[]; /* CLONE_NEW* */
extern const struct schema_choice oci_rlimit_types[];    /* RLIMIT_* */
extern const struct schema_choice oci_seccomp_flags[];   /* SECCOMP_FILTER_FLAG_* */
