/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 3, API and network: no API without mutual TLS; ports on loopback; no way to the host, the metadata service or each other. */
#include <errno.h>

#include "practices/refuse.h"
#include "practices/registry.h"

static int apply(struct practice_run *run, struct err *e)
{
    const char *network = run->plan->network;
    if (!network || str_equal(network, "none"))
        return str_replace(&run->plan->network, "none", e);
    if (str_equal(network, "host"))
        return err_refuse(e, 3,
                          "--network host is refused: a container has a network namespace of its own, and "
                          "this version cannot "
                          "share the host's even by policy; use --network none");
    return err_set(e, ENOTSUP, "--network %s: networks are not supported yet; a container has --network none",
                   network);
}

const struct practice practice_network = {
    .number = 3,
    .id = "network",
    .title = "API and network",
    .what = "has no open API and gives a container no way to the host, the metadata service or others",
    .missing = "there is no API to protect and no network but loopback",
    .apply = apply,
};
