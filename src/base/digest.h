/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 digests as registries write them: "sha256:" and 64 lower-case hexadecimal digits (OCI image-spec, descriptor.md). */
#pragma once

#include <nettle/sha2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

#define DIGEST_BYTES 32
#define DIGEST_HEX_LENGTH 64
#define DIGEST_TEXT_LENGTH 71 /* without the NUL */

struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

/* A running hash. Initialise with digest_start. */
struct digest_state {
    struct sha256_ctx context;
};

/* Only sha256 is known: others are an error that says so. */
int digest_parse(const char *text, struct digest *ret_digest, struct err *e);
/* Exactly 64 digits, without the prefix. */
int digest_parse_hex(const char *hex, struct digest *ret_digest, struct err *e);

/* With prefix: DIGEST_TEXT_LENGTH + 1 bytes. */
void digest_format(const struct digest *d, char *ret_text);
/* Without prefix: DIGEST_HEX_LENGTH + 1 bytes. */
void digest_format_hex(const struct digest *d, char *ret_text);

static inline bool digest_equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}

void digest_start(struct digest_state *s);
void digest_update(struct digest_state *s, const void *data, size_t length);
void digest_finish(struct digest_state *s, struct digest *ret_digest);

void digest_of(const void *data, size_t length, struct digest *ret_digest);
