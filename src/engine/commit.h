/* SPDX-License-Identifier: Apache-2.0 */
/* An image of what a container has become: its image's layers, one more of its writable layer, and a configuration of ours. */
#pragma once

#include "engine/container.h"
#include "image/history.h"

struct commit_request {
    const char *name;    /* reference, or NULL */
    const char *author;  /* or NULL */
    const char *message; /* or NULL */
    /* Names of variables that were given to the container, look like secrets, and are therefore not in the image. */
    struct str_list *left_out;
    bool pause; /* its processes stand still meanwhile */
    /* Last changes to the configuration (--change). */
    int (*change)(struct image *i, void *context, struct err *e);
    void *context;
};

/* ret_id: DIGEST_HEX_LENGTH + 1 bytes. */
int commit_container(const struct store *s, struct container *c, const struct commit_request *request,
                     char *ret_id, struct err *e);
