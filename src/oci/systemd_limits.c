/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of a scope as properties of it (systemd.h). They are written to the group's files first (cgroup_resources.c), and what these say then
 * is told to systemd: there is one place that converts, and nothing that systemd would write differently later.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "base/str.h"
#include "oci/systemd.h"

#define VALUE_MAX 4096
#define DEFAULT_PERIOD 100000
#define USEC_PER_SEC 1000000
#define SET_BYTES (CPU_SETSIZE / 8)

enum kind {
    KIND_NUMBER, /* "max", and on v1 less than nothing, is no limit */
    KIND_WEIGHT, /* "default 100"; 0 is of an idle group, which systemd does not set */
    KIND_QUOTA,  /* "50000 100000" */
    KIND_SET,    /* "0-3,7" */
};

struct limit {
    const char *controller, *file, *property;
    enum kind kind;
};

static const struct limit limits_v2[] = {
    {"memory", "memory.min", "MemoryMin", KIND_NUMBER},
    {"memory", "memory.low", "MemoryLow", KIND_NUMBER},
    {"memory", "memory.high", "MemoryHigh", KIND_NUMBER},
    {"memory", "memory.max", "MemoryMax", KIND_NUMBER},
    {"memory", "memory.swap.max", "MemorySwapMax", KIND_NUMBER},
    {"cpu", "cpu.weight", "CPUWeight", KIND_WEIGHT},
    {"cpu", "cpu.max", "CPUQuota", KIND_QUOTA},
    {"cpuset", "cpuset.cpus", "AllowedCPUs", KIND_SET},
    {"cpuset", "cpuset.mems", "AllowedMemoryNodes", KIND_SET},
    {"pids", "pids.max", "TasksMax", KIND_NUMBER},
    {"io", "io.weight", "IOWeight", KIND_WEIGHT},
};

static const struct limit limits_v1[] = {
    {"memory", "memory.limit_in_bytes", "MemoryLimit", KIND_NUMBER},
    {"cpu", "cpu.shares", "CPUShares", KIND_NUMBER},
    {"cpu", "cpu.cfs_quota_us", "CPUQuota", KIND_QUOTA},
    {"pids", "pids.max", "TasksMax", KIND_NUMBER},
    {"blkio", "blkio.weight", "BlockIOWeight", KIND_NUMBER},
};

/* Without limit: "max", -1, and v1's memory, which rounds INT64_MAX down to pages. */
static uint64_t number_of(const char *text)
{
    uint64_t value;
    struct err no_number = {0};
    if (num_parse_u64(text, UINT64_MAX, &value, &no_number) < 0 || value > INT64_MAX - (1U << 20))
        return UINT64_MAX;
    return value;
}

static void put_quota(struct dbus_writer *w, const char *quota_text, const char *period_text)
{
    uint64_t quota = number_of(quota_text);
    uint64_t period = period_text ? number_of(period_text) : DEFAULT_PERIOD;
    if (period == 0 || period > USEC_PER_SEC)
        return;
    oci_property_u64(w, "CPUQuotaPerSecUSec",
                     quota > INT64_MAX / USEC_PER_SEC ? UINT64_MAX : quota * USEC_PER_SEC / period);
    oci_property_u64(w, "CPUQuotaPeriodUSec", period);
}

/* A list of numbers as bits, the lowest first. Empty: all that the slice has. */
static void put_set(struct dbus_writer *w, const char *property, const char *text)
{
    uint8_t bits[SET_BYTES] = {0};
    size_t used = 0;
    for (const char *at = text; *at;) {
        char *end;
        unsigned long first = strtoul(at, &end, 10);
        unsigned long last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
        for (unsigned long i = first; i <= last && i < CPU_SETSIZE; i++) {
            bits[i / 8] |= (uint8_t)(1U << i % 8);
            used = i / 8 + 1 > used ? i / 8 + 1 : used;
        }
        at = *end ? end + 1 : end;
    }
    dbus_open_struct(w);
    dbus_put_string(w, property);
    dbus_put_signature(w, "ay");
    size_t array = dbus_open_array(w, 1);
    for (size_t i = 0; i < used; i++)
        dbus_put_byte(w, bits[i]);
    dbus_close_array(w, array, 1);
}

static void put_limit(struct dbus_writer *w, const struct limit *l, int dir, char *text)
{
    _cleanup_buf_ struct buf period = {0};
    struct err ignored = {0};
    char *second = strchr(text, ' ');
    if (second)
        *second++ = '\0';
    switch (l->kind) {
    case KIND_NUMBER:
        oci_property_u64(w, l->property, number_of(text));
        return;
    case KIND_WEIGHT:
        if (number_of(second ? second : text) > 0)
            oci_property_u64(w, l->property, number_of(second ? second : text));
        return;
    case KIND_QUOTA:
        if (!second && io_read_file_at(dir, "cpu.cfs_period_us", VALUE_MAX, &period, &ignored) == 0 &&
            period.data) {
            period.data[strcspn(period.data, "\n")] = '\0';
            second = period.data;
        }
        put_quota(w, text, second);
        return;
    case KIND_SET:
        put_set(w, l->property, text);
        return;
    }
}

static int write_limits(struct dbus_writer *w, const struct oci_cgroup *g, struct err *e)
{
    const struct limit *all = g->v2 ? limits_v2 : limits_v1;
    size_t count = g->v2 ? ARRAY_SIZE(limits_v2) : ARRAY_SIZE(limits_v1);
    for (size_t i = 0; i < count; i++) {
        _cleanup_buf_ struct buf text = {0};
        struct err absent = {0};
        int dir = oci_cgroup_dir(g, all[i].controller);
        int r = dir < 0 ? -ENOENT : io_read_file_at(dir, all[i].file, VALUE_MAX, &text, &absent);
        if (r == -ENOENT || (r == 0 && !text.data))
            continue; /* no such controller, or not in this kernel */
        if (r < 0) {
            *e = absent;
            return r;
        }
        text.data[strcspn(text.data, "\n")] = '\0';
        put_limit(w, &all[i], dir, text.data);
    }
    return 0;
}

int oci_scope_tell_limits(const char *scope, bool user, const struct oci_cgroup *g, struct err *e)
{
    _cleanup_dbus_ struct dbus bus = DBUS_INIT;
    _cleanup_dbus_writer_ struct dbus_writer body = {.e = e};
    dbus_put_string(&body, scope);
    dbus_put_u32(&body, true); /* until the next boot */
    size_t properties = dbus_open_array(&body, 8);
    int r = write_limits(&body, g, e);
    dbus_close_array(&body, properties, 8);
    if (r == 0)
        r = dbus_open(user, &bus, e);
    struct dbus_call call = oci_manager_call("SetUnitProperties", "sba(sv)", &body);
    if (r == 0)
        r = dbus_ask(&bus, &call, NULL, NULL, 0, e);
    return r < 0 ? err_wrap(e, "tell systemd the limits of %s", scope) : 0;
}
