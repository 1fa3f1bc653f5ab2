/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of `cp`, by direction. */
#pragma once

#include "base/err.h"

struct copy_options {
    bool archive;     /* -a: owners too */
    bool follow_link; /* -L */
    bool quiet;
    const char *container; /* name or id, as typed */
    const char *inside;    /* path in the container, as typed */
    const char *outside;   /* path of the host or "-" */
};

int copy_to_container(const struct copy_options *o, struct err *e);
int copy_from_container(const struct copy_options *o, struct err *e);
