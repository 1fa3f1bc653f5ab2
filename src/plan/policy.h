/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's policy: /etc/casemate/casemate.conf (docs/man/casemate.conf.5.scd). An absent file means the defaults,
 * which are all written in the shipped data/casemate.conf; an unknown section, key or value is an error with file and line.
 *
 * A policy consists of defaults (numbers that a container gets when nothing is asked for) and rights (what may be asked for,
 * or is given, beyond the practices). Each right remembers its line, which becomes the source of the grant in the plan.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "plan/plan.h"

#define POLICY_RIGHTS_MAX 512
#define POLICY_GRANTS_MAX 256
#define POLICY_REGISTRIES_MAX 64

enum policy_right_kind {
    POLICY_GIVE_CAPABILITY,      /* value: CAP_NAME or @switch-user; without a flag */
    POLICY_ALLOW_CAPABILITY,     /* value: CAP_NAME or ALL; may be asked for with --cap-add */
    POLICY_ALLOW_UNLIMITED,      /* value: memory, swap, pids */
    POLICY_ALLOW_HOST_PATH,      /* value: absolute path; it and what lies below may be a bind source */
    POLICY_ALLOW_APPARMOR,       /* value: name of a profile, or unconfined */
    POLICY_ALLOW_HOST_NAMESPACE, /* value: network */
    POLICY_ALLOW_DEVICE,         /* value: path of a device; may be asked for with --device */
    POLICY_ALLOW_ANNOTATION, /* value: casemate.grant.WHAT[=VALUE]; may be asked for in a bundle of the OCI runtime */
};

struct policy_right {
    enum policy_right_kind kind;
    char *value;
    char *source; /* "policy: casemate.conf:12" */
};

struct policy_rights {
    struct policy_right *items;
    size_t count;
};

/* [grant "PATTERN"]: rights for the images that the pattern names. */
struct policy_grant {
    char *pattern; /* policy_pattern_matches() */
    struct policy_rights rights;
};

/* [registry "HOST[:PORT]"] */
struct policy_registry {
    char *host;      /* lower case, as in struct reference */
    bool plain_http; /* HTTP without TLS; loopback only, as with --tls-verify=false */
    char *ca_file;   /* or NULL */
};

/* A number, or a share in percent of something. */
struct policy_share {
    uint64_t value; /* percent: 1..100 */
    bool percent;
};

/* What the machine has. */
struct policy_machine {
    uint64_t memory;     /* bytes */
    unsigned processors; /* online and allowed to us */
    uint64_t processes;  /* kernel.pid_max */
};

/* What becomes of the practices in containers that the OCI runtime is given. */
enum policy_runtime_mode {
    POLICY_RUNTIME_WARN,    /* they are as asked for; what a practice would have refused is recorded */
    POLICY_RUNTIME_OFF,     /* nothing */
    POLICY_RUNTIME_ENFORCE, /* what can be tightened is, the rest is refused */
};

struct policy_runtime {
    enum policy_runtime_mode practices;
    bool drop_capabilities; /* enforce: dangerous ones are taken away where they would be refused */
};

/* What annotations can grant: casemate.grant.WHAT. Ended by NULL. */
extern const char *const policy_runtime_grants[];

struct policy {
    enum plan_profile profile; /* used when no --profile is given */
    enum plan_profile least;   /* a weaker one is refused; order: compat < standard < strict */
    char *least_source;

    struct policy_share memory; /* of the machine */
    uint64_t memory_min;
    struct policy_share cpus; /* of the machine; a number is in 1e-9 processors */
    uint64_t pids;
    uint64_t read_bps, write_bps, read_iops, write_iops; /* of the disk; PLAN_UNLIMITED: none */
    uint64_t oom_score_adj; /* of every container, and the least that it may ask for */
    uint64_t shm_size;
    struct policy_share tmpfs_size; /* of the container's memory */
    struct plan_ulimit ulimits[PLAN_ULIMITS_MAX];
    size_t ulimit_count;
    struct policy_share reserve; /* of the machine: what all containers together leave to the host */
    uint64_t reserve_min;
    uint64_t disk, disk_inodes; /* of a writable layer: bytes, files */
    struct policy_share volume_disk,
        volume_inodes; /* of the data root's file system, for a volume without limits of its own */

    uint64_t expire_containers; /* ns after their end; 0: never */

    struct policy_runtime runtime;

    bool known_images;
    bool allow_root;                               /* uid 0 inside; strict refuses it whatever is said here */
    bool read_only;                                /* root file system */
    bool copy_in;                                  /* cp into containers */
    bool copy_out;                                 /* cp, export and commit out of containers */
    char *log_driver;                              /* NULL: json-file */
    uint64_t log_size;                             /* bytes of one file of a container's log */
    uint64_t log_files;                            /* how many */
    bool removed_logs;                             /* logs of removed containers are kept … */
    uint64_t removed_logs_days, removed_logs_size; /* … so long, and bytes of all together */
    char *allow_root_source;                       /* line of `allow-root = no`; NULL */

    struct policy_rights rights;
    struct policy_grant *grants;
    size_t grant_count;
    struct policy_registry *registries;
    size_t registry_count;

    struct policy_machine machine;
};

/* Defaults, and the facts of this machine. */
int policy_init(struct policy *ret_policy, struct err *e);
void policy_clear(struct policy *p);
#define _cleanup_policy_ _cleanup_(policy_clear)

/* policy_init, then dirs_conf(), then conf.d/NAME.conf beside it in the order of their names, later lines over earlier ones. Each file
 * must belong to root and be writable by nobody else, and so must conf.d. */
int policy_load(struct policy *ret_policy, struct err *e);
/* The same with the text of one file; `file` is its name in messages. */
int policy_parse(const char *file, const char *text, size_t length, struct policy *ret_policy, struct err *e);

/* Adds to `ret` the rights that hold for every container and those of each [grant] that matches one of `names`: full references
 * ("docker.io/library/postgres:15", "…@sha256:…") and digests ("sha256:…"). */
int policy_collect_rights(const struct policy *p, const struct str_list *names, struct policy_rights *ret,
                          struct err *e);

/* The shipped grants for well-known images (known-images.conf in dirs_data()): only capabilities, with "known image PATTERN" as source.
 * Absent: none. */
int policy_collect_known_images(const struct str_list *names, struct policy_rights *ret, struct err *e);

/* Whether a [grant] of the policy, or the known image (unless these are turned off), would give something to images of this full
 * reference: 1 or 0. */
int policy_has_grant(const struct policy *p, const char *name, struct err *e);

/* The right for exactly this value, or NULL. Borrowed. */
const struct policy_right *policy_rights_find(const struct policy_rights *rights, enum policy_right_kind kind,
                                              const char *value);

/* The registry's section, or NULL. Borrowed. */
const struct policy_registry *policy_registry_find(const struct policy *p, const char *host);

/* Bytes that all containers together may use. */
uint64_t policy_total_memory(const struct policy *p);

/* `percent` of whole when it is a share, else the value. */
uint64_t policy_share_of(const struct policy_share *share, uint64_t whole);

int policy_profile_parse(const char *text, enum plan_profile *ret_profile, struct err *e);

/*
 * Patterns of images: "sha256:…" is one image or manifest. Otherwise NAME[:TAG] with * and ? that do not match '/', short names meaning
 * what they mean in `run` ("postgres" is docker.io/library/postgres). Without a tag any tag or digest matches.
 */
int policy_pattern_expand(const char *text, char **ret_pattern, struct err *e);
bool policy_pattern_matches(const char *expanded, const char *name);

/* Adds a right; source may be NULL ("policy: FILE:LINE" is made by the reader). */
int policy_rights_add(struct policy_rights *rights, enum policy_right_kind kind, const char *value,
                      const char *source, struct err *e);
void policy_rights_clear(struct policy_rights *rights);
