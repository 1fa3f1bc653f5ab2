/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of `docker run` and `docker create` that Casemate does not have, and those of which it has one value only. Each says so, and what
 * to do instead where there is something.
 */
#include "cli/run_options.h"
#include "cli/run_setters.h"

#define NETWORK " yet: containers have no network but loopback (--network none)"
#define WINDOWS ": it is for other systems than Linux"
#define BLOCK_IO " yet: block I/O has no limits so far"

#define NO(option, value, why)                          \
    {                                                   \
        (option), 0, OPTION_UNSUPPORTED, (value), (why) \
    }
#define ONLY(option, value, what, setter, words)                                      \
    {                                                                                 \
        (option), 0, OPTION_CUSTOM, (value), (what), 0, (setter), .complete = (words) \
    }

const struct option_entry run_unsupported_options[] = {
    ONLY("cgroupns", "WORD", "Control-group namespace: private is what there is", run_set_namespace,
         "private"),
    ONLY("ipc", "WORD", "IPC namespace: private is what there is", run_set_namespace, "private"),
    ONLY("log-driver", "DRIVER", "Log driver: json-file is what there is", run_set_log_driver, "json-file"),
    ONLY("pid", "WORD", "PID namespace: private is what there is", run_set_namespace, "private"),
    {"privileged", 0, OPTION_CUSTOM, NULL, "Refused: grant capabilities one by one instead", 0,
     run_set_privileged},
    ONLY("userns", "WORD", "User namespace: private is what there is", run_set_namespace, "private"),
    ONLY("uts", "WORD", "UTS namespace: private is what there is", run_set_namespace, "private"),
    NO("add-host", "HOST:IP", NETWORK),
    NO("annotation", "KEY=VALUE", ": use --label"),
    NO("blkio-weight", "WEIGHT", BLOCK_IO),
    NO("blkio-weight-device", "DEVICE", BLOCK_IO),
    NO("cgroup-parent", "PATH", ": all containers are below one control group"),
    NO("cpu-count", "N", WINDOWS),
    NO("cpu-percent", "N", WINDOWS),
    NO("cpu-period", "N", ": use --cpus"),
    NO("cpu-quota", "N", ": use --cpus"),
    NO("cpu-rt-period", "N", ": real-time scheduling is not for containers"),
    NO("cpu-rt-runtime", "N", ": real-time scheduling is not for containers"),
    {"cpu-shares", 'c', OPTION_UNSUPPORTED, "N", ": use --cpus"},
    NO("cpuset-mems", "LIST", " yet"),
    NO("device", "DEVICE", " yet: containers have the devices of /dev that every program needs"),
    NO("device-cgroup-rule", "RULE", " yet: containers have the devices of /dev that every program needs"),
    NO("device-read-bps", "LIMIT", BLOCK_IO),
    NO("device-read-iops", "LIMIT", BLOCK_IO),
    NO("device-write-bps", "LIMIT", BLOCK_IO),
    NO("device-write-iops", "LIMIT", BLOCK_IO),
    NO("disable-content-trust", NULL, " yet: signatures are not verified"),
    NO("dns", "IP", NETWORK),
    NO("dns-opt", "OPTION", NETWORK),
    NO("dns-option", "OPTION", NETWORK),
    NO("dns-search", "DOMAIN", NETWORK),
    NO("expose", "PORT", NETWORK),
    NO("gpus", "REQUEST", " yet"),
    NO("io-maxbandwidth", "N", WINDOWS),
    NO("io-maxiops", "N", WINDOWS),
    NO("ip", "ADDRESS", NETWORK),
    NO("ip6", "ADDRESS", NETWORK),
    NO("isolation", "TECHNOLOGY", WINDOWS),
    NO("kernel-memory", "SIZE", ": the kernel's memory counts in --memory"),
    NO("link", "CONTAINER", NETWORK),
    NO("link-local-ip", "ADDRESS", NETWORK),
    NO("log-opt", "OPTION", " yet: logs rotate by themselves"),
    NO("mac-address", "ADDRESS", NETWORK),
    NO("memory-reservation", "SIZE", ": use --memory"),
    NO("memory-swappiness", "N", ": containers do not swap unless --memory-swap says so"),
    NO("net-alias", "NAME", NETWORK),
    NO("network-alias", "NAME", NETWORK),
    NO("oom-kill-disable", NULL, ": a container that is out of memory must end before the host does"),
    NO("oom-score-adj", "N", ": containers go before the programs of the host"),
    {"publish", 'p', OPTION_UNSUPPORTED, "PORTS", NETWORK},
    {"publish-all", 'P', OPTION_UNSUPPORTED, NULL, NETWORK},
    NO("runtime", "NAME", ": Casemate is the runtime"),
    NO("storage-opt", "OPTION", " yet"),
    NO("use-api-socket", NULL, ": no container gets the engine's socket"),
    NO("volume-driver", "DRIVER", ": volumes are directories of the host"),
    NO("volumes-from", "CONTAINER", " yet: name each volume with --volume"),
    {0},
};
