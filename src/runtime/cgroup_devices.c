/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which devices the processes of a group may open (cgroup_limits.h): on v1 the devices controller, on v2 a program of the kernel's that is asked at each
 * open and mknod (BPF_PROG_TYPE_CGROUP_DEVICE, bpf(2)). Nodes can only be made by the engine, so this is the second lock; it is the only one that
 * keeps apart who may read and who may write a node that was granted.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/identity.h"
#include "base/io.h"
#include "runtime/cgroup_limits.h"
#include "runtime/device_program.h"

#define READ_WRITE (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)

/* null, zero, full, random, urandom, tty, ptmx and the pty slaves of runtime/devices.c: read and write, never mknod */
static const struct device_rule common[] = {
    {true, 'c', 1, 3, READ_WRITE}, {true, 'c', 1, 5, READ_WRITE},           {true, 'c', 1, 7, READ_WRITE},
    {true, 'c', 1, 8, READ_WRITE}, {true, 'c', 1, 9, READ_WRITE},           {true, 'c', 5, 0, READ_WRITE},
    {true, 'c', 5, 2, READ_WRITE}, {true, 'c', 136, DEVICE_ANY, READ_WRITE}};

static struct device_rule rule_of(const struct spec_device *d)
{
    return (struct device_rule){
        .allow = true,
        .type = S_ISBLK(d->mode) ? 'b' : 'c',
        .access =
            (d->read ? (uint32_t)BPF_DEVCG_ACC_READ : 0) | (d->write ? (uint32_t)BPF_DEVCG_ACC_WRITE : 0),
        .major_number = major(d->number),
        .minor_number = minor(d->number),
    };
}

static int restrict_v1(int dir, const struct spec_resources *resources, struct err *e)
{
    int r = io_write_existing_at(dir, "devices.deny", "a", e);
    for (size_t i = 0; i < ARRAY_SIZE(common) && r == 0; i++)
        r = device_rule_write(dir, &common[i], e);
    for (size_t i = 0; i < resources->device_count && r == 0; i++) {
        const struct device_rule rule = rule_of(&resources->devices[i]);
        r = device_rule_write(dir, &rule, e);
    }
    return r;
}

static int restrict_v2(int dir, const struct spec_resources *resources, struct err *e)
{
    struct device_rule all[ARRAY_SIZE(common) + SPEC_DEVICES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(common); i++)
        all[n++] = common[i];
    for (size_t i = 0; i < resources->device_count; i++)
        all[n++] = rule_of(&resources->devices[i]);
    _cleanup_close_ int program = device_program_load(all, n, false, e);
    if (program < 0)
        return program;
    union bpf_attr attr = {
        .target_fd = (uint32_t)dir, .attach_bpf_fd = (uint32_t)program, .attach_type = BPF_CGROUP_DEVICE};
    return syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) < 0
               ? err_errno(e, "attach the program that judges devices")
               : 0;
}

/* Whether a device was granted in part, which nothing else enforces. */
static bool in_part(const struct spec_resources *resources)
{
    for (size_t i = 0; i < resources->device_count; i++)
        if (!resources->devices[i].read || !resources->devices[i].write)
            return true;
    return false;
}

int cgroup_restrict_devices(const struct cgroup *g, const struct spec_resources *resources, struct err *e)
{
    struct err failed = {0};
    if (g->dirs[CGROUP_DEVICES] >= 0)
        return restrict_v1(g->dirs[CGROUP_DEVICES], resources, e);
    if (g->unified < 0 || identity_rootless())
        return 0;
    int r = restrict_v2(g->unified, resources, &failed);
    if (r < 0 && in_part(resources)) {
        *e = failed;
        return r;
    }
    return 0;
}
