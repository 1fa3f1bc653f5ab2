/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's side of casemate-seccomp: has one filter compiled. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "seccomp/tables.h"

/* What a filter is made from. */
struct filter_source {
    const char *profile;     /* JSON text; NULL: our default profile */
    size_t length;           /* of `profile` */
    uint64_t capabilities;   /* bit n: capability n */
    uint32_t kernel_version; /* major * 1000 + minor */
    bool judge;              /* the profile may not name more than the ceiling allows */
    bool runtime;            /* the profile is read as the OCI runtime does (seccomp/profile.h) */
};

/* *ret_filter is the caller's to free(), code included. */
int filter_compile(const struct filter_source *source, struct filter **ret_filter, struct err *e);

/* A filter with room for `instructions`, in one piece of memory; NULL when out of memory. */
struct filter *filter_new(size_t instructions, struct sock_filter **ret_code);

/* Whether these are instructions that the compiler makes, each jump within the program and its end a return. What does not look like
 * this is not handed to the kernel. */
int filter_check(const struct sock_filter *code, size_t instructions, struct err *e);
