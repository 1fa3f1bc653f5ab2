/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources in the files of control groups (cgroup.h). A value of v1 that has another unit on v2 is converted as config-linux.md
 * and the kernel's documentation of both say.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "oci/cgroup.h"

#define SHARES_MIN 2 /* sched/core: MIN_SHARES */
#define SHARES_MAX 262144
#define WEIGHT_MAX 10000 /* of v2 */
#define IO_WEIGHT_MIN 10 /* of v1 */
#define IO_WEIGHT_MAX 1000
#define UNIFIED_VALUE_MAX 4096

/* What is being set, for messages, and where. */
struct place {
    const struct oci_cgroup *group;
    const char *controller;
    int dir;
};

static int open_place(const struct oci_cgroup *g, const char *controller, struct place *ret, struct err *e)
{
    *ret = (struct place){.group = g, .controller = controller, .dir = oci_cgroup_dir(g, controller)};
    return ret->dir >= 0
               ? 0
               : err_set(e, ENOSYS, "linux.resources: there is no %s controller here for this limit",
                         controller);
}

static bool has(const struct place *p, const char *file)
{
    return faccessat(p->dir, file, F_OK, 0) == 0;
}

static int write_text(const struct place *p, const char *file, const char *text, struct err *e)
{
    int r = io_write_existing_at(p->dir, file, text, e);
    if (r == -ENOENT)
        return err_set(e, ENOSYS, "linux.resources: the kernel's %s controller has no %s", p->controller,
                       file);
    return r < 0 ? err_wrap(e, "linux.resources: %s", p->controller) : 0;
}

static int write_number(const struct place *p, const char *file, int64_t value, struct err *e)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    return write_text(p, file, text, e);
}

/* v2: -1 is "max". */
static int write_maximum(const struct place *p, const char *file, int64_t value, struct err *e)
{
    return value < 0 ? write_text(p, file, "max", e) : write_number(p, file, value, e);
}

static int write_set(const struct place *p, const char *file, const struct schema_number *n, struct err *e)
{
    return n->set ? write_number(p, file, n->value, e) : 0;
}

/* ---- memory ---- */

/* kernelMemory is not there: kernels have taken no such limit since 5.16, and runtimes ignore it.
 * memory+swap may never be below memory meanwhile: which is first depends on the direction. */
static int set_memory_v1(const struct place *p, const struct oci_memory *m, struct err *e)
{
    struct err first = {0};
    struct schema_number swap = m->swap;
    if (m->limit.set && m->limit.value < 0 && !swap.set && has(p, "memory.memsw.limit_in_bytes"))
        swap = (struct schema_number){
            true, -1}; /* memory without limit is not to be held by an older limit of both */
    int r = m->limit.set ? write_number(p, "memory.limit_in_bytes", m->limit.value, &first) : 0;
    if (swap.set) {
        int r2 = write_number(p, "memory.memsw.limit_in_bytes", swap.value, e);
        if (r2 < 0)
            return r2;
        if (r < 0)
            r = write_number(p, "memory.limit_in_bytes", m->limit.value, &first);
    }
    if (r == -EBUSY)
        return err_set(e, EBUSY, "linux.resources.memory.limit: more than %" PRId64 " bytes are in use",
                       m->limit.value);
    if (r < 0) {
        *e = first;
        return r;
    }
    r = write_set(p, "memory.soft_limit_in_bytes", &m->reservation, e);
    if (r == 0 && has(p, "memory.kmem.tcp.limit_in_bytes"))
        r = write_set(p, "memory.kmem.tcp.limit_in_bytes", &m->kernel_tcp, e);
    if (r == 0)
        r = write_set(p, "memory.swappiness", &m->swappiness, e);
    return r == 0 && m->disable_oom_killer ? write_text(p, "memory.oom_control", "1", e) : r;
}

/* v2 counts swap by itself. */
static int swap_of_v2(const struct oci_memory *m, int64_t *ret, struct err *e)
{
    *ret = -1;
    if (m->swap.value < 0 || m->swap.value == INT64_MAX)
        return 0;
    if (!m->limit.set || m->limit.value < 0)
        return m->swap.value == 0
                   ? (*ret = 0, 0)
                   : err_set(e, EINVAL,
                             "linux.resources.memory.swap: is memory and swap together, so it needs "
                             "linux.resources.memory.limit");
    if (m->swap.value < m->limit.value)
        return err_set(
            e, EINVAL,
            "linux.resources.memory.swap: is memory and swap together, and is below the limit of memory");
    *ret = m->swap.value - m->limit.value;
    return 0;
}

static int set_memory_v2(const struct place *p, const struct oci_memory *m, struct err *e)
{
    int64_t swap = -1;
    int r = m->swap.set ? swap_of_v2(m, &swap, e) : 0;
    if (r == 0 && m->swap.set && (swap >= 0 || has(p, "memory.swap.max")))
        r = has(p, "memory.swap.max") || swap > 0 ? write_maximum(p, "memory.swap.max", swap, e) : 0;
    if (r == 0 && m->limit.set)
        r = write_maximum(p, "memory.max", m->limit.value, e);
    if (r == 0 && m->reservation.set)
        r = write_maximum(p, "memory.low", m->reservation.value, e);
    return r;
}

/* A limit below what is in use would start the OOM killer: with this member the update fails instead. */
static int check_before_update(const struct place *p, const struct oci_memory *m, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    if (!m->check_before_update || !m->limit.set || m->limit.value < 0)
        return 0;
    int r = io_read_file_at(p->dir, p->group->v2 ? "memory.current" : "memory.usage_in_bytes", 64, &text, e);
    if (r == 0 && strtoll(text.data ? text.data : "0", NULL, 10) > m->limit.value)
        return err_set(e, EBUSY, "linux.resources.memory.limit: more than %" PRId64 " bytes are in use",
                       m->limit.value);
    return r;
}

static int set_memory(const struct oci_cgroup *g, const struct oci_memory *m, struct err *e)
{
    struct place p;
    bool any = m->limit.set || m->swap.set || m->reservation.set || m->swappiness.set ||
               m->disable_oom_killer || m->kernel_tcp.set;
    int r = any ? open_place(g, "memory", &p, e) : 0;
    if (!any || r < 0)
        return r;
    r = check_before_update(&p, m, e);
    if (r < 0)
        return r;
    return g->v2 ? set_memory_v2(&p, m, e) : set_memory_v1(&p, m, e);
}

/* ---- processors ---- */

static int set_cpu_v1(const struct place *p, const struct oci_cpu *c, struct err *e)
{
    struct err first = {0};
    int r = c->shares.set && c->shares.value != 0 ? write_number(p, "cpu.shares", c->shares.value, e) : 0;
    /* A quota that is too large for the old period, or a period too long for the old quota: the other one first. */
    int period = r == 0 && c->period.set && c->period.value > 0
                     ? write_number(p, "cpu.cfs_period_us", c->period.value, &first)
                     : 0;
    if (r == 0 && c->quota.set && c->quota.value != 0)
        r = write_number(p, "cpu.cfs_quota_us", c->quota.value, e);
    if (r == 0 && period < 0)
        r = write_number(p, "cpu.cfs_period_us", c->period.value, e);
    if (r == 0)
        r = write_set(p, "cpu.cfs_burst_us", &c->burst, e);
    if (r == 0 && c->realtime_period.set && c->realtime_period.value > 0)
        r = write_number(p, "cpu.rt_period_us", c->realtime_period.value, e);
    if (r == 0 && c->realtime_runtime.set && c->realtime_runtime.value != 0)
        r = write_number(p, "cpu.rt_runtime_us", c->realtime_runtime.value, e);
    return r == 0 ? write_set(p, "cpu.idle", &c->idle, e) : r;
}

/* Documentation/admin-guide/cgroup-v2.rst and the conversion that OCI runtimes share: [2, 262144] to [1, 10000]. */
static int64_t weight_of_shares(int64_t shares)
{
    if (shares < SHARES_MIN)
        shares = SHARES_MIN;
    if (shares > SHARES_MAX)
        shares = SHARES_MAX;
    return 1 + (shares - SHARES_MIN) * (WEIGHT_MAX - 1) / (SHARES_MAX - SHARES_MIN);
}

static int set_cpu_v2(const struct place *p, const struct oci_cpu *c, struct err *e)
{
    char text[64];
    int r = 0;
    if (c->shares.set && c->shares.value != 0)
        r = write_number(p, "cpu.weight", weight_of_shares(c->shares.value), e);
    if (r == 0 && (c->quota.set || (c->period.set && c->period.value > 0))) {
        bool limited = c->quota.set && c->quota.value > 0;
        char quota[24] = "max";
        if (limited)
            (void)snprintf(quota, sizeof(quota), "%" PRId64, c->quota.value);
        if (c->period.set && c->period.value > 0)
            (void)snprintf(text, sizeof(text), "%s %" PRId64, quota, c->period.value);
        else
            (void)snprintf(text, sizeof(text), "%s", quota);
        r = write_text(p, "cpu.max", text, e);
    }
    if (r == 0)
        r = write_set(p, "cpu.max.burst", &c->burst, e);
    return r == 0 ? write_set(p, "cpu.idle", &c->idle, e) : r;
}

static int set_cpu(const struct oci_cgroup *g, const struct oci_cpu *c, struct err *e)
{
    struct place p;
    int r = 0;
    if (c->shares.set || c->quota.set || c->period.set || c->burst.set || c->realtime_runtime.set ||
        c->realtime_period.set || c->idle.set) {
        r = open_place(g, "cpu", &p, e);
        if (r == 0)
            r = g->v2 ? set_cpu_v2(&p, c, e) : set_cpu_v1(&p, c, e);
    }
    if (r == 0 && (str_set(c->cpus) || str_set(c->mems)))
        r = open_place(g, "cpuset", &p, e);
    if (r == 0 && str_set(c->cpus))
        r = write_text(&p, "cpuset.cpus", c->cpus, e);
    if (r == 0 && str_set(c->mems))
        r = write_text(&p, "cpuset.mems", c->mems, e);
    return r;
}

/* ---- block I/O ---- */

static int write_device(const struct place *p, const char *file, const struct schema_number *major_number,
                        const struct schema_number *minor_number, const char *key, int64_t value,
                        struct err *e)
{
    char text[96];
    (void)snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64 " %s%" PRId64, major_number->value,
                   minor_number->value, key, value);
    return write_text(p, file, text, e);
}

static int throttle(const struct place *p, const struct schema_list *devices, const char *v1_file,
                    const char *v2_key, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < devices->count && r == 0; i++) {
        const struct oci_throttle_device *d = OCI_ITEM(devices, struct oci_throttle_device, i);
        char key[16] = "";
        if (p->group->v2)
            (void)snprintf(key, sizeof(key), "%s=", v2_key);
        r = p->group->v2 && d->rate.value == 0 ? 0
                                               : write_device(p, p->group->v2 ? "io.max" : v1_file, &d->major,
                                                              &d->minor, key, d->rate.value, e);
    }
    return r;
}

/* BFQ takes v1's own range; the other of v2's weights goes to 10000. */
static int set_io_weight(const struct place *p, int64_t weight, struct err *e)
{
    const char *const bfq = p->group->v2 ? "io.bfq.weight" : "blkio.bfq.weight";
    char text[32];
    if (!p->group->v2 && has(p, "blkio.weight"))
        return write_number(p, "blkio.weight", weight, e);
    if (has(p, bfq))
        return write_number(p, bfq, weight, e);
    if (!p->group->v2)
        return err_set(e, ENOSYS,
                       "linux.resources.blockIO.weight: the kernel's I/O schedulers here have no weights");
    (void)snprintf(text, sizeof(text), "default %" PRId64,
                   1 + (weight - IO_WEIGHT_MIN) * (WEIGHT_MAX - 1) / (IO_WEIGHT_MAX - IO_WEIGHT_MIN));
    return write_text(p, "io.weight", text, e);
}

static int set_device_weights(const struct place *p, const struct oci_block_io *b, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < b->weight_device.count && r == 0; i++) {
        const struct oci_weight_device *d = OCI_ITEM(&b->weight_device, struct oci_weight_device, i);
        if (d->weight.set)
            r = write_device(p,
                             p->group->v2                    ? "io.bfq.weight"
                             : has(p, "blkio.weight_device") ? "blkio.weight_device"
                                                             : "blkio.bfq.weight_device",
                             &d->major, &d->minor, "", d->weight.value, e);
        if (r == 0 && d->leaf_weight.set && !p->group->v2)
            r = write_device(p, "blkio.leaf_weight_device", &d->major, &d->minor, "", d->leaf_weight.value,
                             e);
    }
    return r;
}

static int set_block_io(const struct oci_cgroup *g, const struct oci_block_io *b, struct err *e)
{
    struct place p;
    bool weight = b->weight.set && b->weight.value > 0;
    if (!weight && !b->leaf_weight.set && b->weight_device.count == 0 && b->read_bps.count == 0 &&
        b->write_bps.count == 0 && b->read_iops.count == 0 && b->write_iops.count == 0)
        return 0;
    int r = open_place(g, g->v2 ? "io" : "blkio", &p, e);
    if (r == 0 && weight)
        r = set_io_weight(&p, b->weight.value, e);
    if (r == 0 && b->leaf_weight.set && !g->v2)
        r = write_number(&p, "blkio.leaf_weight", b->leaf_weight.value, e);
    if (r == 0)
        r = set_device_weights(&p, b, e);
    if (r == 0)
        r = throttle(&p, &b->read_bps, "blkio.throttle.read_bps_device", "rbps", e);
    if (r == 0)
        r = throttle(&p, &b->write_bps, "blkio.throttle.write_bps_device", "wbps", e);
    if (r == 0)
        r = throttle(&p, &b->read_iops, "blkio.throttle.read_iops_device", "riops", e);
    return r == 0 ? throttle(&p, &b->write_iops, "blkio.throttle.write_iops_device", "wiops", e) : r;
}

/* ---- the rest ---- */

static int set_pids(const struct oci_cgroup *g, const struct oci_pids *pids, struct err *e)
{
    struct place p;
    if (!pids->limit.set || pids->limit.value == 0)
        return 0;
    int r = open_place(g, "pids", &p, e);
    return r == 0 ? write_maximum(&p, "pids.max", pids->limit.value, e) : r;
}

static int set_hugepages(const struct oci_cgroup *g, const struct schema_list *limits, struct err *e)
{
    struct place p;
    int r = limits->count > 0 ? open_place(g, "hugetlb", &p, e) : 0;
    for (size_t i = 0; i < limits->count && r == 0; i++) {
        const struct oci_hugepage_limit *l = OCI_ITEM(limits, struct oci_hugepage_limit, i);
        char file[80];
        if (strlen(l->page_size) > 32 || strchr(l->page_size, '/'))
            return err_set(e, EINVAL, "linux.resources.hugepageLimits[%zu].pageSize: \"%.40s\" is no size", i,
                           l->page_size);
        (void)snprintf(file, sizeof(file), "hugetlb.%s.%s", l->page_size, g->v2 ? "max" : "limit_in_bytes");
        r = write_number(&p, file, l->limit.value, e);
        (void)snprintf(file, sizeof(file), "hugetlb.%s.rsvd.%s", l->page_size,
                       g->v2 ? "max" : "limit_in_bytes");
        if (r == 0 && has(&p, file))
            r = write_number(&p, file, l->limit.value, e);
    }
    return r;
}

static int set_network(const struct oci_cgroup *g, const struct oci_network *n, struct err *e)
{
    struct place p;
    if (g->v2)
        return 0; /* v2 has neither: firewalls name groups instead */
    int r = n->class_id.set && n->class_id.value != 0 ? open_place(g, "net_cls", &p, e) : 0;
    if (r == 0 && n->class_id.set && n->class_id.value != 0)
        r = write_number(&p, "net_cls.classid", n->class_id.value, e);
    if (r == 0 && n->priorities.count > 0)
        r = open_place(g, "net_prio", &p, e);
    for (size_t i = 0; i < n->priorities.count && r == 0; i++) {
        const struct oci_interface_priority *priority =
            OCI_ITEM(&n->priorities, struct oci_interface_priority, i);
        char text[64];
        (void)snprintf(text, sizeof(text), "%.32s %" PRId64, priority->name, priority->priority.value);
        r = write_text(&p, "net_prio.ifpriomap", text, e);
    }
    return r;
}

static int set_rdma(const struct oci_cgroup *g, const struct schema_list *devices, struct err *e)
{
    struct place p;
    int r = devices->count > 0 ? open_place(g, "rdma", &p, e) : 0;
    for (size_t i = 0; i < devices->count && r == 0; i++) {
        const struct oci_rdma *d = OCI_ITEM(devices, struct oci_rdma, i);
        char text[160];
        int n = snprintf(text, sizeof(text), "%.64s", d->key);
        if (d->handles.set)
            n += snprintf(text + n, sizeof(text) - (size_t)n, " hca_handle=%" PRId64, d->handles.value);
        if (d->objects.set)
            (void)snprintf(text + n, sizeof(text) - (size_t)n, " hca_object=%" PRId64, d->objects.value);
        r = write_text(&p, "rdma.max", text, e);
    }
    return r;
}

/* Files of v2 by name, for what has no member of its own. */
static int set_unified(const struct oci_cgroup *g, const struct schema_list *files, struct err *e)
{
    struct place p = {.group = g, .controller = "unified", .dir = oci_cgroup_unified(g)};
    if (files->count > 0 && !g->v2)
        return err_set(e, ENOSYS, "linux.resources.unified: this host has cgroup v1");
    for (size_t i = 0; i < files->count; i++) {
        const struct oci_pair *f = OCI_ITEM(files, struct oci_pair, i);
        if (strchr(f->key, '/') || *f->key == '.' || strlen(f->value) > UNIFIED_VALUE_MAX)
            return err_set(e, EINVAL, "linux.resources.unified: \"%.64s\" is no file of a control group",
                           f->key);
        int r = p.dir < 0 ? err_set(e, ENOENT, "no control group") : write_text(&p, f->key, f->value, e);
        if (r < 0)
            return r;
    }
    return 0;
}

int oci_cgroup_set(const struct oci_cgroup *g, const struct oci_resources *resources, struct err *e)
{
    int r = set_memory(g, &resources->memory, e);
    if (r == 0)
        r = set_cpu(g, &resources->cpu, e);
    if (r == 0)
        r = set_pids(g, &resources->pids, e);
    if (r == 0)
        r = set_block_io(g, &resources->block_io, e);
    if (r == 0)
        r = set_hugepages(g, &resources->hugepage_limits, e);
    if (r == 0)
        r = set_network(g, &resources->network, e);
    if (r == 0)
        r = set_rdma(g, &resources->rdma, e);
    return r == 0 ? set_unified(g, &resources->unified, e) : r;
}
