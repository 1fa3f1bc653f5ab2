/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords of registries (credentials.h). The files are the caller's own; they are read strictly all the same. */
#include "image/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"

#define FILE_MAX (1U << 20)
#define AUTH_MAX (CREDENTIALS_USER_MAX + 1 + CREDENTIALS_PASSWORD_MAX)
#define SYSTEM_FILE "/etc/casemate/auth.json"

void credentials_clear(struct credentials *c)
{
    explicit_bzero(c, sizeof(*c));
}

static int own_file(char **ret_path, struct err *e)
{
    const char *named = getenv("CASEMATE_AUTH");
    const char *home = getenv("HOME");
    if (str_set(named))
        return str_copy(named, ret_path, e);
    return str_set(home) ? str_format(ret_path, e, "%s/.config/casemate/auth.json", home)
                         : str_copy(SYSTEM_FILE, ret_path, e);
}

static int docker_file(char **ret_path, struct err *e)
{
    const char *dir = getenv("DOCKER_CONFIG");
    const char *home = getenv("HOME");
    if (str_set(dir))
        return str_format(ret_path, e, "%s/config.json", dir);
    return str_set(home) ? str_format(ret_path, e, "%s/.docker/config.json", home) : 0;
}

/* The document of a file: 1; 0 when there is no such file. */
static int read_document(const char *path, struct json_object **ret, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    struct err absent = {0};
    int r = io_read_path(path, FILE_MAX, &text, &absent);
    if (r == -ENOENT || r == -ENOTDIR)
        return 0;
    if (r < 0)
        *e = absent;
    else
        r = json_parse(text.data ? text.data : "", text.length, ret, e);
    if (text.data)
        explicit_bzero(text.data, text.length);
    if (r == 0 && !json_object_is_type(*ret, json_type_object))
        r = err_set(e, EINVAL, "not an object");
    return r < 0 ? err_wrap(e, "%s", path) : 1;
}

/* USER:PASSWORD, in place. */
static int split(char *plain, struct credentials *ret, struct err *e)
{
    char *colon = strchr(plain, ':');
    if (!colon || colon == plain)
        return -EINVAL;
    *colon = '\0';
    int r = str_put(ret->user, sizeof(ret->user), plain, e);
    return r < 0 ? r : str_put(ret->password, sizeof(ret->password), colon + 1, e);
}

/* base64("USER:PASSWORD"). Several threads of a pull do this at once. */
static int decode(const char *auth, struct credentials *ret, struct err *e)
{
    struct base64_decode_ctx context;
    size_t encoded = strlen(auth);
    size_t length = 0;
    int r = -EINVAL;
    if (encoded > AUTH_MAX * 2)
        return err_set(e, EINVAL, "\"auth\" is too long");
    size_t size = BASE64_DECODE_LENGTH(encoded) + 1;
    _cleanup_free_ char *plain = malloc(size);
    if (!plain)
        return err_oom(e);
    base64_decode_init(&context);
    if (base64_decode_update(&context, &length, (uint8_t *)plain, encoded, auth) &&
        base64_decode_final(&context) && !memchr(plain, 0, length)) {
        plain[length] = '\0';
        r = split(plain, ret, e);
    }
    explicit_bzero(plain, size);
    return r == -EINVAL ? err_set(e, EINVAL, "\"auth\" is not the base64 form of USER:PASSWORD") : r;
}

/* Docker writes its own registry's entry under the address of its first version. */
static const char *alias(const char *host)
{
    return str_equal(host, REFERENCE_DEFAULT_HOST) ? "https://index.docker.io/v1/" : NULL;
}

static int find_in(struct json_object *document, const char *host, struct credentials *ret, struct err *e)
{
    struct json_object *auths = NULL;
    struct json_object *entry = NULL;
    const char *auth = NULL;
    const char *token_host = NULL;
    int r = json_get_object(document, "auths", &auths, e);
    if (r == 1)
        r = json_get_object(auths, host, &entry, e);
    if (r == 0 && auths && alias(host))
        r = json_get_object(auths, alias(host), &entry, e);
    if (r == 1)
        r = json_get_string(entry, "auth", &auth, e);
    if (r != 1 || !*auth)
        return r < 0 ? r : 0;
    r = decode(auth, ret, e);
    if (r == 0)
        r = json_get_string(entry, "tokenHost", &token_host, e);
    if (r == 1)
        r = str_put(ret->token_host, sizeof(ret->token_host), token_host, e);
    return r < 0 ? r : 1;
}

/* The default registry's tokens come from another host, which is known to be its own. */
static void add_known_token_host(const char *host, struct credentials *c)
{
    struct err ignored = {0};
    if (str_equal(host, REFERENCE_DEFAULT_HOST) && !c->token_host[0])
        (void)str_put(c->token_host, sizeof(c->token_host), "auth." REFERENCE_DEFAULT_HOST, &ignored);
}

int credentials_find(const char *host, struct credentials *ret_credentials, struct err *e)
{
    _cleanup_free_ char *own = NULL;
    _cleanup_free_ char *docker = NULL;
    int r = own_file(&own, e);
    if (r == 0)
        r = docker_file(&docker, e);
    const char *const files[] = {own, SYSTEM_FILE, docker};
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(files); i++) {
        _cleanup_json_ struct json_object *document = NULL;
        if (!files[i])
            continue;
        r = read_document(files[i], &document, e);
        if (r == 1)
            r = find_in(document, host, ret_credentials, e);
        if (r < 0)
            return err_wrap(e, "%s", files[i]);
    }
    if (r == 1)
        add_known_token_host(host, ret_credentials);
    return r;
}

static int encode(const struct credentials *c, char **ret, struct err *e)
{
    _cleanup_free_ char *plain = NULL;
    int r = str_format(&plain, e, "%s:%s", c->user, c->password);
    if (r < 0)
        return r;
    size_t length = strlen(plain);
    char *text = calloc(1, BASE64_ENCODE_RAW_LENGTH(length) + 1);
    if (!text)
        return err_oom(e);
    base64_encode_raw(text, length, (const uint8_t *)plain);
    explicit_bzero(plain, length);
    *ret = text;
    return 0;
}

/* Opens the directory of our own file, with missing ones made; *ret_name is the file's name in it. */
static int open_own_dir(char *path, const char **ret_name, struct err *e)
{
    char *slash = strrchr(path, '/');
    if (!slash) {
        *ret_name = path;
        int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return here < 0 ? err_errno(e, "open .") : here;
    }
    *slash = '\0';
    *ret_name = slash + 1;
    for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        (void)mkdir(path, 0700);
        *p = '/';
    }
    (void)mkdir(path, 0700);
    int fd = open(*path ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? err_errno(e, "open %s", path) : fd;
}

/* Reads our own file, lets `change` change its "auths", and replaces it. */
static int rewrite(const char *host,
                   int (*change)(struct json_object *auths, const char *host, const void *context,
                                 struct err *e),
                   const void *context, struct err *e)
{
    _cleanup_free_ char *path = NULL;
    _cleanup_json_ struct json_object *document = NULL;
    struct json_object *auths = NULL;
    const char *name;
    int r = own_file(&path, e);
    if (r == 0)
        r = read_document(path, &document, e);
    if (r == 0 && !(document = json_object_new_object()))
        return err_oom(e);
    if (r >= 0)
        r = json_get_object(document, "auths", &auths, e);
    if (r == 0)
        r = (auths = json_object_new_object()) ? json_add_object(document, "auths", auths, e) : err_oom(e);
    int changed = r < 0 ? r : change(auths, host, context, e);
    if (changed <= 0)
        return changed;
    _cleanup_close_ int dir = open_own_dir(path, &name, e);
    if (dir < 0)
        return dir;
    const char *text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY);
    r = text ? io_replace_file_at(dir, name, text, strlen(text), 0600, true, e) : err_oom(e);
    return r < 0 ? r : 1;
}

static int put(struct json_object *auths, const char *host, const void *context, struct err *e)
{
    const struct credentials *c = context;
    _cleanup_free_ char *auth = NULL;
    struct json_object *entry = json_object_new_object();
    int r = entry ? json_add_object(auths, host, entry, e) : err_oom(e);
    if (r == 0)
        r = encode(c, &auth, e);
    if (r == 0)
        r = json_add_string(entry, "auth", auth, e);
    if (r == 0 && c->token_host[0])
        r = json_add_string(entry, "tokenHost", c->token_host, e);
    return r < 0 ? r : 1;
}

static int drop(struct json_object *auths, const char *host, const void *context, struct err *e)
{
    (void)context;
    (void)e;
    if (!json_object_object_get_ex(auths, host, NULL))
        return 0;
    json_object_object_del(auths, host);
    return 1;
}

int credentials_store(const char *host, const struct credentials *c, struct err *e)
{
    if (!c->user[0] || strchr(c->user, ':'))
        return err_set(e, EINVAL, "a user name must not be empty and have no colon");
    int r = rewrite(host, put, c, e);
    return r < 0 ? err_wrap(e, "store the credentials") : 0;
}

int credentials_erase(const char *host, struct err *e)
{
    int r = rewrite(host, drop, NULL, e);
    return r < 0 ? err_wrap(e, "erase the credentials") : r;
}
