/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image as the engine sees it: the validated record. Everything in it was checked when the image came in (in the
 * parse worker, and again here when the record is read), so that `run` parses nothing that is not ours.
 *
 * What the record promises: texts are UTF-8 without NUL; `user` names a user or holds numbers below 2^31; `working_dir` is
 * absolute and has no ".." in it; every `env` entry is NAME=VALUE; volumes are absolute, clean and not /, /proc, /sys or
 * /dev (nor below the last three); `layers` has at most IMAGE_LAYERS_MAX entries, the lowest first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compression.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "store/index.h"
#include "store/root.h"

#define IMAGE_LAYERS_MAX 127
#define IMAGE_RECORD_VERSION 1
#define IMAGE_RECORD_MAX (4U << 20) /* bytes of record.json */

struct image_layer {
    struct digest blob; /* of the bytes as served: names the directory in layers/ */
    uint64_t size;      /* of those bytes */
    struct digest diff_id;
    enum layer_compression compression;
};

struct image_healthcheck {
    struct str_list test; /* Docker's form: "NONE" | "CMD", args… | "CMD-SHELL", command; empty: none given */
    uint64_t interval;    /* nanoseconds; 0: default */
    uint64_t timeout;     /* nanoseconds; 0: default */
    uint64_t start_period; /* nanoseconds */
    uint64_t start_interval;
    uint64_t retries; /* 0: default */
};

struct image {
    char id[DIGEST_HEX_LENGTH + 1]; /* digest of the configuration, without "sha256:" */
    struct digest manifest; /* digest of the manifest it came by; zero for images from Docker archives */
    char *os;               /* "linux" */
    char *architecture;     /* "amd64", "arm64" */
    char *variant;          /* or NULL */
    int64_t created;        /* ns since the epoch; 0: not known */
    char *author;           /* or NULL */
    struct str_list env;
    struct str_list entrypoint;
    struct str_list cmd;
    char *user;                    /* "" when none is given */
    char *working_dir;             /* "" when none is given */
    struct str_list labels;        /* KEY=VALUE; a key has no '=' */
    struct str_list exposed_ports; /* "80/tcp" */
    struct str_list volumes;
    char *stop_signal; /* NULL, or a signal name ("SIGTERM") or number of Linux */
    struct str_list shell;
    struct image_healthcheck healthcheck;
    uint64_t history_count;
    struct image_layer layers[IMAGE_LAYERS_MAX];
    size_t layer_count;
    uint64_t size; /* sum of the layers as served */

    /* Not part of the record: */
    struct str_list
        names; /* references that point here, familiar form ("busybox:latest", "busybox@sha256:…") */
    struct str_list vouched; /* those of them that grants go by: not what an archive calls itself */
    int64_t pulled;          /* ns: when it came in; from the index */
    int64_t used;            /* ns: when a container of it was last started; 0: never */
};

void image_free(struct image *i);
DEFINE_CLEANUP(struct image *, image_free);
#define _cleanup_image_ _cleanup_(image_freep)

/* A layer may occur twice in an image, which an overlay does not take: writes the indexes of the distinct layers, lowest
 * first, each at its highest place (the result is the same file system), and returns how many. */
size_t image_distinct_layers(const struct image *i, size_t ret_index[IMAGE_LAYERS_MAX]);

/* The image that a user means: NAME[:TAG][@DIGEST], an id or a unique prefix of one, with or without "sha256:".
 * -ENOENT "No such image: X"; -EEXIST when a prefix fits several. */
int image_find(const struct store *s, const char *text, struct image **ret_image, struct err *e);

/* All images, newest first. */
struct image_list {
    struct image **items;
    size_t count;
};
void image_list_clear(struct image_list *list);
#define _cleanup_image_list_ _cleanup_(image_list_clear)
int image_list(const struct store *s, struct image_list *ret_list, struct err *e);

/* Gives the image one more name (which may have pointed to another image). */
int image_tag(const struct store *s, const char *source, const char *target, struct err *e);

/* Notes that a container of the image with this id was started (for --unused and pruning): one cheap system call, no database. */
void image_mark_used(const struct store *s, const char *id);

/* `casemate rmi`. */
struct image_remove_options {
    bool
        force; /* several names at once; names of an image that containers use (the image itself then stays) */
    /* Says whether a container (running or not) uses the image, and which one; from the engine. May be NULL: none does. */
    bool (*in_use)(const struct image *i, char ret_container[DIGEST_HEX_LENGTH + 1], void *context);
    void *context;
};
struct image_removed {
    struct str_list untagged; /* familiar names */
    struct str_list deleted;  /* "sha256:…": the image, then layers that no other image needs */
};
void image_removed_clear(struct image_removed *r);
#define _cleanup_image_removed_ _cleanup_(image_removed_clear)
int image_remove(const struct store *s, const char *text, const struct image_remove_options *options,
                 struct image_removed *ret_removed, struct err *e);

/* Removes images that have no name (`all`: also named ones that in_use does not claim). */
int image_prune(const struct store *s, bool all, const struct image_remove_options *options,
                struct image_removed *ret_removed, uint64_t *ret_bytes, struct err *e);

/* Adds an image whose layers are all in the store, with names ("docker.io/library/x:tag", full form), in one commit. The raw
 * documents are kept beside the record; either may be empty. `origin`: whose word the names are. For pull and load; hold image_hold() since before the first layer. */
struct image_documents {
    const void *manifest;
    size_t manifest_length;
    const void *config;
    size_t config_length;
};
int image_commit(const struct store *s, const struct image *i, const struct image_documents *documents,
                 const struct str_list *names, enum index_origin origin, struct err *e);

/* While this descriptor is open nobody removes layers that no image uses yet. */
int image_hold(const struct store *s, struct err *e);

/* Mends what killed commands have left: layers of no image, directories of images without a row, rows without their files.
 * Does nothing while somebody holds image_hold(). */
int image_mend(const struct store *s, struct err *e);
