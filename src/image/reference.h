/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of images: [HOST[:PORT]/]PATH[:TAG][@DIGEST], with the meaning that Docker gives to short ones
 * ("busybox" is docker.io/library/busybox:latest). Grammar: OCI distribution-spec 1.1, "Pulling manifests", and Docker's
 * rule for the first component: a host has a dot or a port, or is `localhost`.
 */
#pragma once

#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"

#define REFERENCE_NAME_MAX 255 /* host and path with the slash between them */
#define REFERENCE_TAG_MAX 128
#define REFERENCE_TEXT_MAX (REFERENCE_NAME_MAX + 1 + REFERENCE_TAG_MAX + 1 + DIGEST_TEXT_LENGTH)

#define REFERENCE_DEFAULT_HOST "docker.io"
#define REFERENCE_DEFAULT_TAG "latest"

struct reference {
    char host[REFERENCE_NAME_MAX + 1]; /* lower case; "docker.io", "localhost:5000", "[::1]:5000" */
    char path[REFERENCE_NAME_MAX + 1]; /* "library/busybox" */
    char tag[REFERENCE_TAG_MAX + 1];   /* "" when there is only a digest */
    bool has_digest;
    struct digest digest;
};

/* Strict. A name without tag and digest gets the default tag. */
int reference_parse(const char *text, struct reference *ret_reference, struct err *e);

/* HOST[:PORT] alone, as `login` takes it; NULL or "" is the default registry. ret_host: REFERENCE_NAME_MAX + 1 bytes. */
int reference_parse_host(const char *text, char *ret_host, struct err *e);

/* True when the host part names this machine's loopback: localhost, 127.0.0.0/8, ::1. */
bool reference_host_is_loopback(const char *host);

/* Where the registry of this host part answers: "docker.io" lives at another name. Borrowed from the argument or static. */
const char *reference_api_host(const char *host);

/* All of these write at most REFERENCE_TEXT_MAX + 1 bytes. */
void reference_format(const struct reference *r,
                      char *ret_text); /* docker.io/library/busybox:latest[@sha256:…] */
void reference_format_familiar(const struct reference *r, char *ret_text); /* busybox:latest[@sha256:…] */
void reference_format_name(const struct reference *r, char *ret_text);     /* docker.io/library/busybox */
void reference_format_familiar_name(const struct reference *r, char *ret_text); /* busybox */

/* The two keys under which the index knows an image: "NAME:TAG" and "NAME@DIGEST". */
void reference_format_tagged(const struct reference *r, char *ret_text);
void reference_format_digested(const struct reference *r, const struct digest *d, char *ret_text);
