/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel is asked for, for one container: the OCI runtime specification's shape with descriptors in place of paths. The runtime
 * knows nothing of images, names or policy; whoever fills a spec has decided.
 *
 * Ownership: descriptors and strings belong to the spec (spec_clear), unless said otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "seccomp/tables.h"

#define SPEC_LAYERS_MAX 127
#define SPEC_UNSET UINT64_MAX           /* a limit that is not set */
#define SPEC_UNLIMITED (UINT64_MAX - 1) /* a limit that is taken away */
#define SPEC_FILTERS_MAX 4
#define SPEC_TEXTS_MAX 8
#define SPEC_IO_MAX 16
#define SPEC_DEVICES_MAX 64

struct spec_rlimit {
    int resource;
    struct rlimit limit;
};

/* How ids of a bind's source are seen in the container. */
enum spec_ids {
    SPEC_IDS_BLOCK, /* the source lies in the neutral range: the whole block (volumes, our own files) */
    SPEC_IDS_OWNER, /* the source's owner is the container's user; nobody else is known */
    SPEC_IDS_NONE,  /* no id is known: everything belongs to the overflow id */
};

enum spec_mount_kind { SPEC_MOUNT_BIND, SPEC_MOUNT_TMPFS };

struct spec_mount {
    enum spec_mount_kind kind;
    char *target;      /* absolute, resolved inside the root by the kernel */
    int source;        /* bind: O_PATH descriptor of what is mounted */
    enum spec_ids ids; /* bind */
    bool is_dir;       /* bind: what the target is made as when it is missing */
    int filled; /* bind of a volume that gets what the image has at the target, before anything runs: the descriptor that the
                        * supervisor is told about when that is done (supervise.c); -1: it is mounted as it is */
    bool take_owner;   /* filled: owner and mode even of an empty or missing directory */
    bool fill_sync;    /* filled: it is on the disk before anything runs */
    bool recursive;    /* bind: with what is mounted below it */
    uint64_t attr;     /* MOUNT_ATTR_*; NOSUID and NODEV are always added */
    uint64_t size;     /* tmpfs: bytes */
    uint32_t mode;     /* tmpfs */
    uint32_t uid, gid; /* tmpfs: owner inside */
};

/* A small file of the engine's in the view (runtime/textfiles.h). */
struct spec_text {
    char *target; /* absolute, resolved inside the root by the kernel */
    char *content;
};

/* Block I/O with one disk, in a second; SPEC_UNSET: not limited. */
struct spec_io {
    dev_t disk;
    uint64_t read_bps, write_bps, read_iops, write_iops;
    uint64_t weight; /* 10..1000 */
    bool asked;      /* by the user: a disk that cannot be limited is an error */
};

/* A device of the host's in the container's /dev. */
struct spec_device {
    char *target; /* below /dev, without it */
    mode_t mode;  /* of the node: type and permissions */
    gid_t group;  /* inside */
    dev_t number;
    bool read, write;
};

/* Limits of the control group. */
struct spec_resources {
    uint64_t memory;       /* bytes */
    uint64_t memory_swap;  /* memory and swap together, bytes (v1's memsw); v2: swap.max = this - memory */
    uint64_t cpu_quota_us; /* per period */
    uint64_t cpu_period_us;
    uint64_t pids;
    char *cpuset_cpus;
    char *cpuset_mems;
    uint64_t memory_reservation; /* bytes; SPEC_UNLIMITED: none any more */
    uint64_t memory_swappiness;
    uint64_t cpu_shares;   /* 2..262144 */
    uint64_t blkio_weight; /* 10..1000 */
    struct spec_io io[SPEC_IO_MAX];
    size_t io_count;
    struct spec_device devices[SPEC_DEVICES_MAX]; /* beyond those that every container has */
    size_t device_count;
};

/* What runs: shared by the first process and by exec. */
struct spec_process {
    struct str_list args;
    struct str_list env;
    char *cwd;
    char *user; /* "", NAME or UID, optionally :GROUP or :GID; resolved in the container's own files */
    struct str_list groups; /* additional, names or numbers */
    uint64_t capabilities;  /* bit set: bounding, and for uid 0 permitted and effective */
    bool terminal;
    struct spec_rlimit rlimits[RLIM_NLIMITS];
    size_t rlimit_count;
    const struct filter *filters[SPEC_FILTERS_MAX]; /* installed in this order; borrowed */
    size_t filter_count;
    struct filter *made_ceiling; /* owned: the one of `filters` that is not built in, or NULL */
    struct filter *
        own_filter; /* owned: the user's profile, installed last since it may refuse whatever installing needs; or NULL */
    char *apparmor;       /* profile for the exec, NULL: none */
    bool landlock;        /* second layer where the kernel has it */
    bool outside_sockets; /* abstract sockets of others are in its network: Landlock keeps it from them */
    bool root_read_only;  /* for Landlock: writes only below `writable` */
    int init;             /* descriptor of casemate-init, -1: none */
};

struct spec {
    uid_t block_first; /* the container's 65,536 ids on the host start here */
    uid_t shim_uid;    /* owner of the container's user namespace */
    uint32_t owner_uid,
        owner_gid; /* ids inside that are the caller's own, the owner of a bind (base/identity.h); 0: none */

    int layers[SPEC_LAYERS_MAX]; /* O_PATH directories in the neutral range, topmost first */
    size_t layer_count;
    int writable; /* directory with `upper` and `work`, in the neutral range */
    bool root_read_only;

    bool share_network; /* no network namespace of its own: the host's */
    int join; /* pidfd of another container's first process, whose user namespace is joined, and … */
    bool share_pid, share_ipc; /* … what is shared with it; -1: none is */
    char *hostname;
    char *domainname;
    struct spec_text texts[SPEC_TEXTS_MAX];
    size_t text_count;
    struct spec_mount *mounts;
    size_t mount_count;
    struct str_list sysctls; /* NAME=VALUE */
    uint64_t shm_size;       /* 0: no /dev/shm */
    int oom_score_adj;

    struct spec_process process;
    struct spec_resources resources;
};

void spec_resources_init(struct spec_resources *r);
void spec_resources_clear(struct spec_resources *r);
#define _cleanup_spec_resources_ _cleanup_(spec_resources_clear)

void spec_init(struct spec *s);
void spec_clear(struct spec *s);
#define _cleanup_spec_ _cleanup_(spec_clear)

void spec_process_init(struct spec_process *p);
void spec_process_clear(struct spec_process *p);

/* True when a volume is filled from the image. */
bool spec_fills(const struct spec *s);

/* Copies both strings. */
int spec_add_text(struct spec *s, const char *target, const char *content, struct err *e);

/* Appends a zeroed mount (descriptors -1). */
struct spec_mount *spec_add_mount(struct spec *s, enum spec_mount_kind kind, const char *target,
                                  struct err *e);
