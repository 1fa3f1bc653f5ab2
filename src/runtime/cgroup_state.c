/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and stopping a group (cgroup_state.h). The texts are the kernel's; what is not there counts as nothing. */
#include "runtime/cgroup_state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"

#define STATE_MAX 1024
#define STAT_MAX (256U << 10)
#define PROCS_MAX (1U << 20)
#define FREEZE_TRIES \
    5000 /* milliseconds until every process must have stopped: one in the kernel's care may take long */
#define V1_UNLIMITED (UINT64_C(1) << 62)
#define NS_PER_US 1000

/* The text of a small file; "" when there is none. */
static const char *read_text(int dir, const char *name, size_t max, struct buf *b)
{
    struct err ignored = {0};
    if (dir < 0 || io_read_file_at(dir, name, max, b, &ignored) < 0 || !b->data)
        return "";
    return b->data;
}

static uint64_t digits_at(const char *at)
{
    char digits[24];
    uint64_t value = 0;
    struct err ignored = {0};
    size_t n = strspn(at, "0123456789");
    if (n == 0 || n >= sizeof(digits))
        return 0;
    memcpy(digits, at, n);
    digits[n] = '\0';
    return num_parse_u64(digits, UINT64_MAX, &value, &ignored) < 0 ? 0 : value;
}

static uint64_t read_number(int dir, const char *name)
{
    _cleanup_buf_ struct buf b = {0};
    return digits_at(read_text(dir, name, STATE_MAX, &b));
}

/* The number behind "KEY " at the beginning of a line. */
static uint64_t keyed_number(const char *text, const char *key)
{
    size_t n = strlen(key);
    for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (strncmp(at, key, n) == 0 && at[n] == ' ')
            return digits_at(at + n + 1);
    return 0;
}

/* All numbers behind `word`, wherever it stands, added up. */
static uint64_t sum_behind(const char *text, const char *word)
{
    uint64_t sum = 0;
    for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
        sum += digits_at(at + strlen(word));
    return sum;
}

static bool has_freezer(const struct cgroup *g)
{
    return g->dirs[CGROUP_FREEZER] >= 0;
}

static bool reached(const struct cgroup *g, bool frozen)
{
    _cleanup_buf_ struct buf b = {0};
    if (has_freezer(g))
        return strncmp(read_text(g->dirs[CGROUP_FREEZER], "freezer.state", STATE_MAX, &b),
                       frozen ? "FROZEN" : "THAWED", 6) == 0;
    return keyed_number(read_text(g->unified, "cgroup.events", STATE_MAX, &b), "frozen") == frozen;
}

static int ask(const struct cgroup *g, bool frozen, struct err *e)
{
    if (has_freezer(g))
        return io_write_existing_at(g->dirs[CGROUP_FREEZER], "freezer.state", frozen ? "FROZEN" : "THAWED",
                                    e);
    if (g->unified < 0 || faccessat(g->unified, "cgroup.freeze", F_OK, 0) < 0)
        return err_set(e, ENOSYS, "the kernel cannot stop the processes of a control group here");
    return io_write_existing_at(g->unified, "cgroup.freeze", frozen ? "1" : "0", e);
}

int cgroup_freeze(const struct cgroup *g, bool frozen, struct err *e)
{
    struct err ignored = {0};
    for (int i = 0; i < FREEZE_TRIES; i++) {
        /* v1 tries again at each write only. */
        int r = i == 0 || (has_freezer(g) && frozen) ? ask(g, frozen, e) : 0;
        if (r < 0)
            return r;
        if (reached(g, frozen))
            return 0;
        (void)poll(NULL, 0, 1);
    }
    (void)ask(g, !frozen, &ignored);
    return err_set(e, EBUSY, "the processes of the container have not %s in time",
                   frozen ? "stopped" : "gone on");
}

bool cgroup_is_frozen(const struct cgroup *g)
{
    _cleanup_buf_ struct buf b = {0};
    if (has_freezer(g))
        return strncmp(read_text(g->dirs[CGROUP_FREEZER], "freezer.state", STATE_MAX, &b), "THAWED", 6) != 0;
    return g->unified >= 0 && read_number(g->unified, "cgroup.freeze") == 1;
}

void cgroup_thaw(const char *parent, const char *id)
{
    struct err ignored = {0};
    _cleanup_cgroup_ struct cgroup g = CGROUP_INIT;
    if (cgroup_open(parent, id, &g, &ignored) == 0)
        (void)ask(&g, false, &ignored);
}

static void read_use_v1(const struct cgroup *g, struct cgroup_use *ret)
{
    _cleanup_buf_ struct buf stat = {0};
    _cleanup_buf_ struct buf io = {0};
    int memory = g->dirs[CGROUP_MEMORY];
    uint64_t inactive =
        keyed_number(read_text(memory, "memory.stat", STAT_MAX, &stat), "total_inactive_file");
    const char *bytes =
        read_text(g->dirs[CGROUP_BLKIO], "blkio.throttle.io_service_bytes_recursive", STAT_MAX, &io);
    ret->cpu_ns = read_number(g->dirs[CGROUP_CPUACCT], "cpuacct.usage");
    ret->memory = read_number(memory, "memory.usage_in_bytes");
    ret->memory -= inactive < ret->memory ? inactive : ret->memory;
    ret->memory_limit = read_number(memory, "memory.limit_in_bytes");
    ret->processes = read_number(g->dirs[CGROUP_PIDS], "pids.current");
    ret->read_bytes = sum_behind(bytes, " Read ");
    ret->written_bytes = sum_behind(bytes, " Write ");
}

static void read_use_v2(const struct cgroup *g, struct cgroup_use *ret)
{
    _cleanup_buf_ struct buf cpu = {0};
    _cleanup_buf_ struct buf stat = {0};
    _cleanup_buf_ struct buf io = {0};
    int dir = g->unified;
    uint64_t inactive = keyed_number(read_text(dir, "memory.stat", STAT_MAX, &stat), "inactive_file");
    const char *bytes = read_text(dir, "io.stat", STAT_MAX, &io);
    ret->cpu_ns = keyed_number(read_text(dir, "cpu.stat", STATE_MAX, &cpu), "usage_usec") * NS_PER_US;
    ret->memory = read_number(dir, "memory.current");
    ret->memory -= inactive < ret->memory ? inactive : ret->memory;
    ret->memory_limit = read_number(dir, "memory.max");
    ret->processes = read_number(dir, "pids.current");
    ret->read_bytes = sum_behind(bytes, " rbytes=");
    ret->written_bytes = sum_behind(bytes, " wbytes=");
}

void cgroup_read_use(const struct cgroup *g, struct cgroup_use *ret)
{
    *ret = (struct cgroup_use){0};
    if (g->mode == CGROUP_V2)
        read_use_v2(g, ret);
    else
        read_use_v1(g, ret);
    if (ret->memory_limit == 0 || ret->memory_limit >= V1_UNLIMITED)
        ret->memory_limit = SPEC_UNSET;
}

int cgroup_for_each_process(const struct cgroup *g, void (*visit)(pid_t pid, void *context), void *context,
                            struct err *e)
{
    int dir = g->unified >= 0             ? g->unified
              : g->dirs[CGROUP_PIDS] >= 0 ? g->dirs[CGROUP_PIDS]
                                          : g->dirs[CGROUP_MEMORY];
    _cleanup_buf_ struct buf text = {0};
    int r = io_read_file_at(dir, "cgroup.procs", PROCS_MAX, &text, e);
    if (r < 0)
        return r;
    for (char *rest = text.data, *line; rest && (line = strsep(&rest, "\n")) && *line;) {
        uint64_t pid = 0;
        if (num_parse_u64(line, INT32_MAX, &pid, e) == 0 && pid > 1)
            visit((pid_t)pid, context);
    }
    return 0;
}
