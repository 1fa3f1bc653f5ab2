/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casemate-fetch from the inside: one session with one registry. Every byte that the network brings is hostile; what this process says
 * is checked by the engine (image/pull.c).
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/messages.h"

#define FETCH_URL_MAX 8192
#define FETCH_TOKEN_MAX (64U << 10)

struct session {
    struct message_fetch_session settings;
    CURL *curl;
    struct buf certificates; /* PEM; empty: the system's */
    char *token;             /* of the registry's token service; NULL: none yet */
    bool basic;              /* the registry itself wants the password */
};

/* --- http.c: one request, to one host, without redirects --------------------------------------------------------------- */

/* What an answer's header says; texts are "" when it does not, or when they are too long. */
struct answer {
    long status;
    char media_type[MESSAGE_MEDIA_TYPE_MAX]; /* parameters cut off */
    char digest[MESSAGE_DIGEST_MAX];         /* Docker-Content-Digest */
    char location[FETCH_URL_MAX];
    char challenge[2048]; /* WWW-Authenticate */
    uint64_t retry_after; /* seconds */
};

/* Where a body goes. 0: take more; negative: stop, with e. */
typedef int body_sink(const void *data, size_t length, void *context, struct err *e);

struct request {
    const char *url;
    const char *const *headers; /* "Name: value", ended by NULL; or NULL */
    bool with_password;         /* HTTP basic authentication; https or loopback only */
    bool with_token;
    uint64_t from;   /* Range: bytes=FROM-; 0: none */
    body_sink *sink; /* gets the body of an answer with status 200 or 206; others are kept in `error_body` */
    void *context;
    struct buf error_body; /* at most HTTP_ERROR_BODY_MAX bytes of any other answer */
    struct answer answer;
    bool broken; /* the connection was lost: the same may work again */
};

int http_open(struct session *s, struct err *e);
void http_close(struct session *s);

/* 0 when there was an answer, whatever its status. The caller clears error_body. */
int http_perform(struct session *s, struct request *q, struct err *e);

/* --- auth.c ------------------------------------------------------------------------------------------------------------ */

struct challenge {
    bool bearer; /* else basic */
    char realm[FETCH_URL_MAX];
    char service[512];
    char scope[1024];
};

/* WWW-Authenticate (RFC 9110, 11.6.1), as registries use it: one Basic or Bearer challenge. */
int auth_parse_challenge(const char *text, struct challenge *ret, struct err *e);

/* Answers a challenge of the registry: gets a token, or remembers that the password goes to the registry itself. -EACCES when there is
 * nothing (more) to answer with. */
int auth_answer(struct session *s, const char *challenge, struct err *e);

/* --- url.c ------------------------------------------------------------------------------------------------------------- */

struct url_parts {
    bool https;
    char host[MESSAGE_HOST_MAX]; /* HOST[:PORT], lower case, without a default port */
};

/* http or https, without user information or fragment. */
int url_parse(const char *url, struct url_parts *ret, struct err *e);

/* Whether this session may talk to the place at all: https, or plain HTTP to loopback when the session is plain. */
int url_allowed(const struct session *s, const struct url_parts *u, struct err *e);

/* --- proxy.c ----------------------------------------------------------------------------------------------------------- */

/* Whether a request to this place goes through the proxy when there is one: not to loopback, nor to what `no_proxy` lists. */
bool proxy_applies(const char *no_proxy, const struct url_parts *place);

/* Judges the URL of a proxy: HOST[:PORT] of it, which may be shown. No error repeats the URL, which may have a password in it. */
int proxy_read(const char *proxy, char *ret_shown, size_t size, struct err *e);

/* --- registry.c: the three requests --------------------------------------------------------------------------------------- */

int registry_ping(struct session *s, struct err *e);
int registry_manifest(struct session *s, const struct message_fetch_manifest *q, int out,
                      struct message_fetch_found *ret, struct err *e);
int registry_blob(struct session *s, const struct message_fetch_blob *q, int out, struct err *e);
