/* SPDX-License-Identifier: Apache-2.0 */
/* update: other limits for a container that exists. */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/json.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/oci/oci.h"
#include "oci/rootless.h"
#include "oci/systemd.h"

struct update_options {
    const char *resources; /* a file, "-" is standard input */
    struct oci_resources r;
};

/* A limit on the command line: bytes with a unit, plain numbers, -1 for none. */
static int set_number(void *target, const char *value, struct err *e)
{
    uint64_t number;
    if (str_equal(value, "-1")) {
        *(struct schema_number *)target = (struct schema_number){true, -1};
        return 0;
    }
    int r = num_parse_size(value, &number, e);
    if (r == 0)
        *(struct schema_number *)target =
            (struct schema_number){true, number > INT64_MAX ? INT64_MAX : (int64_t)number};
    return r;
}

#define AT(member) offsetof(struct update_options, member)
#define NUMBER(name, member, help)                                         \
    {                                                                      \
        name, 0, OPTION_CUSTOM, "N", help, AT(r.member), .set = set_number \
    }

static const struct option_entry table[] = {
    {"resources", 'r', OPTION_STRING, "FILE", "Limits as JSON (linux.resources); - is standard input",
     AT(resources), .complete = "files"},
    NUMBER("memory", memory.limit, "Memory in bytes"),
    NUMBER("memory-reservation", memory.reservation, "Memory that is kept when it is short"),
    NUMBER("memory-swap", memory.swap, "Memory and swap together"),
    NUMBER("kernel-memory", memory.kernel, "Ignored by current kernels"),
    NUMBER("kernel-memory-tcp", memory.kernel_tcp, "TCP buffers"),
    NUMBER("cpu-period", cpu.period, "Period of the processor quota, microseconds"),
    NUMBER("cpu-quota", cpu.quota, "Processor time in a period, microseconds"),
    NUMBER("cpu-burst", cpu.burst, "Quota that may be saved up, microseconds"),
    NUMBER("cpu-rt-period", cpu.realtime_period, "Real-time period"),
    NUMBER("cpu-rt-runtime", cpu.realtime_runtime, "Real-time budget"),
    NUMBER("cpu-share", cpu.shares, "Processor weight, 2 to 262144"),
    NUMBER("cpu-shares", cpu.shares, "The same"),
    NUMBER("cpu-idle", cpu.idle, "1: only what others leave"),
    NUMBER("blkio-weight", block_io.weight, "Block I/O weight, 10 to 1000"),
    NUMBER("pids-limit", pids.limit, "Processes"),
    {"cpuset-cpus", 0, OPTION_STRING, "LIST", "Processors to use", AT(r.cpu.cpus)},
    {"cpuset-mems", 0, OPTION_STRING, "LIST", "Memory nodes to use", AT(r.cpu.mems)},
    {0},
};

static int read_resources(const char *path, struct update_options *o, struct json_object **document,
                          struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = str_equal(path, "-") ? io_read_to_end(0, OCI_CONFIG_MAX, &text, e)
                                 : io_read_path(path, OCI_CONFIG_MAX, &text, e);
    if (r == 0)
        r = oci_resources_read(text.data ? text.data : "", text.length, &o->r, document, e);
    return r < 0 ? err_wrap(e, "--resources %s", path) : 0;
}

static int run(const struct invocation *in, struct err *e)
{
    struct update_options o = {0};
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    _cleanup_oci_cgroup_ struct oci_cgroup g = {0};
    _cleanup_json_ struct json_object *document = NULL;
    int r = options_apply(in, &o, e);
    if (r == 0 && o.resources)
        r = read_resources(o.resources, &o, &document, e);
    if (r == 0)
        r = oci_open_argument(in, true, &c, e);
    if (r == 0 && oci_container_status(&c) == OCI_STOPPED)
        r = err_set(e, EINVAL, "container not running");
    if (r == 0)
        r = oci_cgroup_open(&c.cgroup, &g, e);
    if (r == 0)
        r = oci_cgroup_set(&g, &o.r, e);
    if (r == 0 && o.r.devices.count > 0)
        r = oci_cgroup_set_devices(&g, &o.r.devices, e);
    if (r == 0 && c.scope)
        r = oci_scope_tell_limits(c.scope, oci_is_rootless(), &g, e);
    if (document)
        oci_resources_clear(&o.r);
    return r;
}

const struct verb oci_verb_update = {
    .name = "oci update",
    .group = VERB_HIDDEN,
    .usage = "CONTAINER",
    .summary = "Change the limits of a container",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {table},
    .run = run,
};
