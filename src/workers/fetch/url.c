/* SPDX-License-Identifier: Apache-2.0 */
/* Which places a session may talk to (fetch.h). URLs come from the network: libcurl takes them apart. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "workers/fetch/fetch.h"

static void url_free(CURLU **u)
{
    curl_url_cleanup(*u);
}

static void part_free(char **text)
{
    curl_free(*text);
}
#define _cleanup_part_ _cleanup_(part_free)

static int read_host(CURLU *u, bool https, struct url_parts *ret, struct err *e)
{
    _cleanup_part_ char *host = NULL;
    _cleanup_part_ char *port = NULL;
    if (curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || !str_set(host))
        return err_set(e, EINVAL, "a URL without a host");
    bool usual =
        curl_url_get(u, CURLUPART_PORT, &port, 0) != CURLUE_OK || str_equal(port, https ? "443" : "80");
    int n = usual ? snprintf(ret->host, sizeof(ret->host), "%s", host)
                  : snprintf(ret->host, sizeof(ret->host), "%s:%s", host, port);
    if (n < 0 || (size_t)n >= sizeof(ret->host))
        return err_set(e, EINVAL, "a URL with a host name that is too long");
    for (char *p = ret->host; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return 0;
}

int url_parse(const char *url, struct url_parts *ret, struct err *e)
{
    _cleanup_(url_free) CURLU *u = curl_url();
    _cleanup_part_ char *scheme = NULL;
    _cleanup_part_ char *user = NULL;
    struct url_parts parts = {0};
    if (!u)
        return err_oom(e);
    if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
        return err_set(e, EINVAL, "a malformed URL: %.200s", url);
    parts.https = str_equal(scheme, "https");
    if (!parts.https && !str_equal(scheme, "http"))
        return err_set(e, EPERM, "a URL with scheme %.20s: only https is followed", scheme);
    if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
        return err_set(e, EPERM, "a URL with a user name in it");
    int r = read_host(u, parts.https, &parts, e);
    if (r == 0)
        *ret = parts;
    return r;
}

/* localhost, 127.0.0.0/8 and ::1, with or without a port. */
static bool is_loopback(const char *host)
{
    char name[MESSAGE_HOST_MAX];
    unsigned a, b, c, d;
    char rest;
    if (str_after(host, "[::1]"))
        return host[5] == '\0' || host[5] == ':';
    (void)snprintf(name, sizeof(name), "%s", host);
    name[strcspn(name, ":")] = '\0';
    if (str_equal(name, "localhost"))
        return true;
    return sscanf(name, "%u.%u.%u.%u%c", &a, &b, &c, &d, &rest) == 4 && a == 127 && b < 256 && c < 256 &&
           d < 256;
}

int url_allowed(const struct session *s, const struct url_parts *u, struct err *e)
{
    if (u->https || (s->settings.plain_http && is_loopback(u->host)))
        return 0;
    return err_set(e, EPERM, "plain HTTP to %s is not allowed: a registry needs TLS", u->host);
}
