/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of `docker run` and `docker create` that Casemate does not have, and those of which it has one value only. Each says so, and what
 * to do instead where there is something.
 */
#include "cli/run_options.h"
#include "cli/run_setters.h"

#define NETWORK " yet: containers have no network but loopback (--network none)"
#define PUBLISH \
    " yet: containers have no network but loopback, so no port would be reachable; --expose describes one"
#define WINDOWS ": it is for other systems than Linux"

#define NO(option, value, why)                          \
    {                                                   \
        (option), 0, OPTION_UNSUPPORTED, (value), (why) \
    }
#define ONLY(option, value, what, setter, words)                                      \
    {                                                                                 \
        (option), 0, OPTION_CUSTOM, (value), (what), 0, (setter), .complete = (words) \
    }

const struct option_entry run_unsupported_options[] = {
    {"privileged", 0, OPTION_CUSTOM, NULL, "Refused: grant capabilities one by one instead", 0,
     run_set_privileged},
    NO("cgroup-parent", "PATH",
       ": all containers are below one control group, which keeps the reserve of the host"),
    NO("env-host", NULL,
       ": it would hand every variable of this shell to the container, secrets too; name each: -e NAME"),
    NO("cpu-count", "N", WINDOWS),
    NO("cpu-percent", "N", WINDOWS),
    NO("cpu-rt-period", "N", ": real-time scheduling is not for containers"),
    NO("cpu-rt-runtime", "N", ": real-time scheduling is not for containers"),
    NO("device-cgroup-rule", "RULE",
       ": a rule for numbers opens devices that nobody has named; use --device PATH"),
    NO("disable-content-trust", NULL, " yet: signatures are not verified"),
    NO("gpus", "REQUEST",
       ": the driver's own hook would run as root on the host; name its nodes with --device"),
    NO("io-maxbandwidth", "N", WINDOWS),
    NO("io-maxiops", "N", WINDOWS),
    NO("ip", "ADDRESS", NETWORK),
    NO("ip6", "ADDRESS", NETWORK),
    NO("kernel-memory", "SIZE", ": the kernel's memory counts in --memory"),
    NO("link", "CONTAINER",
       ": containers reach each other over networks, which are not there yet (--network none)"),
    NO("link-local-ip", "ADDRESS", NETWORK),
    NO("mac-address", "ADDRESS", NETWORK),
    NO("net-alias", "NAME", NETWORK),
    NO("network-alias", "NAME", NETWORK),
    {"publish", 'p', OPTION_UNSUPPORTED, "PORTS", PUBLISH},
    {"publish-all", 'P', OPTION_UNSUPPORTED, NULL, PUBLISH},
    NO("runtime", "NAME", ": Casemate is the runtime, so that the practices hold"),
    NO("use-api-socket", NULL, ": no container gets the engine's socket"),
    ONLY("volume-driver", "DRIVER", "Volume driver: local is what there is", run_set_volume_driver, "local"),
    {0},
};
