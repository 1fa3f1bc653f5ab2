/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request with libcurl (fetch.h). Nothing is followed, guessed or decoded here. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "base/str.h"
#include "config.h"
#include "workers/fetch/fetch.h"

#define CONNECT_SECONDS 20L
#define SLOW_BYTES_PER_SECOND 256L /* slower than this ... */
#define SLOW_SECONDS 60L           /* ... for so long is given up */
#define HTTP_ERROR_BODY_MAX (16U << 10)
#define HEADER_LINES_MAX 256
#define AGENT "casemate/" CASEMATE_VERSION

struct exchange {
    struct request *request;
    struct err *e;
    int result; /* of the sink */
    unsigned lines;
    char proxy[MESSAGE_HOST_MAX]; /* HOST[:PORT]; "": the request goes there directly */
};

int http_open(struct session *s, struct err *e)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(s->curl = curl_easy_init()))
        return err_set(e, ENOMEM, "libcurl cannot be started");
    return 0;
}

void http_close(struct session *s)
{
    if (s->curl)
        curl_easy_cleanup(s->curl);
    s->curl = NULL;
    buf_clear(&s->certificates);
    free(s->token);
    explicit_bzero(&s->settings, sizeof(s->settings));
}

/* The value of a header line "Name: value", or NULL when it is another. */
static const char *header_value(const char *line, const char *name)
{
    size_t n = strlen(name);
    if (strncasecmp(line, name, n) != 0 || line[n] != ':')
        return NULL;
    line += n + 1;
    return line + strspn(line, " \t");
}

static void keep(char *field, size_t size, const char *value)
{
    int n = snprintf(field, size, "%s", value);
    if (n < 0 || (size_t)n >= size)
        field[0] = '\0';
}

static void read_header(struct answer *a, const char *line)
{
    const char *value;
    struct err ignored = {0};
    if ((value = header_value(line, "Content-Type"))) {
        char type[MESSAGE_MEDIA_TYPE_MAX];
        keep(type, sizeof(type), value);
        type[strcspn(type, "; \t")] = '\0';
        keep(a->media_type, sizeof(a->media_type), type);
    } else if ((value = header_value(line, "Docker-Content-Digest")))
        keep(a->digest, sizeof(a->digest), value);
    else if ((value = header_value(line, "Location")))
        keep(a->location, sizeof(a->location), value);
    else if ((value = header_value(line, "Retry-After")))
        (void)num_parse_u64(value, 3600, &a->retry_after, &ignored);
    else if ((value = header_value(line, "WWW-Authenticate")) &&
             (!a->challenge[0] || strncasecmp(value, "Bearer", 6) == 0))
        keep(a->challenge, sizeof(a->challenge), value);
}

static size_t take_header(char *data, size_t size, size_t count, void *context)
{
    struct exchange *x = context;
    char line[FETCH_URL_MAX + 64];
    size_t length = size * count;
    if (++x->lines > HEADER_LINES_MAX)
        return 0;
    if (length >= 5 &&
        strncmp(data, "HTTP/", 5) == 0) { /* a new head: of the answer behind a 100 or a proxy's */
        x->request->answer = (struct answer){0};
        return length;
    }
    if (length < sizeof(line)) {
        memcpy(line, data, length);
        line[length] = '\0';
        line[strcspn(line, "\r\n")] = '\0';
        read_header(&x->request->answer, line);
    }
    return length;
}

static bool is_body(long status)
{
    return status == 200 || status == 206;
}

/* The body's destination is known by its status, which libcurl has when the first byte comes. */
struct body {
    struct exchange *x;
    CURL *curl;
};

static size_t route_body(char *data, size_t size, size_t count, void *context)
{
    struct body *b = context;
    struct request *q = b->x->request;
    size_t length = size * count;
    struct err full = {0};
    long status = 0;
    (void)curl_easy_getinfo(b->curl, CURLINFO_RESPONSE_CODE, &status);
    if (!is_body(status) || !q->sink) {
        size_t room = HTTP_ERROR_BODY_MAX - q->error_body.length;
        (void)buf_add(&q->error_body, data, length < room ? length : room, HTTP_ERROR_BODY_MAX, &full);
        return q->error_body.length >= HTTP_ERROR_BODY_MAX ? 0 : length;
    }
    q->answer.status = status;
    b->x->result = q->sink(data, length, q->context, b->x->e);
    return b->x->result < 0 ? 0 : length;
}

static int set_security(struct session *s, struct err *e)
{
    const char *protocols = s->settings.plain_http ? "http,https" : "https";
    struct curl_blob blob = {
        .data = s->certificates.data, .len = s->certificates.length, .flags = CURL_BLOB_NOCOPY};
    CURLcode c = curl_easy_setopt(s->curl, CURLOPT_PROTOCOLS_STR, protocols);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_FOLLOWLOCATION, 0L);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_SSL_VERIFYPEER, 1L);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (c == CURLE_OK && blob.len > 0)
        c = curl_easy_setopt(s->curl, CURLOPT_CAINFO_BLOB, &blob);
    if (c == CURLE_OK && blob.len > 0) /* these and no others */
        c = curl_easy_setopt(s->curl, CURLOPT_CAPATH, NULL);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    return c == CURLE_OK ? 0 : err_set(e, EINVAL, "libcurl: %s", curl_easy_strerror(c));
}

/* What is said to the proxy (its password) and what is said to the registry stay apart. */
static int set_proxy(struct session *s, const struct url_parts *place, struct exchange *x, struct err *e)
{
    if (s->settings.proxy[0] && proxy_applies(s->settings.no_proxy, place)) {
        int r = proxy_read(s->settings.proxy, x->proxy, sizeof(x->proxy), e);
        if (r < 0)
            return r;
    }
    CURLcode c = curl_easy_setopt(s->curl, CURLOPT_PROXY, x->proxy[0] ? s->settings.proxy : "");
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_NOPROXY, "");
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_HTTPPROXYTUNNEL, 1L);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    return c == CURLE_OK ? 0 : err_set(e, EINVAL, "libcurl: %s", curl_easy_strerror(c));
}

static int set_limits(struct session *s, struct err *e)
{
    CURLcode c = curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES_PER_SECOND);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_LOW_SPEED_TIME, SLOW_SECONDS);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_BUFFERSIZE, 256L << 10);
    return c == CURLE_OK ? 0 : err_set(e, EINVAL, "libcurl: %s", curl_easy_strerror(c));
}

static int add_header(struct curl_slist **list, const char *line, struct err *e)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (!longer)
        return err_oom(e);
    *list = longer;
    return 0;
}

static int set_headers(struct session *s, const struct request *q, struct curl_slist **list, struct err *e)
{
    int r = add_header(list, "User-Agent: " AGENT, e);
    for (size_t i = 0; r == 0 && q->headers && q->headers[i]; i++)
        r = add_header(list, q->headers[i], e);
    if (r == 0 && q->with_token && s->token) {
        _cleanup_free_ char *line = NULL;
        r = str_format(&line, e, "Authorization: Bearer %s", s->token);
        if (r == 0)
            r = add_header(list, line, e);
    }
    if (r == 0 && q->from > 0) {
        char line[64];
        (void)snprintf(line, sizeof(line), "Range: bytes=%llu-", (unsigned long long)q->from);
        r = add_header(list, line, e);
    }
    return r;
}

static int set_request(struct session *s, struct request *q, struct curl_slist *headers, struct body *b,
                       struct err *e)
{
    CURLcode c = curl_easy_setopt(s->curl, CURLOPT_URL, q->url);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, headers);
    if (c == CURLE_OK && q->with_password) {
        c = curl_easy_setopt(s->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        if (c == CURLE_OK)
            c = curl_easy_setopt(s->curl, CURLOPT_USERNAME, s->settings.user);
        if (c == CURLE_OK)
            c = curl_easy_setopt(s->curl, CURLOPT_PASSWORD, s->settings.password);
    }
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_HEADERFUNCTION, take_header);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_HEADERDATA, b->x);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, route_body);
    if (c == CURLE_OK)
        c = curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, b);
    return c == CURLE_OK ? 0 : err_set(e, EINVAL, "libcurl: %s", curl_easy_strerror(c));
}

/* Losing a connection is worth another try; a name that does not exist or a certificate that is not trusted is not. */
static bool may_work_again(CURLcode c)
{
    switch ((int)c) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return true;
    default:
        return false;
    }
}

static int judge(const struct exchange *x, struct request *q, CURLcode c, long proxy_status,
                 const char *detail, struct err *e)
{
    if (x->result < 0)
        return x->result;
    if (c == CURLE_OK || (c == CURLE_WRITE_ERROR && q->error_body.length >= HTTP_ERROR_BODY_MAX))
        return 0;
    if (c == CURLE_WRITE_ERROR)
        return err_set(e, EBADMSG, "the answer has too many header lines");
    q->broken = may_work_again(c) && proxy_status < 400;
    if (x->proxy[0] && proxy_status >= 400)
        return err_set(e, EACCES, "the proxy %s refuses (%ld%s)", x->proxy, proxy_status,
                       proxy_status == 407 ? ": it wants HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT" : "");
    if (c == CURLE_PEER_FAILED_VERIFICATION)
        return err_set(e, EPERM, "the certificate is not trusted: %s (a CA file for it belongs into certs.d)",
                       *detail ? detail : curl_easy_strerror(c));
    if (x->proxy[0])
        return err_set(e, EIO, "through the proxy %s: %s", x->proxy, curl_easy_strerror(c));
    return err_set(e, EIO, "%s", *detail ? detail : curl_easy_strerror(c));
}

int http_perform(struct session *s, struct request *q, struct err *e)
{
    char detail[CURL_ERROR_SIZE] = "";
    struct exchange x = {.request = q, .e = e};
    struct body b = {.x = &x, .curl = s->curl};
    struct curl_slist *headers = NULL;
    struct url_parts place;
    q->answer = (struct answer){0};
    q->error_body.length = 0;
    q->broken = false;
    int r = url_parse(q->url, &place, e);
    if (r == 0)
        r = url_allowed(s, &place, e);
    if (r < 0)
        return r;
    curl_easy_reset(s->curl); /* the connections stay */
    (void)curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, detail);
    r = set_security(s, e);
    if (r == 0)
        r = set_proxy(s, &place, &x, e);
    if (r == 0)
        r = set_limits(s, e);
    if (r == 0)
        r = set_headers(s, q, &headers, e);
    if (r == 0)
        r = set_request(s, q, headers, &b, e);
    if (r == 0) {
        CURLcode c = curl_easy_perform(s->curl);
        long proxy_status = 0;
        (void)curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &q->answer.status);
        (void)curl_easy_getinfo(s->curl, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
        r = judge(&x, q, c, proxy_status, detail, e);
    }
    curl_slist_free_all(headers);
    return r;
}
