/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block I/O of a control group (cgroup_limits.h): rates by disk (v1 throttle files, v2 io.max) and weights, which exist where the BFQ scheduler
 * or, on v2, the cost model is in use. A rate that nobody has asked for is not worth failing a start where the kernel cannot limit the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/io.h"
#include "runtime/cgroup_limits.h"

#define RATE_TEXT 24
#define RATES 4

static int io_dir(const struct cgroup *g)
{
    return g->mode == CGROUP_V2 ? g->unified : g->dirs[CGROUP_BLKIO];
}

static bool has_file(int dir, const char *name)
{
    return dir >= 0 && faccessat(dir, name, F_OK, 0) == 0;
}

static void rate_text(uint64_t rate, char ret[RATE_TEXT])
{
    if (rate == SPEC_UNSET || rate == SPEC_UNLIMITED)
        (void)snprintf(ret, RATE_TEXT, "max");
    else
        (void)snprintf(ret, RATE_TEXT, "%llu", (unsigned long long)rate);
}

static int set_rates_v2(int dir, const struct spec_io *io, struct err *e)
{
    char text[RATES][RATE_TEXT];
    const uint64_t rates[RATES] = {io->read_bps, io->write_bps, io->read_iops, io->write_iops};
    for (int i = 0; i < RATES; i++)
        rate_text(rates[i], text[i]);
    return io_write_existingf_at(dir, "io.max", e, "%u:%u rbps=%s wbps=%s riops=%s wiops=%s", major(io->disk),
                                 minor(io->disk), text[0], text[1], text[2], text[3]);
}

static int set_rates_v1(int dir, const struct spec_io *io, struct err *e)
{
    const struct {
        const char *file;
        uint64_t rate;
    } rates[RATES] = {{"blkio.throttle.read_bps_device", io->read_bps},
                      {"blkio.throttle.write_bps_device", io->write_bps},
                      {"blkio.throttle.read_iops_device", io->read_iops},
                      {"blkio.throttle.write_iops_device", io->write_iops}};
    int r = 0;
    for (int i = 0; i < RATES && r == 0; i++)
        if (rates[i].rate != SPEC_UNSET && rates[i].rate != SPEC_UNLIMITED)
            r = io_write_existingf_at(dir, rates[i].file, e, "%u:%u %llu", major(io->disk), minor(io->disk),
                                      (unsigned long long)rates[i].rate);
    return r;
}

static bool has_rates(const struct spec_io *io)
{
    const uint64_t rates[RATES] = {io->read_bps, io->write_bps, io->read_iops, io->write_iops};
    for (int i = 0; i < RATES; i++)
        if (rates[i] != SPEC_UNSET && rates[i] != SPEC_UNLIMITED)
            return true;
    return false;
}

static int set_rates(const struct cgroup *g, const struct spec_io *io, struct err *e)
{
    int dir = io_dir(g);
    struct err failed = {0};
    if (!has_rates(io))
        return 0;
    int r = !has_file(dir, g->mode == CGROUP_V2 ? "io.max" : "blkio.throttle.read_bps_device")
                ? err_set(&failed, ENOSYS,
                          "the kernel has no controller of block I/O, so this limit cannot be enforced")
            : g->mode == CGROUP_V2 ? set_rates_v2(dir, io, &failed)
                                   : set_rates_v1(dir, io, &failed);
    if (r == 0 || !io->asked)
        return 0;
    *e = failed;
    return err_wrap(e, "limit block I/O with disk %u:%u", major(io->disk), minor(io->disk));
}

/* The file that takes weights; *ret_scaled: its range is 1 to 10000, not 1 to 1000. disk: the one for single disks. */
static const char *weight_file(const struct cgroup *g, bool disk, bool *ret_scaled)
{
    int dir = io_dir(g);
    const char *bfq = g->mode == CGROUP_V2 ? "io.bfq.weight"
                      : disk               ? "blkio.bfq.weight_device"
                                           : "blkio.bfq.weight";
    *ret_scaled = false;
    if (has_file(dir, bfq))
        return bfq;
    *ret_scaled = true;
    return g->mode == CGROUP_V2 && has_file(dir, "io.weight") ? "io.weight" : NULL;
}

/* disk: NULL for all disks. */
static int set_weight(const struct cgroup *g, uint64_t weight, const dev_t *disk, struct err *e)
{
    bool scaled;
    const char *file = weight_file(g, disk != NULL, &scaled);
    if (!file)
        return err_set(
            e, ENOSYS,
            "the kernel has no weights of block I/O here (they need the BFQ scheduler), so --blkio-weight "
            "cannot be enforced");
    if (scaled)
        weight = 1 + (weight - 10) * 9999 / 990;
    if (disk)
        return io_write_existingf_at(io_dir(g), file, e, "%u:%u %llu", major(*disk), minor(*disk),
                                     (unsigned long long)weight);
    return io_write_existingf_at(io_dir(g), file, e, "%llu", (unsigned long long)weight);
}

int cgroup_set_io(const struct cgroup *g, const struct spec_resources *r, struct err *e)
{
    int result = r->blkio_weight == SPEC_UNSET ? 0 : set_weight(g, r->blkio_weight, NULL, e);
    for (size_t i = 0; i < r->io_count && result == 0; i++) {
        const struct spec_io *io = &r->io[i];
        result = set_rates(g, io, e);
        if (result == 0 && io->weight != SPEC_UNSET)
            result = set_weight(g, io->weight, &io->disk, e);
    }
    return result;
}
