/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Practice 4's block I/O: bytes and requests in a second with the disk that holds the container's files are limited for every container,
 * by the policy's numbers; disks that are named with a flag get that flag's. Evidence is what the control group holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/blockdev.h"
#include "base/dirs.h"
#include "base/num.h"
#include "plan/io.h"
#include "practices/refuse.h"
#include "practices/registry.h"
#include "runtime/cgroup.h"

#define RATES 4 /* read and write, bytes and requests: the first kinds of enum plan_io_kind */

static uint64_t policy_rate(const struct policy *p, enum plan_io_kind kind)
{
    const uint64_t rates[RATES] = {[PLAN_IO_READ_BPS] = p->read_bps,
                                   [PLAN_IO_WRITE_BPS] = p->write_bps,
                                   [PLAN_IO_READ_IOPS] = p->read_iops,
                                   [PLAN_IO_WRITE_IOPS] = p->write_iops};
    return rates[kind];
}

static uint64_t *plan_rate(struct plan *p, enum plan_io_kind kind)
{
    uint64_t *const rates[RATES] = {[PLAN_IO_READ_BPS] = &p->read_bps,
                                    [PLAN_IO_WRITE_BPS] = &p->write_bps,
                                    [PLAN_IO_READ_IOPS] = &p->read_iops,
                                    [PLAN_IO_WRITE_IOPS] = &p->write_iops};
    return rates[kind];
}

static int apply_named(struct practice_run *run, const char *entry, struct err *e)
{
    _cleanup_plan_io_ struct plan_io io = {0};
    _cleanup_free_ char *source = NULL;
    int r = plan_io_parse(entry, &io, e);
    if (r < 0 || io.kind == PLAN_IO_WEIGHT || io.number <= policy_rate(run->policy, io.kind))
        return r;
    r = str_format(&source, e, "--device-%s", plan_io_name(io.kind));
    return r < 0 ? r
                 : run_grant(run, 4, source, e, "%s %llu of %s", plan_io_name(io.kind),
                             (unsigned long long)io.number, io.path);
}

int limits_apply_io(struct practice_run *run, struct err *e)
{
    int r = 0;
    for (int kind = 0; kind < RATES; kind++) {
        uint64_t *rate = plan_rate(run->plan, (enum plan_io_kind)kind);
        if (*rate == PLAN_UNSET)
            *rate = policy_rate(run->policy, (enum plan_io_kind)kind);
    }
    for (size_t i = 0; i < run->plan->io.count && r == 0; i++)
        r = apply_named(run, run->plan->io.items[i], e);
    return r;
}

/* The disk of the container's files; false: no single one. */
static bool own_disk(dev_t *ret)
{
    struct err ignored = {0};
    _cleanup_close_ int root = open(dirs_data_root(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root >= 0 && blockdev_of_file(root, ret, &ignored) > 0;
}

/* What is behind "MAJOR:MINOR " in one of the lines; NULL. */
static const char *line_of(const struct buf *text, dev_t disk)
{
    char key[32];
    int n = snprintf(key, sizeof(key), "%u:%u ", major(disk), minor(disk));
    for (const char *at = text->data; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (strncmp(at, key, (size_t)n) == 0)
            return at + n;
    return NULL;
}

static uint64_t number_at(const char *at)
{
    char digits[24];
    uint64_t value = PLAN_UNSET;
    struct err ignored = {0};
    size_t n = strspn(at, "0123456789");
    if (n == 0 || n >= sizeof(digits))
        return PLAN_UNSET; /* "max" */
    memcpy(digits, at, n);
    digits[n] = '\0';
    return num_parse_u64(digits, UINT64_MAX, &value, &ignored) < 0 ? PLAN_UNSET : value;
}

/* A file of its own for each rate on v1, one line with all on v2. *ret_path: what was read. */
static int read_rates(const struct subject *s, dev_t disk, uint64_t ret[RATES], char **ret_path,
                      struct err *e)
{
    static const char *const v1[RATES] = {"blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device",
                                          "blkio.throttle.read_iops_device",
                                          "blkio.throttle.write_iops_device"};
    static const char *const v2[RATES] = {"rbps=", "wbps=", "riops=", "wiops="};
    struct err absent = {0};
    for (int i = 0; i < RATES; i++) {
        _cleanup_buf_ struct buf text = {0};
        bool first = i == 0;
        bool old = subject_read_cgroup(s, "blkio", v1[i], &text, first ? ret_path : NULL, &absent) == 0;
        int r = old ? 0 : subject_read_cgroup(s, NULL, "io.max", &text, first ? ret_path : NULL, e);
        if (r < 0)
            return r;
        const char *line = line_of(&text, disk);
        const char *at = line && !old ? strstr(line, v2[i]) : line;
        ret[i] = at ? number_at(at + (old ? 0 : strlen(v2[i]))) : PLAN_UNSET;
    }
    return 0;
}

static void rate_text(uint64_t rate, bool bytes, char ret[SIZE_TEXT])
{
    if (rate == PLAN_UNSET)
        (void)snprintf(ret, SIZE_TEXT, "any number");
    else if (bytes)
        size_text(rate, ret);
    else
        (void)snprintf(ret, SIZE_TEXT, "%llu", (unsigned long long)rate);
}

/* What a named limit of the same disk says goes before the plan's own number. */
static uint64_t planned(const struct subject *s, enum plan_io_kind kind, dev_t disk)
{
    const uint64_t rates[RATES] = {s->plan->read_bps, s->plan->write_bps, s->plan->read_iops,
                                   s->plan->write_iops};
    for (size_t i = 0; i < s->plan->io.count; i++) {
        struct err ignored = {0};
        struct stat st;
        _cleanup_plan_io_ struct plan_io io = {0};
        if (plan_io_parse(s->plan->io.items[i], &io, &ignored) == 0 && io.kind == kind &&
            stat(io.path, &st) == 0 && S_ISBLK(st.st_mode) && blockdev_disk(st.st_rdev) == disk)
            return io.number;
    }
    return rates[kind];
}

static int explain_disk(const struct subject *s, dev_t disk, struct evidence *ret, struct err *e)
{
    _cleanup_free_ char *path = NULL;
    uint64_t rates[RATES];
    char text[RATES][SIZE_TEXT];
    struct err absent = {0};
    enum evidence_state state = EVIDENCE_HOLDS;
    if (read_rates(s, disk, rates, &path, &absent) < 0)
        return evidence_add(ret, 4, EVIDENCE_NOT_ENFORCED, "block I/O", "", e,
                            "this kernel limits no block I/O by control group here");
    for (int i = 0; i < RATES; i++) {
        uint64_t most = planned(s, (enum plan_io_kind)i, disk);
        bool free_rate = most == PLAN_UNSET || most == PLAN_UNLIMITED;
        rate_text(rates[i], i < 2, text[i]);
        if (!free_rate && (rates[i] == PLAN_UNSET || rates[i] > most))
            state = EVIDENCE_BROKEN;
        else if (free_rate && rates[i] == PLAN_UNSET && state == EVIDENCE_HOLDS)
            state = EVIDENCE_GRANTED;
    }
    return evidence_add(ret, 4, state, "block I/O in a second", path, e,
                        "disk %u:%u: reads %s in %s requests, writes %s in %s requests", major(disk),
                        minor(disk), text[PLAN_IO_READ_BPS], text[PLAN_IO_READ_IOPS], text[PLAN_IO_WRITE_BPS],
                        text[PLAN_IO_WRITE_IOPS]);
}

int limits_explain_io(const struct subject *s, struct evidence *ret, struct err *e)
{
    dev_t disk;
    enum cgroup_mode mode;
    struct err ignored = {0};
    if (!own_disk(&disk))
        return evidence_add(ret, 4, EVIDENCE_NOT_ENFORCED, "block I/O", "", e,
                            "not limited: no single disk holds the container's files");
    int r = limits_not_delegated(s, "blkio", "io.max", "block I/O", "", ret, e);
    if (r != 0)
        return r < 0 ? r : 0;
    r = explain_disk(s, disk, ret, e);
    if (r == 0 && cgroup_detect_mode(&mode, &ignored) == 0 && mode != CGROUP_V2)
        r = evidence_add(ret, 4, EVIDENCE_NOT_ENFORCED, "buffered writes", "", e,
                         "not limited: cgroup v1 counts reads and direct writes only");
    return r;
}
