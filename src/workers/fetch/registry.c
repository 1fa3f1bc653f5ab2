/* SPDX-License-Identifier: Apache-2.0 */
/* The registry's API (OCI distribution-spec 1.1): log in, get a manifest, get a blob (fetch.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "workers/fetch/fetch.h"

#define REDIRECTS_MAX 5
#define CHALLENGES_MAX 2
#define TRIES_MAX 5
#define PAUSE_FIRST_US 300000U
#define PAUSE_SECONDS_MAX 20U
#define COMPLAINT_MAX 300

static const char *const manifest_headers[] = {
    "Accept: application/vnd.oci.image.index.v1+json",
    "Accept: application/vnd.oci.image.manifest.v1+json",
    "Accept: application/vnd.docker.distribution.manifest.list.v2+json",
    "Accept: application/vnd.docker.distribution.manifest.v2+json",
    NULL,
};

/* Body bytes on their way to the engine. */
struct delivery {
    int out;
    uint64_t done; /* bytes written */
    uint64_t max;
    const struct request *request; /* the one under way */
    bool begun;
    uint64_t skip; /* bytes of a body that starts again from its beginning, although it was asked to go on */
};

static int deliver(const void *data, size_t length, void *context, struct err *e)
{
    struct delivery *d = context;
    if (!d->begun) {
        d->begun = true;
        d->skip = d->request->answer.status == 200 ? d->request->from : 0;
    }
    uint64_t skipped = d->skip < length ? d->skip : length;
    d->skip -= skipped;
    data = (const char *)data + skipped;
    length -= (size_t)skipped;
    if (length > d->max - d->done)
        return err_set(e, EFBIG, "the registry sends more than the %llu bytes that it should",
                       (unsigned long long)d->max);
    int r = io_write_all(d->out, data, length, e);
    if (r == 0)
        d->done += length;
    return r;
}

/* The registry's own words, from {"errors": [{"message": …}]}. */
static void read_complaint(const struct buf *body, char text[COMPLAINT_MAX])
{
    struct err ignored = {0};
    struct json_object *errors = NULL;
    const char *message = NULL;
    _cleanup_json_ struct json_object *o = NULL;
    text[0] = '\0';
    if (body->length == 0 || json_parse(body->data, body->length, &o, &ignored) < 0 ||
        !json_object_is_type(o, json_type_object) || json_get_array(o, "errors", &errors, &ignored) != 1 ||
        json_object_array_length(errors) == 0)
        return;
    struct json_object *first = json_object_array_get_idx(errors, 0);
    if (json_object_is_type(first, json_type_object) &&
        json_get_string(first, "message", &message, &ignored) == 1)
        (void)snprintf(text, COMPLAINT_MAX, ": %s", message);
}

static int refuse(const struct request *q, struct err *e)
{
    char said[COMPLAINT_MAX];
    read_complaint(&q->error_body, said);
    switch (q->answer.status) {
    case 401:
    case 403:
        return err_set(e, EACCES, "the registry denies access (status %ld)%s", q->answer.status, said);
    case 404:
        return err_set(e, ENOENT, "not found at the registry%s", said);
    case 429:
        return err_set(e, EBUSY,
                       "the registry has had too many requests%s: try again later, or casemate login", said);
    default:
        return err_set(e, EIO, "the registry answers with status %ld%s", q->answer.status, said);
    }
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Location may be relative to the URL that was asked for. */
static int resolve(const char *base, const char *location, char **ret_url, struct err *e)
{
    CURLU *u = curl_url();
    char *text = NULL;
    int r = u ? 0 : err_oom(e);
    if (r == 0 && (!*location || curl_url_set(u, CURLUPART_URL, base, 0) != CURLUE_OK ||
                   curl_url_set(u, CURLUPART_URL, location, 0) != CURLUE_OK ||
                   curl_url_get(u, CURLUPART_URL, &text, 0) != CURLUE_OK))
        r = err_set(e, EBADMSG, "the registry redirects to a place that makes no sense");
    if (r == 0)
        r = str_copy(text, ret_url, e);
    curl_free(text);
    curl_url_cleanup(u);
    return r;
}

/* Follows redirects by hand: neither token nor password leaves the registry's host. */
static int perform_followed(struct session *s, struct request *q, struct err *e)
{
    _cleanup_free_ char *url = NULL;
    int r = str_copy(q->url, &url, e);
    for (int i = 0; r == 0 && i <= REDIRECTS_MAX; i++) {
        struct url_parts place;
        q->url = url;
        r = url_parse(url, &place, e);
        if (r < 0)
            break;
        bool home = str_equal(place.host, s->settings.host);
        q->with_token = home;
        q->with_password = home && s->basic;
        r = http_perform(s, q, e);
        if (r < 0 || !is_redirect(q->answer.status))
            return r < 0 && !home ? err_wrap(e, "%s", place.host) : r;
        char *next = NULL;
        r = resolve(url, q->answer.location, &next, e);
        free(url);
        url = next;
    }
    return r < 0 ? r : err_set(e, ELOOP, "the registry redirects more than %d times", REDIRECTS_MAX);
}

static bool is_busy(long status)
{
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

static void pause_before(unsigned attempt, uint64_t seconds)
{
    uint64_t us = seconds > 0 ? seconds * 1000000U : (uint64_t)PAUSE_FIRST_US << attempt;
    (void)usleep((useconds_t)(us > PAUSE_SECONDS_MAX * 1000000U ? PAUSE_SECONDS_MAX * 1000000U : us));
}

/* *ret_again: the same may work a moment later. */
static int get_once(struct session *s, const char *url, const char *const *headers, struct delivery *d,
                    struct answer *ret, bool *ret_again, struct err *e)
{
    struct request q = {.url = url, .headers = headers};
    if (d) {
        q.from = d->done;
        q.sink = deliver;
        q.context = d;
        /* cppcheck-suppress autoVariables ; taken back below */
        d->request = &q;
        d->begun = false;
    }
    int r = perform_followed(s, &q, e);
    *ret = q.answer;
    *ret_again = r < 0 && q.broken;
    if (r == 0 && q.answer.status != 200 && q.answer.status != 206) {
        *ret_again = is_busy(q.answer.status);
        r = refuse(&q, e);
    }
    if (d)
        d->request = NULL;
    buf_clear(&q.error_body);
    return r;
}

/* With authentication when the registry asks for it (again, when a token has expired); once more when the connection breaks, from where it
 * broke, or when the registry is busy. `d` may be NULL. */
static int get(struct session *s, const char *url, const char *const *headers, struct delivery *d,
               struct answer *ret, struct err *e)
{
    unsigned asked = 0;
    for (unsigned attempt = 0;;) {
        bool again = false;
        int r = get_once(s, url, headers, d, ret, &again, e);
        if (r == 0)
            return 0;
        if (ret->status == 401 && asked++ < CHALLENGES_MAX) {
            err_clear(e);
            r = auth_answer(s, ret->challenge, e);
            if (r < 0)
                return r;
            continue;
        }
        if (!again || ++attempt >= TRIES_MAX)
            return r;
        pause_before(attempt, ret->retry_after);
        err_clear(e);
    }
}

static int make_url(const struct session *s, char **ret_url, struct err *e, const char *rest)
{
    return str_format(ret_url, e, "%s://%s/v2/%s", s->settings.plain_http ? "http" : "https",
                      s->settings.host, rest);
}

int registry_ping(struct session *s, struct err *e)
{
    struct answer a;
    _cleanup_free_ char *url = NULL;
    int r = make_url(s, &url, e, "");
    return r < 0 ? r : get(s, url, NULL, NULL, &a, e);
}

int registry_manifest(struct session *s, const struct message_fetch_manifest *q, int out,
                      struct message_fetch_found *ret, struct err *e)
{
    struct answer a;
    struct delivery d = {.out = out, .max = q->size_max};
    _cleanup_free_ char *path = NULL;
    _cleanup_free_ char *url = NULL;
    int r = str_format(&path, e, "%s/manifests/%s", s->settings.repository, q->name);
    if (r == 0)
        r = make_url(s, &url, e, path);
    if (r == 0)
        r = get(s, url, manifest_headers, &d, &a, e);
    if (r < 0)
        return r;
    ret->size = d.done;
    r = str_put(ret->media_type, sizeof(ret->media_type), a.media_type, e);
    return r < 0 ? r : str_put(ret->digest, sizeof(ret->digest), a.digest, e);
}

int registry_blob(struct session *s, const struct message_fetch_blob *q, int out, struct err *e)
{
    struct answer a;
    struct delivery d = {.out = out, .max = q->size};
    _cleanup_free_ char *path = NULL;
    _cleanup_free_ char *url = NULL;
    int r = str_format(&path, e, "%s/blobs/%s", s->settings.repository, q->digest);
    if (r == 0)
        r = make_url(s, &url, e, path);
    if (r == 0)
        r = get(s, url, NULL, &d, &a, e);
    if (r < 0)
        return err_wrap(e, "%.19s", q->digest);
    return d.done == q->size
               ? 0
               : err_set(e, EBADMSG, "%.19s: the registry sends %llu bytes, the manifest says %llu",
                         q->digest, (unsigned long long)d.done, (unsigned long long)q->size);
}
