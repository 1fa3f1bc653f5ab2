/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `casemate load`: images from an archive of `docker save` (any version) or an OCI layout in a tar, plain, gzip or zstd, from
 * a file or a pipe. The archive is spooled by casemate-unpack into a staging directory, its documents are parsed by
 * casemate-parse, every digest is checked here. Only names that the archive itself gives are set.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "image/platform.h"
#include "store/root.h"

struct load_options {
    struct platform
        platform;   /* platform_host() unless asked otherwise: chosen where the archive has several */
    bool installed; /* the archive is the installation's own: its names are, too */
    /* Told the bytes of the archive that were read, then of each layer. May be NULL. */
    void (*progress)(const char *what, uint64_t done, uint64_t total, void *context);
    void *context;
};

struct load_result {
    struct str_list names; /* familiar form, in the archive's order: "Loaded image: NAME" */
    struct str_list ids;   /* "sha256:…" of images that came without a name: "Loaded image ID: …" */
};

void load_result_clear(struct load_result *r);
#define _cleanup_load_result_ _cleanup_(load_result_clear)

/* Blocks. Images are committed one by one; on failure those before the failing one are in the store and in *ret_result
 * (which is always set and must be cleared). */
int image_load(const struct store *s, int archive_fd, const struct load_options *options,
               struct load_result *ret_result, struct err *e);
