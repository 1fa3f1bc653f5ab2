/* SPDX-License-Identifier: Apache-2.0 */
/* Getting an image from a registry: resolve, manifest, configuration, layers in parallel, one commit (pull.c). */
#pragma once

#include "image/credentials.h"
#include "image/image.h"
#include "image/platform.h"
#include "image/reference.h"

#define PULL_PARALLEL_DEFAULT 3
#define PULL_PARALLEL_MAX 16

enum pull_event_kind {
    PULL_RESOLVING,   /* asking the registry what the name is */
    PULL_LAYERS,      /* the manifest is known: `count` layers are needed; comes once */
    PULL_WAITING,     /* layer `index`: in the queue */
    PULL_EXISTS,      /* layer `index`: already here */
    PULL_DOWNLOADING, /* layer `index`: `done` of `total` bytes are hashed and unpacked */
    PULL_UNPACKING,   /* layer `index`: all bytes are here, the rest is being unpacked */
    PULL_DONE,        /* layer `index` */
};

struct pull_event {
    enum pull_event_kind kind;
    size_t index; /* of the layer, lowest 0 */
    size_t count; /* layers of the image */
    struct digest layer;
    uint64_t done;
    uint64_t total;
};

enum pull_policy {
    PULL_MISSING, /* only when the name is not known here */
    PULL_ALWAYS,  /* ask the registry; fetch what has changed */
    PULL_NEVER,
};

struct pull_options {
    struct platform platform; /* PLATFORM_HOST */
    bool plain_http;          /* --tls-verify=false: plain HTTP; refused unless the registry is on loopback */
    const char
        *ca_file; /* PEM file to trust instead of the system's; or NULL. certs.d is looked at when NULL */
    const struct credentials *credentials; /* or NULL: looked up for exactly this host */
    const char *token_host; /* HOST[:PORT] that may also receive the credentials to issue tokens; or NULL */
    unsigned parallel;      /* layers at once; 0: PULL_PARALLEL_DEFAULT */
    /* Called from several threads, one at a time. May be NULL. */
    void (*event)(const struct pull_event *event, void *context);
    /* Called when the manifest is known and before any layer byte is fetched; a negative result ends the pull with e. May be NULL. */
    int (*admit)(const struct reference *r, const struct digest *manifest, const void *document,
                 size_t length, void *context, struct err *e);
    void *context;
};

struct pull_result {
    struct digest digest; /* what the registry's name stood for: of the index when it is one */
    bool changed;         /* false: "Image is up to date" */
};

/* Blocks. On failure nothing is visible in the store. *ret_image as image_find gives it. */
int image_pull(const struct store *s, const struct reference *r, const struct pull_options *options,
               struct image **ret_image, struct pull_result *ret_result, struct err *e);

/* `casemate login`: asks the registry whether it takes these credentials. */
int image_check_login(const char *host, const struct pull_options *options, struct err *e);
