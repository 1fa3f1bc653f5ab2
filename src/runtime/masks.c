/* SPDX-License-Identifier: Apache-2.0 */
/* Masked and read-only paths (masks.h). */
#include "runtime/masks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "runtime/fsmount.h"

/* Files of /proc whose content tells about the host or its kernel, or acts on it. */
static const char *const masked_proc[] = {
    "acpi",
    "asound",
    "bus",
    "buddyinfo",
    "cmdline",
    "config.gz",
    "consoles",
    "diskstats",
    "driver",
    "dma",
    "execdomains",
    "fb",
    "fs",
    "interrupts",
    "iomem",
    "ioports",
    "irq",
    "kallsyms",
    "kcore",
    "key-users",
    "keys",
    "kmsg",
    "kpagecgroup",
    "kpagecount",
    "kpageflags",
    "latency_stats",
    "locks",
    "mdstat",
    "misc",
    "modules",
    "mtd",
    "mtrr",
    "pagetypeinfo",
    "partitions",
    "pressure",
    "sched_debug",
    "schedstat",
    "scsi",
    "slabinfo",
    "softirqs",
    "swaps",
    "sysrq-trigger",
    "timer_list",
    "timer_stats",
    "tty",
    "vmallocinfo",
    "vmstat",
    "zoneinfo",
    "dynamic_debug",
    "version_signature",
};

/* Writable knobs stay readable: programs look at sys/kernel and sys/net/core/somaxconn. */
static const char *const read_only_proc[] = {"sys"};

/* Directories of /sys that describe the host's hardware, its firmware or its kernel. What programs need stays: devices/system/cpu and
 * node (processors, memory nodes), kernel/mm (huge pages), fs/cgroup, class/net of the own network namespace. */
static const char *const masked_sys[] = {
    "block",
    "bus",
    "class/block",
    "class/dmi",
    "class/hwmon",
    "class/thermal",
    "class/power_supply",
    "devices/virtual/dmi",
    "devices/virtual/powercap",
    "devices/virtual/thermal",
    "devices/virtual/block",
    "devices/platform",
    "devices/pci0000:00",
    "devices/LNXSYSTM:00",
    "dev",
    "firmware",
    "fs/bpf",
    "fs/ext4",
    "fs/selinux",
    "hypervisor",
    "kernel/boot_params",
    "kernel/btf",
    "kernel/config",
    "kernel/debug",
    "kernel/notes",
    "kernel/security",
    "kernel/slab",
    "kernel/tracing",
    "kernel/vmcoreinfo",
    "kernel/uevent_seqnum",
    "kernel/reboot",
    "kernel/livepatch",
    "kernel/iommu_groups",
    "kernel/irq",
    "module",
    "power",
};

/* One empty read-only directory covers all masked directories: cloned for each. */
static int make_empty(struct err *e)
{
    static const char *const options[] = {"size=4k", "nr_inodes=1", "mode=555", NULL};
    return fsmount_new("tmpfs", options,
                       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, e);
}

/* A detached copy of `source`; where the kernel cannot copy a detached mount (before 6.15) the caller has it attached. */
static int cover(int base, const char *name, int null_fd, int empty_fd, struct err *e)
{
    struct err absent = {0};
    _cleanup_close_ int target = path_open_beneath(base, name, O_PATH, 0, &absent);
    if (target < 0)
        return 0; /* this kernel does not have it */
    struct stat st;
    if (fstat(target, &st) < 0)
        return err_errno(e, "stat %s", name);
    if (S_ISLNK(st.st_mode))
        return 0;
    _cleanup_close_ int copy = fsmount_clone(S_ISDIR(st.st_mode) ? empty_fd : null_fd, 0, e);
    int r = copy < 0 ? copy : fsmount_attach(copy, target, e);
    return r < 0 ? err_wrap(e, "mask %s", name) : 0;
}

static int make_read_only(int base, const char *name, struct err *e)
{
    struct err absent = {0};
    _cleanup_close_ int target = path_open_beneath(base, name, O_PATH, 0, &absent);
    if (target < 0)
        return 0;
    _cleanup_close_ int copy = fsmount_clone(target, 0, e);
    int r =
        copy < 0
            ? copy
            : fsmount_set(copy, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                          false, -1, e);
    if (r == 0)
        r = fsmount_attach(copy, target, e);
    return r < 0 ? err_wrap(e, "make %s read-only", name) : 0;
}

int masks_apply(int proc_fd, int sys_fd, int dev_fd, struct err *e)
{
    /* Our own /dev, where it may be a mount. */
    _cleanup_close_ int null_fd = openat(dev_fd, "null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (null_fd < 0)
        return err_errno(e, "open /dev/null");
    _cleanup_close_ int empty = make_empty(e);
    if (empty < 0)
        return empty;
    /* The first masked directory gets the mount itself, which attaches it; the rest get copies of an attached mount. */
    struct err absent = {0};
    _cleanup_close_ int first = path_open_beneath(proc_fd, "fs", O_PATH | O_DIRECTORY, 0, &absent);
    if (first < 0) {
        *e = absent;
        return first;
    }
    int r = fsmount_attach(empty, first, e);
    for (size_t i = 0; i < ARRAY_SIZE(masked_proc) && r == 0; i++)
        r = strcmp(masked_proc[i], "fs") == 0 ? 0 : cover(proc_fd, masked_proc[i], null_fd, empty, e);
    for (size_t i = 0; i < ARRAY_SIZE(masked_sys) && r == 0; i++)
        r = cover(sys_fd, masked_sys[i], null_fd, empty, e);
    for (size_t i = 0; i < ARRAY_SIZE(read_only_proc) && r == 0; i++)
        r = make_read_only(proc_fd, read_only_proc[i], e);
    return r;
}

static int add_paths(const char *mount, const char *const *names, size_t count, struct str_list *paths,
                     struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < count && r == 0; i++)
        r = str_list_addf(paths, e, "%s/%s", mount, names[i]);
    return r;
}

int masks_list(bool read_only, struct str_list *paths, struct err *e)
{
    if (read_only)
        return add_paths("/proc", read_only_proc, ARRAY_SIZE(read_only_proc), paths, e);
    int r = add_paths("/proc", masked_proc, ARRAY_SIZE(masked_proc), paths, e);
    return r < 0 ? r : add_paths("/sys", masked_sys, ARRAY_SIZE(masked_sys), paths, e);
}
