/* SPDX-License-Identifier: Apache-2.0 */
/* Reading control groups' counters (stats.h). Times of v1 are nanoseconds, those of v2 microseconds; what is printed is nanoseconds. */
#include "oci/stats.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"

#define FILE_MAX_BYTES (256U << 10)
#define MICROSECOND 1000
#define USER_HZ_NS 10000000ULL /* cpuacct.stat counts in ticks of 10 ms */

static bool read_text(int dir, const char *file, struct buf *text)
{
    struct err ignored = {0};
    return dir >= 0 && io_read_file_at(dir, file, FILE_MAX_BYTES, text, &ignored) == 0 && text->data;
}

static uint64_t read_number(int dir, const char *file)
{
    _cleanup_buf_ struct buf text = {0};
    if (!read_text(dir, file, &text))
        return 0;
    return str_after(text.data, "max") ? UINT64_MAX : strtoull(text.data, NULL, 10);
}

/* The number behind a word at the beginning of a line. */
static uint64_t find_number(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, word, n) == 0 && line[n] == ' ')
            return strtoull(line + n + 1, NULL, 10);
    return 0;
}

static uint64_t read_word(int dir, const char *file, const char *word)
{
    _cleanup_buf_ struct buf text = {0};
    return read_text(dir, file, &text) ? find_number(text.data, word) : 0;
}

static int add_cpu(const struct oci_cgroup *g, struct json_object *o, struct err *e)
{
    struct json_object *cpu = json_object_new_object();
    struct json_object *usage = json_object_new_object();
    struct json_object *throttling = json_object_new_object();
    int dir = oci_cgroup_dir(g, "cpu");
    int account = oci_cgroup_dir(g, "cpuacct");
    uint64_t unit = g->v2 ? MICROSECOND : 1;
    uint64_t total =
        g->v2 ? read_word(dir, "cpu.stat", "usage_usec") * unit : read_number(account, "cpuacct.usage");
    uint64_t user = g->v2 ? read_word(dir, "cpu.stat", "user_usec") * unit
                          : read_word(account, "cpuacct.stat", "user") * USER_HZ_NS;
    uint64_t kernel = g->v2 ? read_word(dir, "cpu.stat", "system_usec") * unit
                            : read_word(account, "cpuacct.stat", "system") * USER_HZ_NS;
    int r = usage && cpu && throttling ? json_add_u64(usage, "total", total, e) : err_oom(e);
    if (r == 0)
        r = json_add_u64(usage, "kernel", kernel, e);
    if (r == 0)
        r = json_add_u64(usage, "user", user, e);
    if (r == 0)
        r = json_add_u64(throttling, "periods", read_word(dir, "cpu.stat", "nr_periods"), e);
    if (r == 0)
        r = json_add_u64(throttling, "throttledPeriods", read_word(dir, "cpu.stat", "nr_throttled"), e);
    if (r == 0)
        r = json_add_u64(throttling, "throttledTime",
                         g->v2 ? read_word(dir, "cpu.stat", "throttled_usec") * unit
                               : read_word(dir, "cpu.stat", "throttled_time"),
                         e);
    if (json_add_object(cpu, "usage", usage, e) < 0 ||
        json_add_object(cpu, "throttling", throttling, e) < 0 || json_add_object(o, "cpu", cpu, e) < 0)
        return -ENOMEM;
    return r;
}

static int add_usage(struct json_object *o, const char *name, uint64_t usage, uint64_t max, uint64_t limit,
                     uint64_t failures, struct err *e)
{
    struct json_object *part = json_object_new_object();
    int r = part ? json_add_u64(part, "limit", limit, e) : err_oom(e);
    if (r == 0)
        r = json_add_u64(part, "usage", usage, e);
    if (r == 0)
        r = json_add_u64(part, "max", max, e);
    if (r == 0)
        r = json_add_u64(part, "failcnt", failures, e);
    return json_add_object(o, name, part, e) < 0 ? -ENOMEM : r;
}

static int add_raw(struct json_object *o, int dir, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    struct json_object *raw = json_object_new_object();
    int r = raw ? 0 : err_oom(e);
    if (r == 0 && read_text(dir, "memory.stat", &text))
        for (char *rest = text.data, *line; r == 0 && (line = strsep(&rest, "\n"));) {
            char *blank = strchr(line, ' ');
            if (!blank)
                continue;
            *blank = '\0';
            r = json_add_u64(raw, line, strtoull(blank + 1, NULL, 10), e);
        }
    return json_add_object(o, "raw", raw, e) < 0 ? -ENOMEM : r;
}

static int add_memory(const struct oci_cgroup *g, struct json_object *o, struct err *e)
{
    struct json_object *memory = json_object_new_object();
    int dir = oci_cgroup_dir(g, "memory");
    int r = memory ? 0 : err_oom(e);
    if (r == 0)
        r = json_add_u64(memory, "cache", read_word(dir, "memory.stat", g->v2 ? "file" : "cache"), e);
    if (r == 0 && g->v2)
        r = add_usage(memory, "usage", read_number(dir, "memory.current"), read_number(dir, "memory.peak"),
                      read_number(dir, "memory.max"), read_word(dir, "memory.events", "max"), e);
    else if (r == 0)
        r = add_usage(memory, "usage", read_number(dir, "memory.usage_in_bytes"),
                      read_number(dir, "memory.max_usage_in_bytes"),
                      read_number(dir, "memory.limit_in_bytes"), read_number(dir, "memory.failcnt"), e);
    if (r == 0 && g->v2)
        r = add_usage(memory, "swap", read_number(dir, "memory.swap.current"), 0,
                      read_number(dir, "memory.swap.max"), read_word(dir, "memory.swap.events", "max"), e);
    else if (r == 0)
        r = add_usage(memory, "swap", read_number(dir, "memory.memsw.usage_in_bytes"),
                      read_number(dir, "memory.memsw.max_usage_in_bytes"),
                      read_number(dir, "memory.memsw.limit_in_bytes"),
                      read_number(dir, "memory.memsw.failcnt"), e);
    if (r == 0)
        r = add_raw(memory, dir, e);
    return json_add_object(o, "memory", memory, e) < 0 ? -ENOMEM : r;
}

static int add_pids(const struct oci_cgroup *g, struct json_object *o, struct err *e)
{
    struct json_object *pids = json_object_new_object();
    int dir = oci_cgroup_dir(g, "pids");
    uint64_t limit = read_number(dir, "pids.max");
    int r = pids ? json_add_u64(pids, "current", read_number(dir, "pids.current"), e) : err_oom(e);
    if (r == 0 && limit != UINT64_MAX)
        r = json_add_u64(pids, "limit", limit, e);
    return json_add_object(o, "pids", pids, e) < 0 ? -ENOMEM : r;
}

static int add_io_entry(struct json_object *list, unsigned major_number, unsigned minor_number,
                        const char *op, uint64_t value, struct err *e)
{
    struct json_object *entry = json_object_new_object();
    int r = entry ? json_add_u64(entry, "major", major_number, e) : err_oom(e);
    if (r == 0)
        r = json_add_u64(entry, "minor", minor_number, e);
    if (r == 0)
        r = json_add_string(entry, "op", op, e);
    if (r == 0)
        r = json_add_u64(entry, "value", value, e);
    if (r < 0 || json_object_array_add(list, entry) < 0) {
        json_object_put(entry);
        return r < 0 ? r : err_oom(e);
    }
    return 0;
}

/* v2: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 ..."; v1: "8:0 Read 1". */
static int read_io(int dir, const char *file, bool v2, bool bytes, struct json_object *list, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = 0;
    if (!read_text(dir, file, &text))
        return 0;
    for (char *rest = text.data, *line; r == 0 && (line = strsep(&rest, "\n"));) {
        unsigned major_number, minor_number;
        char op[16];
        unsigned long long value, written;
        if (!v2 && sscanf(line, "%u:%u %15s %llu", &major_number, &minor_number, op, &value) == 4)
            r = add_io_entry(list, major_number, minor_number, op, value, e);
        const char *read_at = v2 ? strstr(line, bytes ? "rbytes=" : "rios=") : NULL;
        const char *write_at = v2 ? strstr(line, bytes ? "wbytes=" : "wios=") : NULL;
        if (!read_at || !write_at || sscanf(line, "%u:%u", &major_number, &minor_number) != 2)
            continue;
        value = strtoull(strchr(read_at, '=') + 1, NULL, 10);
        written = strtoull(strchr(write_at, '=') + 1, NULL, 10);
        r = add_io_entry(list, major_number, minor_number, "Read", value, e);
        if (r == 0)
            r = add_io_entry(list, major_number, minor_number, "Write", written, e);
    }
    return r;
}

static int add_block_io(const struct oci_cgroup *g, struct json_object *o, struct err *e)
{
    struct json_object *io = json_object_new_object();
    struct json_object *bytes = json_object_new_array();
    struct json_object *count = json_object_new_array();
    int dir = oci_cgroup_dir(g, g->v2 ? "io" : "blkio");
    int r = io && bytes && count ? 0 : err_oom(e);
    if (r == 0)
        r = read_io(dir, g->v2 ? "io.stat" : "blkio.throttle.io_service_bytes", g->v2, true, bytes, e);
    if (r == 0)
        r = read_io(dir, g->v2 ? "io.stat" : "blkio.throttle.io_serviced", g->v2, false, count, e);
    if (json_add_object(io, "ioServiceBytesRecursive", bytes, e) < 0 ||
        json_add_object(io, "ioServicedRecursive", count, e) < 0 || json_add_object(o, "blkio", io, e) < 0)
        return -ENOMEM;
    return r;
}

int oci_stats(const struct oci_cgroup *g, struct json_object **ret, struct err *e)
{
    _cleanup_json_ struct json_object *o = json_object_new_object();
    int r = o ? add_cpu(g, o, e) : err_oom(e);
    if (r == 0)
        r = add_memory(g, o, e);
    if (r == 0)
        r = add_pids(g, o, e);
    if (r == 0)
        r = add_block_io(g, o, e);
    if (r == 0)
        *ret = steal_ptr(o);
    return r;
}

uint64_t oci_oom_kills(const struct oci_cgroup *g)
{
    return read_word(oci_cgroup_dir(g, "memory"), g->v2 ? "memory.events" : "memory.oom_control", "oom_kill");
}
