/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's side of casemate-fetch: one session with one registry. What comes back is checked here, down to the last byte. */
#pragma once

#include "base/buf.h"
#include "base/digest.h"
#include "base/messages.h"
#include "base/worker.h"
#include "image/pull.h"

struct fetch {
    struct worker worker;
};

#define FETCH_INIT            \
    {                         \
        .worker = WORKER_INIT \
    }

/* Starts a session for `host` (as in struct reference) and `path` ("" for fetch_ping only). Credentials and certificates are looked up for
 * exactly this host. */
int fetch_open(const char *host, const char *path, const struct pull_options *options, struct fetch *ret,
               struct err *e);
void fetch_close(struct fetch *f);
#define _cleanup_fetch_ _cleanup_(fetch_close)

/* Logs in. */
int fetch_ping(struct fetch *f, struct err *e);

/* A manifest or an index by tag or digest ("sha256:…"): at most `max` bytes. What the registry says of it is in *ret_found; the digest is
 * not compared here. */
int fetch_manifest(struct fetch *f, const char *name, size_t max, struct buf *ret_text,
                   struct message_fetch_found *ret_found, struct err *e);

/* A blob of exactly `size` bytes, and with this digest. */
int fetch_blob(struct fetch *f, const struct digest *digest, uint64_t size, struct buf *ret_data,
               struct err *e);

/* Begins a blob: returns the end of a pipe from which it comes. Close it, then hear how it went with fetch_finish. */
int fetch_begin(struct fetch *f, const struct digest *digest, uint64_t size, struct err *e);
int fetch_finish(struct fetch *f, struct err *e);
