/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authentication with a registry (fetch.h): HTTP basic, or a token from the service that the registry names (distribution's token
 * specification). The password goes to the registry and to the one token host that the session names, never anywhere else, whatever the
 * registry says (CVE-2020-15157).
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/str.h"
#include "workers/fetch/fetch.h"

#define PARAMETERS_MAX 16
#define PARAMETER_NAME_MAX 32

/* One name=value or name="value"; *at moves behind it. 1: read, 0: no more. */
static int read_parameter(const char **at, char name[PARAMETER_NAME_MAX], char *value, size_t size,
                          struct err *e)
{
    const char *p = *at + strspn(*at, " \t,");
    size_t n = strcspn(p, "= \t,");
    size_t length = 0;
    if (!*p)
        return 0;
    if (n == 0 || n >= PARAMETER_NAME_MAX || p[n] != '=')
        return err_set(e, EBADMSG, "malformed challenge");
    for (size_t i = 0; i < n; i++)
        name[i] = (char)tolower((unsigned char)p[i]);
    name[n] = '\0';
    p += n + 1;
    bool quoted = *p == '"';
    for (p += quoted; *p && (quoted ? *p != '"' : !strchr(" \t,", *p)); p++) {
        if (quoted && *p == '\\' && p[1])
            p++;
        if ((unsigned char)*p < 0x20 || length + 1 >= size)
            return err_set(e, EBADMSG, "malformed challenge");
        value[length++] = *p;
    }
    if (quoted && *p++ != '"')
        return err_set(e, EBADMSG, "malformed challenge");
    value[length] = '\0';
    *at = p;
    return 1;
}

static int keep(char *field, size_t size, const char *value, struct err *e)
{
    return strlen(value) < size ? str_put(field, size, value, e) : err_set(e, EBADMSG, "malformed challenge");
}

int auth_parse_challenge(const char *text, struct challenge *ret, struct err *e)
{
    struct challenge c = {0};
    char name[PARAMETER_NAME_MAX];
    static char value[FETCH_URL_MAX];
    if (strncasecmp(text, "Basic", 5) == 0 && (!text[5] || text[5] == ' ')) {
        *ret = c;
        return 0;
    }
    if (strncasecmp(text, "Bearer ", 7) != 0)
        return err_set(e, EBADMSG, "the registry wants a kind of authentication that is not known: %.40s",
                       text);
    c.bearer = true;
    text += 7;
    int r = 1;
    for (int i = 0; i < PARAMETERS_MAX && r == 1; i++) {
        r = read_parameter(&text, name, value, sizeof(value), e);
        if (r == 1 && str_equal(name, "realm"))
            r = keep(c.realm, sizeof(c.realm), value, e) < 0 ? -EBADMSG : 1;
        else if (r == 1 && str_equal(name, "service"))
            r = keep(c.service, sizeof(c.service), value, e) < 0 ? -EBADMSG : 1;
        else if (r == 1 && str_equal(name, "scope"))
            r = keep(c.scope, sizeof(c.scope), value, e) < 0 ? -EBADMSG : 1;
    }
    if (r < 0)
        return r;
    if (r == 1 || !c.realm[0])
        return err_set(e, EBADMSG, "malformed challenge");
    *ret = c;
    return 0;
}

static int take_token(const void *data, size_t length, void *context, struct err *e)
{
    return buf_add(context, data, length, FETCH_TOKEN_MAX, e);
}

/* RFC 6750, 2.1: b64token. What is not one must not get into a header line. */
static bool token_is_clean(const char *token)
{
    size_t n = strlen(token);
    return n > 0 &&
           strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") == n;
}

static int keep_token(struct session *s, const struct buf *text, struct err *e)
{
    _cleanup_json_ struct json_object *o = NULL;
    const char *token = NULL;
    int r = json_parse(text->data ? text->data : "", text->length, &o, e);
    if (r == 0 && !json_object_is_type(o, json_type_object))
        r = err_set(e, EBADMSG, "not an object");
    if (r == 0)
        r = json_get_string(o, "token", &token, e);
    if (r >= 0 && !token)
        r = json_get_string(o, "access_token", &token, e);
    if (r < 0)
        return err_wrap(e, "answer of the token service");
    if (!token || !token_is_clean(token))
        return err_set(e, EBADMSG, "the token service has given no token");
    free(s->token);
    s->token = NULL;
    return str_copy(token, &s->token, e);
}

/* realm?service=…&scope=…, the scope being what we need, not what the registry asks for. */
static int token_url(struct session *s, const struct challenge *c, char **ret_url, struct err *e)
{
    char *service = curl_easy_escape(s->curl, c->service, 0);
    _cleanup_free_ char *scope = NULL;
    int r = service ? 0 : err_oom(e);
    if (r == 0 && s->settings.repository[0])
        r = str_format(&scope, e, "&scope=repository:%s:pull", s->settings.repository);
    if (r == 0)
        r = str_format(ret_url, e, "%s%sservice=%s%s", c->realm, strchr(c->realm, '?') ? "&" : "?", service,
                       scope ? scope : "");
    curl_free(service);
    return r;
}

static bool may_see_password(const struct session *s, const char *host)
{
    return s->settings.user[0] &&
           (str_equal(host, s->settings.host) || str_equal(host, s->settings.token_host));
}

static int get_token(struct session *s, const struct challenge *c, struct err *e)
{
    _cleanup_free_ char *url = NULL;
    _cleanup_buf_ struct buf text = {0};
    struct url_parts place;
    struct request q = {.sink = take_token, .context = &text};
    int r = url_parse(c->realm, &place, e);
    if (r == 0)
        r = token_url(s, c, &url, e);
    if (r < 0)
        return err_wrap(e, "token service");
    q.url = url;
    q.with_password = may_see_password(s, place.host);
    r = http_perform(s, &q, e);
    buf_clear(&q.error_body);
    if (r < 0)
        return err_wrap(e, "token service %s", place.host);
    if (q.answer.status == 401 || q.answer.status == 403) {
        if (s->settings.user[0] && !q.with_password)
            return err_set(e, EACCES,
                           "access denied: the token service %s is another host than the registry and does "
                           "not get the password "
                           "(casemate login --token-host %s, if it is right)",
                           place.host, place.host);
        return err_set(e, EACCES, "%s",
                       q.with_password ? "unauthorized: incorrect username or password"
                                       : "access denied: the image does not exist or needs casemate login");
    }
    if (q.answer.status != 200)
        return err_set(e, EIO, "token service %s answers with status %ld", place.host, q.answer.status);
    return keep_token(s, &text, e);
}

int auth_answer(struct session *s, const char *challenge, struct err *e)
{
    static struct challenge c;
    if (!*challenge)
        return err_set(e, EACCES, "the registry refuses access and does not say what it wants");
    int r = auth_parse_challenge(challenge, &c, e);
    if (r < 0)
        return r;
    if (c.bearer)
        return get_token(s, &c, e); /* also instead of one that has expired */
    if (!s->settings.user[0])
        return err_set(e, EACCES, "no basic auth credentials: casemate login %s", s->settings.host);
    if (s->basic)
        return err_set(e, EACCES, "unauthorized: incorrect username or password");
    s->basic = true;
    return 0;
}
