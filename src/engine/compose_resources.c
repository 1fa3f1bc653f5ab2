/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and devices of a container (compose_resources.h). Numbers come from the plan, which the practices have settled. */
#include "engine/compose_resources.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/blockdev.h"
#include "base/identity.h"
#include "base/ids.h"
#include "plan/io.h"
#include "practices/device_judge.h"

#define CPU_PERIOD_US 100000
#define NANO_PER_PROCESSOR UINT64_C(1000000000)
#define DEV "/dev/"

int compose_limits(const struct plan *p, struct spec_resources *ret, struct err *e)
{
    ret->memory = p->memory;
    ret->memory_swap = p->memory_swap == PLAN_UNSET ? p->memory : p->memory_swap;
    ret->memory_reservation = p->memory_reservation;
    ret->memory_swappiness = p->memory_swappiness;
    ret->pids = p->pids;
    ret->cpu_shares = p->cpu_shares;
    ret->blkio_weight = p->blkio_weight;
    if (p->cpus_nano != PLAN_UNSET) {
        ret->cpu_period_us = p->cpu_period_us == PLAN_UNSET ? CPU_PERIOD_US : p->cpu_period_us;
        ret->cpu_quota_us =
            (uint64_t)((unsigned __int128)p->cpus_nano * ret->cpu_period_us / NANO_PER_PROCESSOR);
    }
    int r = str_copy(p->cpuset_cpus, &ret->cpuset_cpus, e);
    return r < 0 ? r : str_copy(p->cpuset_mems, &ret->cpuset_mems, e);
}

/* The entry of a disk, made when it is new. */
static struct spec_io *find_io(struct spec_resources *r, dev_t disk, struct err *e)
{
    for (size_t i = 0; i < r->io_count; i++)
        if (r->io[i].disk == disk)
            return &r->io[i];
    if (r->io_count == SPEC_IO_MAX) {
        err_set(e, E2BIG, "more than %d disks with limits of block I/O", SPEC_IO_MAX);
        return NULL;
    }
    struct spec_io *io = &r->io[r->io_count++];
    *io = (struct spec_io){disk, SPEC_UNSET, SPEC_UNSET, SPEC_UNSET, SPEC_UNSET, SPEC_UNSET, false};
    return io;
}

static int add_named(const char *entry, struct spec_resources *r, struct err *e)
{
    struct stat st;
    _cleanup_plan_io_ struct plan_io io = {0};
    int result = plan_io_parse(entry, &io, e);
    if (result < 0)
        return result;
    if (stat(io.path, &st) < 0)
        return err_errno(e, "disk %s", io.path);
    if (!S_ISBLK(st.st_mode))
        return err_set(e, ENOTBLK, "%s is not a disk", io.path);
    struct spec_io *target = find_io(r, blockdev_disk(st.st_rdev), e);
    if (!target)
        return -e->code;
    uint64_t *const members[PLAN_IO_KINDS] = {[PLAN_IO_READ_BPS] = &target->read_bps,
                                              [PLAN_IO_WRITE_BPS] = &target->write_bps,
                                              [PLAN_IO_READ_IOPS] = &target->read_iops,
                                              [PLAN_IO_WRITE_IOPS] = &target->write_iops,
                                              [PLAN_IO_WEIGHT] = &target->weight};
    *members[io.kind] = io.number;
    target->asked = true;
    return 0;
}

int compose_io(const struct store *s, const struct plan *p, struct spec_resources *ret, struct err *e)
{
    dev_t disk;
    struct err ignored = {0};
    if (blockdev_of_file(s->containers, &disk, &ignored) > 0) {
        struct spec_io *own = find_io(ret, disk, e);
        if (!own)
            return -e->code;
        own->read_bps = p->read_bps;
        own->write_bps = p->write_bps;
        own->read_iops = p->read_iops;
        own->write_iops = p->write_iops;
    }
    int r = 0;
    for (size_t i = 0; i < p->io.count && r == 0; i++)
        r = add_named(p->io.items[i], ret, e);
    return r;
}

static int add_device(const char *entry, struct spec_resources *r, struct err *e)
{
    struct stat st;
    _cleanup_plan_device_ struct plan_device d = {0};
    int result = plan_device_parse(entry, &d, e);
    if (result == 0)
        result = device_check(&d, e);
    if (result < 0)
        return result;
    if (stat(d.source, &st) < 0)
        return err_errno(e, "--device %s", d.source);
    if (r->device_count == SPEC_DEVICES_MAX)
        return err_set(e, E2BIG, "more than %d devices", SPEC_DEVICES_MAX);
    struct spec_device *target =
        &r->devices[r->device_count++]; /* a half-made one is freed with the others */
    *target = (struct spec_device){
        .mode = (d.type == 'b' ? S_IFBLK : S_IFCHR) | (st.st_mode & 0777),
        .group = st.st_gid < IDS_BLOCK_SIZE ? st.st_gid : 0,
        .number = makedev(d.major_number, d.minor_number),
        .read = d.read,
        .write = d.write,
    };
    return str_copy(str_after(d.target, DEV), &target->target, e);
}

int compose_devices(const struct plan *p, struct spec_resources *ret, struct err *e)
{
    int r = 0;
    if (p->devices.count && identity_rootless())
        return err_set(e, ENOTSUP, "--device: only root's containers can be given devices");
    for (size_t i = 0; i < p->devices.count && r == 0; i++)
        r = add_device(p->devices.items[i], ret, e);
    return r;
}

int compose_oom_score_adj(const struct plan *p)
{
    return p->oom_score_adj == PLAN_SCORE_UNSET ? COMPOSE_OOM_SCORE_ADJ : (int)p->oom_score_adj;
}
