/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules (cgroup.h): on v1 lines for the devices controller; on v2 one program that asks the rules from the last to the
 * first, because a later rule wins (BPF_PROG_TYPE_CGROUP_DEVICE, bpf(2)).
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "oci/cgroup.h"
#include "oci/cgroup_devices.h"
#include "oci/rootless.h"

#define ALL_ACCESS (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)

/* What a container always has, whatever the rules before said: config-linux.md, "Default Devices", pseudo terminals, and making nodes,
 * which the mount options of its file systems make harmless. */
static const struct device_rule always[] = {
    {true, 'c', DEVICE_ANY, DEVICE_ANY, BPF_DEVCG_ACC_MKNOD},
    {true, 'b', DEVICE_ANY, DEVICE_ANY, BPF_DEVCG_ACC_MKNOD},
    {true, 'c', 1, 3, ALL_ACCESS},
    {true, 'c', 1, 8, ALL_ACCESS},
    {true, 'c', 1, 7, ALL_ACCESS},
    {true, 'c', 5, 0, ALL_ACCESS},
    {true, 'c', 1, 5, ALL_ACCESS},
    {true, 'c', 1, 9, ALL_ACCESS},
    {true, 'c', 136, DEVICE_ANY, ALL_ACCESS},
    {true, 'c', 5, 2, ALL_ACCESS},
};

static int64_t number_of(const struct schema_number *n)
{
    return n->set ? n->value : DEVICE_ANY;
}

static struct device_rule rule_of(const struct oci_device_rule *d)
{
    const char *access = str_set(d->access) ? d->access : "rwm";
    return (struct device_rule){
        .allow = d->allow,
        .type = str_set(d->type) ? *d->type : 'a',
        .major_number = number_of(&d->major),
        .minor_number = number_of(&d->minor),
        .access = (strchr(access, 'r') ? (uint32_t)BPF_DEVCG_ACC_READ : 0) |
                  (strchr(access, 'w') ? (uint32_t)BPF_DEVCG_ACC_WRITE : 0) |
                  (strchr(access, 'm') ? (uint32_t)BPF_DEVCG_ACC_MKNOD : 0),
    };
}

/* In the place of the program that an earlier call has attached. */
static int attach(int dir, int program, struct err *e)
{
    uint32_t ids[16];
    union bpf_attr asked = {0};
    asked.query.target_fd = (uint32_t)dir;
    asked.query.attach_type = BPF_CGROUP_DEVICE;
    asked.query.prog_ids = (uint64_t)(uintptr_t)ids;
    asked.query.prog_cnt = ARRAY_SIZE(ids);
    uint32_t before = syscall(SYS_bpf, BPF_PROG_QUERY, &asked, sizeof(asked)) < 0 ? 0 : asked.query.prog_cnt;
    union bpf_attr attr = {.target_fd = (uint32_t)dir,
                           .attach_bpf_fd = (uint32_t)program,
                           .attach_type = BPF_CGROUP_DEVICE,
                           .attach_flags = BPF_F_ALLOW_MULTI};
    if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) < 0)
        return err_errno(e, "attach the program that judges devices");
    for (uint32_t i = 0; i < before && i < ARRAY_SIZE(ids); i++) {
        union bpf_attr by_id = {.prog_id = ids[i]};
        _cleanup_close_ int old = (int)syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &by_id, sizeof(by_id));
        union bpf_attr detach = {
            .target_fd = (uint32_t)dir, .attach_bpf_fd = (uint32_t)old, .attach_type = BPF_CGROUP_DEVICE};
        if (old >= 0)
            (void)syscall(SYS_bpf, BPF_PROG_DETACH, &detach, sizeof(detach));
    }
    return 0;
}

static int set_v2(int dir, const struct schema_list *rules, struct err *e)
{
    size_t n = 0;
    _cleanup_free_ struct device_rule *all = calloc(rules->count + ARRAY_SIZE(always), sizeof(*all));
    if (!all)
        return err_oom(e);
    for (size_t i = 0; i < ARRAY_SIZE(always); i++)
        all[n++] = always[i];
    for (size_t i = rules->count; i > 0; i--)
        all[n++] = rule_of(OCI_ITEM(rules, struct oci_device_rule, i - 1));
    /* What no rule speaks of is as if there were no controller. */
    _cleanup_close_ int program = device_program_load(all, n, true, e);
    return program < 0 ? program : attach(dir, program, e);
}

static int set_v1(int dir, const struct schema_list *rules, struct err *e)
{
    size_t n = 0;
    if (dir < 0)
        return 0;
    _cleanup_free_ struct device_rule *all = calloc(rules->count + ARRAY_SIZE(always), sizeof(*all));
    if (!all)
        return err_oom(e);
    for (size_t i = 0; i < rules->count; i++)
        all[n++] = rule_of(OCI_ITEM(rules, struct oci_device_rule, i));
    for (size_t i = 0; i < ARRAY_SIZE(always); i++)
        all[n++] = always[i];
    return oci_devices_write_v1(dir, all, n, e);
}

int oci_cgroup_set_devices(const struct oci_cgroup *g, const struct schema_list *rules, struct err *e)
{
    int unified = oci_cgroup_unified(g);
    if (rules->count == 0)
        return 0;
    int r =
        g->v2 ? unified < 0 ? 0 : set_v2(unified, rules, e) : set_v1(oci_cgroup_dir(g, "devices"), rules, e);
    if (r == -EPERM &&
        oci_is_rootless()) { /* may load no program and write no rule, and can make no device */
        err_clear(e);
        return 0;
    }
    return r < 0 ? err_wrap(e, "linux.resources.devices") : 0;
}
