/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan of a container: what the user asked for, then tightened or refused by the fourteen practices, then kept for good
 * as containers/<id>/plan.json ("version": 1). It holds words and numbers, no descriptors and no host ids: those are
 * made anew at each start (engine/compose.c turns a plan into a runtime/spec.h).
 *
 * Every relaxation of a default is a grant: it names its practice, what it grants and where it came from, and is shown by
 * `explain` and kept in the audit log.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/str.h"

#define PLAN_VERSION 1
#define PLAN_MOUNTS_MAX 128
#define PLAN_ULIMITS_MAX 16
#define PLAN_NAME_MAX 128
#define PLAN_PRACTICES 14
#define PLAN_UNSET UINT64_MAX /* a number that the user has not given */
#define PLAN_SCORE_UNSET INT64_MAX

enum plan_mount_type {
    PLAN_MOUNT_BIND,
    PLAN_MOUNT_VOLUME, /* source is the volume's name; NULL: anonymous, gets a name at create */
    PLAN_MOUNT_TMPFS,
};

struct plan_mount {
    enum plan_mount_type type;
    char *source;   /* absolute host path, volume name, or NULL */
    char *target;   /* absolute path in the container */
    bool anonymous; /* volume: named by us, goes with the container */
    bool read_only;
    bool noexec;
    bool exec;                      /* tmpfs only: `exec` was asked for (default noexec, as Docker) */
    bool no_copy;                   /* volume-nocopy: do not fill a new volume from the image */
    bool relabel;                   /* :z or :Z: an SELinux label was asked for */
    bool make_source;               /* -v: a missing bind source is made; --mount: it is an error */
    char *subpath;                  /* volume: only this directory or file of it; NULL: all */
    struct str_list volume_options; /* volume: KEY=VALUE for one that is made (size=1g) */
    struct str_list volume_labels;  /* volume: KEY=VALUE for one that is made */
    uint64_t size;                  /* tmpfs: bytes, PLAN_UNSET: default */
    uint32_t mode;                  /* tmpfs: permissions, 0: 01777 */
    uint32_t uid, gid;              /* tmpfs: owner inside the container */
};

struct plan_ulimit {
    char name[16];       /* as Docker: nofile, nproc, core … */
    uint64_t soft, hard; /* UINT64_MAX - 1: unlimited (-1 on the command line) */
};

#define PLAN_UNLIMITED (UINT64_MAX - 1)

enum plan_profile { PLAN_STANDARD, PLAN_STRICT, PLAN_COMPAT };
enum plan_pull { PLAN_PULL_MISSING, PLAN_PULL_ALWAYS, PLAN_PULL_NEVER };

struct plan_grant {
    int practice;
    char *what;      /* "capability CHOWN", "memory 8589934592" */
    char *source;    /* "--cap-add CHOWN", "policy: casemate.conf:12", "known image postgres" */
    uint64_t record; /* its number in the audit log; 0: not recorded yet */
};

struct plan {
    /* who */
    char id[ID_LENGTH + 1];
    char *name;
    char *image_reference; /* as the user wrote it */
    char image_id[ID_LENGTH + 1];
    int64_t created; /* ns since the epoch */
    uint64_t
        owner; /* the user who made it: the one who logged in, or whose process it was; PLAN_UNSET: not recorded */
    enum plan_profile profile;
    bool profile_given; /* --profile; otherwise the policy's takes its place */

    /* the process; before `plan_merge_image` what the command line says, afterwards what runs */
    struct str_list entrypoint;
    bool entrypoint_given; /* --entrypoint "" clears the image's */
    struct str_list command;
    struct str_list env; /* NAME=VALUE, resolved */
    char *user;          /* NULL: the image's; NAME|UID[:GROUP|GID] */
    struct str_list group_add;
    char *working_dir;
    char *hostname; /* NULL: first 12 of the id */
    char *domainname;
    bool tty, open_stdin, init;
    bool auto_remove;
    char *stop_signal;      /* NULL: the image's, else SIGTERM */
    uint64_t stop_timeout;  /* seconds; PLAN_UNSET: 10 */
    struct str_list labels; /* KEY=VALUE */

    /* how it is kept alive; numbers are PLAN_UNSET until the image is merged, then what holds */
    char *restart; /* plan/restart.h; NULL: no. `update` changes it in engine/live.h, not here */
    struct str_list health_test;  /* Docker's: CMD ARG…, CMD-SHELL COMMAND, NONE; empty: the image's */
    struct str_list health_shell; /* what runs a CMD-SHELL; empty: /bin/sh -c */
    uint64_t health_interval, health_timeout, health_start_period, health_start_interval; /* nanoseconds */
    uint64_t health_retries;

    /* files */
    struct plan_mount *mounts;
    size_t mount_count;
    struct str_list
        volumes_from; /* CONTAINER[:MODE]; their mounts are among `mounts` since the container was made */
    bool read_only;

    /* where its output is logged (plan/log_options.h) */
    char *log_driver;             /* NULL: the policy's */
    struct str_list log_options;  /* KEY=VALUE as given */
    uint64_t log_size, log_files; /* bytes of one file, and how many; PLAN_UNSET until practice 13 has run */
    bool log_forget;              /* nothing of the log stays when the container is removed */

    /* limits: PLAN_UNSET means "the practice's default" until practice 4 has run */
    uint64_t memory;      /* bytes */
    uint64_t memory_swap; /* bytes of memory + swap together, as Docker */
    uint64_t cpus_nano;   /* 1e9 = one processor */
    char *cpuset_cpus;
    uint64_t pids;
    uint64_t shm_size;
    struct str_list storage_opt; /* as given: size=10g, inodes=100000 */
    uint64_t disk, disk_inodes;  /* of the writable layer: bytes and files */
    uint64_t memory_reservation; /* bytes */
    uint64_t memory_swappiness;  /* 0..100 */
    uint64_t cpu_period_us;      /* of the limit `cpus_nano`; PLAN_UNSET: 100 ms */
    uint64_t cpu_shares;         /* weight among containers, 2..262144 */
    char *cpuset_mems;
    int64_t oom_score_adj; /* PLAN_SCORE_UNSET: the policy's */
    uint64_t blkio_weight; /* 10..1000 */
    /* Of the disk that holds the container's files. */
    uint64_t read_bps, write_bps, read_iops, write_iops;
    struct str_list io; /* of disks that are named: "KIND PATH NUMBER" (plan/io.h) */
    struct plan_ulimit ulimits[PLAN_ULIMITS_MAX];
    size_t ulimit_count;

    /* privileges */
    struct str_list cap_add, cap_drop; /* as given; practice 6 turns them into `capabilities` */
    uint64_t capabilities;             /* bit set that the container gets */
    struct str_list security_opt;      /* as given; practices 5, 6, 7 and 11 read theirs */
    char *seccomp_profile;             /* JSON text of --security-opt seccomp=FILE; NULL: the default */
    char *apparmor_profile;            /* NULL: Casemate's own where AppArmor is */
    struct str_list sysctls;           /* NAME=VALUE */
    char *network;                     /* none or host; NULL: none */
    struct str_list devices;           /* plan/device.h */
    char *pid_mode,
        *ipc_mode; /* NULL: private; container:NAME, from create on container:ID; ipc: none, shareable */

    /* names and descriptions */
    struct str_list hosts;                        /* NAME=IP: lines of /etc/hosts */
    struct str_list dns, dns_search, dns_options; /* of /etc/resolv.conf */
    struct str_list expose;                       /* PORT/PROTOCOL; nothing is opened */
    struct str_list annotations;                  /* KEY=VALUE, kept and never interpreted */

    /* what the practices did */
    struct plan_grant *grants;
    size_t grant_count;
    struct str_list notes; /* lines that the command prints once, to stderr */
};

/* Limits and the time-out PLAN_UNSET, everything else empty. */
void plan_init(struct plan *p);
void plan_clear(struct plan *p);
#define _cleanup_plan_ _cleanup_(plan_clear)

/* Adds an empty mount and returns it; NULL with e set when there are PLAN_MOUNTS_MAX. */
struct plan_mount *plan_add_mount(struct plan *p, enum plan_mount_type type, struct err *e);

void plan_clear_grants(struct plan *p);
int plan_add_grant(struct plan *p, int practice, const char *what, const char *source, struct err *e);

/* "standard", "strict", "compat". */
const char *plan_profile_name(enum plan_profile profile);

/* The user's number and, unless it is a name or not given, the group's ((uint32_t)-1). False when the user is given by name or not at all. */
bool plan_user_numbers(const struct plan *p, uint32_t *ret_uid, uint32_t *ret_gid);

/* The container has the host's network namespace. */
static inline bool plan_shares_network(const struct plan *p)
{
    return p->network && str_equal(p->network, "host");
}

/* The JSON document of a plan, and back. Reading is strict: unknown versions and members of a wrong type are errors. Writing refuses
 * text that is not UTF-8 (-EILSEQ). */
struct json_object;
int plan_to_json(const struct plan *p, struct json_object **ret_json, struct err *e);
int plan_from_json(struct json_object *json, struct plan *ret_plan, struct err *e);

/* The limits that `casemate update` changes, and the grants, as a document of their own; reading it replaces those of `p` (half replaced on
 * failure). */
int plan_limits_to_json(const struct plan *p, struct json_object **ret_json, struct err *e);
int plan_limits_from_json(struct json_object *json, struct plan *p, struct err *e);
