/* SPDX-License-Identifier: Apache-2.0 */
/* Names of images (reference.h). Trusted code on text from users and documents: strict, no allocation. */
#include "image/reference.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"

#define OFFICIAL_PREFIX "library/"
#define PORT_MAX 65535
#define LABEL_MAX 63 /* RFC 1035, 2.3.4 */

/* Former names of the default registry that configuration files and scripts still have. */
#define LEGACY_DEFAULT_HOST "index.docker.io"
/* Where the default registry answers the protocol; its website has the short name. */
#define DEFAULT_API_HOST "registry-1.docker.io"

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static int bad(struct err *e, const char *text, const char *why)
{
    return err_set(e, EINVAL, "invalid reference format: '%.300s': %s", text, why);
}

/* One label of a host name, already in lower case. */
static bool label_valid(const char *s, size_t length)
{
    if (length == 0 || length > LABEL_MAX || !is_lower_alnum(s[0]) || !is_lower_alnum(s[length - 1]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_lower_alnum(s[i]) && s[i] != '-')
            return false;
    return true;
}

static bool host_name_valid(const char *s, size_t length)
{
    for (size_t start = 0; start <= length;) {
        const char *dot = memchr(s + start, '.', length - start);
        size_t end = dot ? (size_t)(dot - s) : length;
        if (!label_valid(s + start, end - start))
            return false;
        start = end + 1;
    }
    return true;
}

/* "[hex:and:colons]": what is inside is left to the resolver, which takes numbers only. */
static size_t address_length(const char *s)
{
    size_t n = s[0] == '[' ? 1 + strspn(s + 1, "0123456789abcdef:.") : 0;
    return n > 2 && s[n] == ']' ? n + 1 : 0;
}

/* HOST[:PORT], lower case. */
static bool host_valid(const char *s)
{
    size_t name = s[0] == '[' ? address_length(s) : strcspn(s, ":");
    if (name == 0 || (s[0] != '[' && !host_name_valid(s, name)))
        return false;
    if (s[name] == '\0')
        return true;
    uint64_t port = 0;
    struct err ignored = {0};
    return s[name] == ':' && num_parse_u64(s + name + 1, PORT_MAX, &port, &ignored) == 0 && port > 0;
}

/* Lower case; letters of other alphabets are not in the grammar and fail later. */
static void copy_lower(char *target, const char *s, size_t length)
{
    for (size_t i = 0; i < length; i++)
        target[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] - 'A' + 'a' : s[i]);
    target[length] = '\0';
}

/* One component: runs of letters and digits joined by '.', '_', '__' or dashes. */
static bool component_valid(const char *s, size_t length)
{
    if (length == 0)
        return false;
    size_t i = 0;
    for (;;) {
        size_t start = i;
        while (i < length && is_lower_alnum(s[i]))
            i++;
        if (i == start)
            return false;
        if (i == length)
            return true;
        if (s[i] == '.')
            i++;
        else if (s[i] == '_')
            i += i + 1 < length && s[i + 1] == '_' ? 2 : 1;
        else if (s[i] == '-')
            while (i < length && s[i] == '-')
                i++;
        else
            return false;
    }
}

static bool path_valid(const char *s)
{
    for (;;) {
        size_t n = strcspn(s, "/");
        if (!component_valid(s, n))
            return false;
        if (s[n] == '\0')
            return true;
        s += n + 1;
    }
}

static bool tag_valid(const char *s)
{
    size_t n = strlen(s);
    if (n == 0 || n > REFERENCE_TAG_MAX || s[0] == '.' || s[0] == '-')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isascii((unsigned char)s[i]) || (!isalnum((unsigned char)s[i]) && !strchr("_.-", s[i])))
            return false;
    return true;
}

/* Docker's rule: a first component with a dot or a port, or `localhost`, is a host. A bare word in capitals, which Docker
 * takes for a host as well, is refused: in lower case it would name something else. */
static bool looks_like_host(const char *s, size_t length)
{
    return memchr(s, '.', length) || memchr(s, ':', length) ||
           (length == 9 && memcmp(s, "localhost", 9) == 0);
}

static bool looks_like_id(const char *s)
{
    return strlen(s) == DIGEST_HEX_LENGTH && strspn(s, "0123456789abcdef") == DIGEST_HEX_LENGTH;
}

static int set_host(const char *text, const char *host, size_t length, struct reference *r, struct err *e)
{
    copy_lower(r->host, host, length);
    if (!host_valid(r->host))
        return bad(e, text, "the host is not HOST[:PORT]");
    if (str_equal(r->host, LEGACY_DEFAULT_HOST))
        (void)snprintf(r->host, sizeof(r->host), "%s", REFERENCE_DEFAULT_HOST);
    return 0;
}

/* `name` is text up to the tag or digest, at most REFERENCE_NAME_MAX bytes. */
static int split_name(const char *text, const char *name, struct reference *r, struct err *e)
{
    const char *slash = strchr(name, '/');
    const char *path = name;
    int result = 0;
    if (slash && looks_like_host(name, (size_t)(slash - name))) {
        result = set_host(text, name, (size_t)(slash - name), r, e);
        path = slash + 1;
    } else {
        (void)snprintf(r->host, sizeof(r->host), "%s", REFERENCE_DEFAULT_HOST);
    }
    if (result < 0)
        return result;
    bool official = str_equal(r->host, REFERENCE_DEFAULT_HOST) && !strchr(path, '/');
    int n = snprintf(r->path, sizeof(r->path), "%s%s", official ? OFFICIAL_PREFIX : "", path);
    if (n < 0 || (size_t)n + strlen(r->host) + 1 > REFERENCE_NAME_MAX)
        return bad(e, text, "the name is longer than 255 characters");
    if (!path_valid(r->path)) {
        for (const char *p = path; *p; p++)
            if (*p >= 'A' && *p <= 'Z')
                return bad(e, text, "repository name must be lowercase");
        return bad(e, text, "the name is not made of a-z, 0-9, '.', '_', '-' and '/'");
    }
    if (official && looks_like_id(path))
        return bad(e, text, "64 hexadecimal digits are an id, not a name");
    return 0;
}

int reference_parse(const char *text, struct reference *ret_reference, struct err *e)
{
    struct reference r = {0};
    char name[REFERENCE_TEXT_MAX + 1];
    int result = 0;
    if (!*text)
        return err_set(e, EINVAL, "invalid reference format: the name is empty");
    if (strlen(text) > REFERENCE_TEXT_MAX)
        return bad(e, text, "too long");
    (void)snprintf(name, sizeof(name), "%s", text);
    char *at = strchr(name, '@');
    if (at) {
        *at = '\0';
        result = digest_parse(at + 1, &r.digest, e);
        if (result < 0)
            return err_wrap(e, "invalid reference format: '%.300s'", text);
        r.has_digest = true;
    }
    char *slash = strrchr(name, '/');
    char *colon = strchr(slash ? slash : name, ':');
    if (colon) {
        *colon = '\0';
        if (!tag_valid(colon + 1))
            return bad(e, text, "the tag is not made of letters, digits, '_', '.' and '-' (at most 128)");
        (void)snprintf(r.tag, sizeof(r.tag), "%s", colon + 1);
    } else if (!r.has_digest) {
        (void)snprintf(r.tag, sizeof(r.tag), "%s", REFERENCE_DEFAULT_TAG);
    }
    if (strlen(name) > REFERENCE_NAME_MAX)
        return bad(e, text, "the name is longer than 255 characters");
    result = split_name(text, name, &r, e);
    if (result < 0)
        return result;
    *ret_reference = r;
    return 0;
}

int reference_parse_host(const char *text, char *ret_host, struct err *e)
{
    struct reference r = {0};
    if (!str_set(text))
        text = REFERENCE_DEFAULT_HOST;
    if (strlen(text) > REFERENCE_NAME_MAX)
        return err_set(e, EINVAL, "invalid registry: '%.80s…' is too long", text);
    int result = set_host(text, text, strlen(text), &r, e);
    if (result < 0)
        return err_set(e, EINVAL, "invalid registry: '%s' is not HOST[:PORT]", text);
    (void)snprintf(ret_host, REFERENCE_NAME_MAX + 1, "%s", r.host);
    return 0;
}

bool reference_host_is_loopback(const char *host)
{
    if (host[0] == '[')
        return strncmp(host, "[::1]", 5) == 0;
    size_t n = strcspn(host, ":");
    if (n == 9 && memcmp(host, "localhost", 9) == 0)
        return true;
    unsigned parts = 0;
    if (strncmp(host, "127.", 4) != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (host[i] == '.')
            parts++;
        else if (host[i] < '0' || host[i] > '9')
            return false; /* 127.example.org is a name like any other */
    }
    return parts == 3;
}

const char *reference_api_host(const char *host)
{
    return str_equal(host, REFERENCE_DEFAULT_HOST) ? DEFAULT_API_HOST : host;
}

static void append(char *text, const char *separator, const char *part)
{
    size_t used = strlen(text);
    (void)snprintf(text + used, REFERENCE_TEXT_MAX + 1 - used, "%s%s", separator, part);
}

static void append_version(const struct reference *r, char *text)
{
    if (r->tag[0])
        append(text, ":", r->tag);
    if (r->has_digest) {
        char digest[DIGEST_TEXT_LENGTH + 1];
        digest_format(&r->digest, digest);
        append(text, "@", digest);
    }
}

void reference_format_name(const struct reference *r, char *ret_text)
{
    ret_text[0] = '\0';
    append(ret_text, "", r->host);
    append(ret_text, "/", r->path);
}

/* The host may be left out when what stays is read back as the same name. */
static bool host_is_implied(const struct reference *r)
{
    const char *slash = strchr(r->path, '/');
    return str_equal(r->host, REFERENCE_DEFAULT_HOST) && slash &&
           !looks_like_host(r->path, (size_t)(slash - r->path));
}

void reference_format_familiar_name(const struct reference *r, char *ret_text)
{
    if (!host_is_implied(r)) {
        reference_format_name(r, ret_text);
        return;
    }
    const char *official = str_after(r->path, OFFICIAL_PREFIX);
    bool shorter = official && !strchr(official, '/') && !looks_like_id(official);
    ret_text[0] = '\0';
    append(ret_text, "", shorter ? official : r->path);
}

void reference_format(const struct reference *r, char *ret_text)
{
    reference_format_name(r, ret_text);
    append_version(r, ret_text);
}

void reference_format_familiar(const struct reference *r, char *ret_text)
{
    reference_format_familiar_name(r, ret_text);
    append_version(r, ret_text);
}

void reference_format_tagged(const struct reference *r, char *ret_text)
{
    reference_format_name(r, ret_text);
    append(ret_text, ":", r->tag);
}

void reference_format_digested(const struct reference *r, const struct digest *d, char *ret_text)
{
    char digest[DIGEST_TEXT_LENGTH + 1];
    digest_format(d, digest);
    reference_format_name(r, ret_text);
    append(ret_text, "@", digest);
}
