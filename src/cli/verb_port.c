/* SPDX-License-Identifier: Apache-2.0 */
/* casemate port: published ports of a container. None can be published yet: the list is empty. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "cli/containers.h"

#define PORT_MAX 65535

/* "80", "80/tcp" */
static int check_port(const char *text, struct err *e)
{
    _cleanup_free_ char *number = NULL;
    uint64_t port;
    const char *slash = strchrnul(text, '/');
    struct err none = {0};
    int r = str_copy_n(text, (size_t)(slash - text), &number, e);
    if (r < 0)
        return r;
    bool protocol =
        !*slash || str_equal(slash, "/tcp") || str_equal(slash, "/udp") || str_equal(slash, "/sctp");
    if (!protocol || num_parse_u64(number, PORT_MAX, &port, &none) < 0 || port == 0)
        return err_set(e, EINVAL, "invalid port '%s': PORT or PORT/PROTOCOL", text);
    return 0;
}

static int run(const struct invocation *in, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_container_ struct container c = CONTAINER_INIT;
    const char *port = in->argument_count > 1 ? in->arguments[1] : NULL;
    int r = containers_open(&s, in->arguments[0], &c, e);
    if (r == 0 && port)
        r = check_port(port, e);
    if (r == 0 && port)
        r = err_set(e, ENOENT, "No public port '%s%s' published for %s", port,
                    strchr(port, '/') ? "" : "/tcp", in->arguments[0]);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_port = {
    .name = "port",
    .aliases = "container port",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER [PORT[/PROTOCOL]]",
    .summary = "List the published ports of a container",
    .arguments_min = 1,
    .arguments_max = 2,
    .complete = "containers",
    .run = run,
};
