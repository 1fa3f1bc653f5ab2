/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of Docker that are not here (absent.h). One that comes loses its line. */
#include "cli/absent.h"

#include <stddef.h>

#include "base/str.h"

#define BUILD                                                                                             \
    "is not there yet: build with another tool, such as buildah, and take the image over with 'casemate " \
    "load'"
#define CLUSTER "is not there: there is no cluster, each machine runs its own containers"
#define REGISTRY \
    "is not there yet: what 'casemate save' writes can be pushed with another tool, such as skopeo"
#define TRUST "is not there yet: images are pinned by name@sha256:DIGEST"
#define API "is not there yet: each command works on this machine, without an API"

static const struct {
    const char *word, *why;
} absent[] = {
    {"bake", BUILD},
    {"build", BUILD},
    {"builder", BUILD},
    {"buildx", BUILD},
    {"checkpoint", "is not there: 'casemate pause' holds a container as it is"},
    {"compose", "is not there yet: start each service with 'casemate run'"},
    {"config", CLUSTER},
    {"context", API},
    {"daemon", "is not there: no container needs a daemon"},
    {"manifest", REGISTRY},
    {"network", "is not there yet: containers have no network but loopback"},
    {"node", CLUSTER},
    {"plugin", "is not there: there are no plugins, which would run as root"},
    {"push", REGISTRY},
    {"sbom", "is not there yet: images are not scanned"},
    {"scan", "is not there yet: images are not scanned"},
    {"scout", "is not there yet: images are not scanned"},
    {"search", "is not there: registries have no common way to search them; pull by name"},
    {"secret", "is not there yet: bind a file, readable to the container's user only: --mount "
               "type=bind,source=FILE,target=/run/secrets/NAME,readonly"},
    {"service", CLUSTER},
    {"stack", CLUSTER},
    {"swarm", CLUSTER},
    {"trust", TRUST},
};

const char *absent_command(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
        if (str_equal(absent[i].word, word))
            return absent[i].why;
    return NULL;
}
