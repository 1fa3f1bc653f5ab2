/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling as the command line does it: the policy's word about the registry, messages and progress on stderr. For pull, run and create. */
#pragma once

#include "image/pull.h"

/* How a registry is reached; shared by pull and login. */
struct registry_access {
    bool tls_verify; /* --tls-verify: true unless said otherwise */
    const char *ca_file;
};

struct pull_request {
    const struct platform *platform;
    struct registry_access access;
    bool quiet;
    bool missing; /* the image was looked for here first */
};

int pull_image(const struct store *s, const struct reference *r, const struct pull_request *request,
               struct image **ret_image, struct pull_result *ret_result, struct err *e);

/* Fills plain_http and ca_file from the options and the policy. What is borrowed lives as long as `policy`, which the caller clears. */
struct policy;
int registry_prepare(const char *host, const struct registry_access *access, struct policy *policy,
                     struct pull_options *options, struct err *e);
