/* SPDX-License-Identifier: Apache-2.0 */
/* -v, --mount and --tmpfs (run_setters.h): Docker's three spellings of one thing. Whether a source may be shown to a container is for practice 5. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/imagerules.h"
#include "base/num.h"
#include "base/path.h"
#include "cli/run_setters.h"

#define PARTS_MAX 32
#define MODE_MAX 07777
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

/* What Docker accepts and what makes no difference here. */
static bool changes_nothing(const char *word)
{
    static const char *const words[] = {"rw",      "cached",   "delegated",  "consistent",
                                        "default", "rprivate", "private",    "nosuid",
                                        "nodev",   "copy",     "volume-copy"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (str_equal(word, words[i]))
            return true;
    return false;
}

static int refuse_shared(const char *word, struct err *e)
{
    return err_refuse(e, 5, "propagation '%s' is refused: mounts are private to the container", word);
}

static bool is_propagation(const char *word)
{
    return str_equal(word, "shared") || str_equal(word, "rshared") || str_equal(word, "slave") ||
           str_equal(word, "rslave");
}

static int set_target(struct plan_mount *m, const char *path, struct err *e)
{
    char clean[PATH_LENGTH_MAX + 1];
    if (path[0] != '/')
        return err_set(e, EINVAL, "mount path '%s' must be absolute", path);
    int r = image_rule_volume(path, clean, e);
    return r < 0 ? r : str_replace(&m->target, clean, e);
}

/* Without "." and "..", as text: the words are the caller's own and mean what the shell would show. */
static int clean_path(const char *path, char **ret_clean, struct err *e)
{
    _cleanup_free_ char *clean = malloc(strlen(path) + 2);
    if (!clean)
        return err_oom(e);
    size_t used = 0;
    for (const char *at = path; *at;) {
        at += strspn(at, "/");
        size_t n = strcspn(at, "/");
        if (n == 2 && at[0] == '.' && at[1] == '.') {
            while (used > 0 && clean[--used] != '/')
                continue;
        } else if (n > 0 && !(n == 1 && *at == '.')) {
            clean[used++] = '/';
            memcpy(clean + used, at, n);
            used += n;
        }
        at += n;
    }
    if (used == 0)
        clean[used++] = '/';
    clean[used] = '\0';
    *ret_clean = steal_ptr(clean);
    return 0;
}

/* A host path: absolute, or beginning with "." and then below the current directory. */
static int set_source_path(struct plan_mount *m, const char *path, struct err *e)
{
    _cleanup_free_ char *absolute = NULL;
    _cleanup_free_ char *clean = NULL;
    if (path[0] != '/') {
        _cleanup_free_ char *here = getcwd(NULL, 0);
        if (!here)
            return err_errno(e, "current directory");
        int r = str_format(&absolute, e, "%s/%s", here, path);
        if (r < 0)
            return r;
        path = absolute;
    }
    int r = path_check_absolute(path, e);
    if (r == 0)
        r = clean_path(path, &clean, e);
    return r < 0 ? r : str_replace(&m->source, clean, e);
}

int run_volume_name(struct plan_mount *m, const char *name, struct err *e)
{
    size_t n = strlen(name);
    if (n < 1 || n > PLAN_NAME_MAX || strspn(name, NAME_CHARACTERS) != n || strchr("_.-", name[0]))
        return err_set(
            e, EINVAL,
            "'%.140s' is no volume name (only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed); a directory of "
            "the host needs an absolute path",
            name);
    return str_replace(&m->source, name, e);
}

static int volume_word(struct plan_mount *m, const char *word, struct err *e)
{
    if (is_propagation(word))
        return refuse_shared(word, e);
    if (str_equal(word, "ro") || str_equal(word, "readonly"))
        m->read_only = true;
    else if (str_equal(word, "nocopy") && m->type == PLAN_MOUNT_VOLUME)
        m->no_copy = true;
    else if (str_equal(word, "z") || str_equal(word, "Z"))
        m->relabel = true;
    else if (str_equal(word, "noexec"))
        m->noexec = true;
    else if (!changes_nothing(word))
        return err_set(e, EINVAL, "unknown mode '%s' (ro, rw, nocopy and noexec are known)", word);
    return 0;
}

/* [SOURCE:]TARGET[:WORD,…] */
int run_set_volume(void *target, const char *value, struct err *e)
{
    _cleanup_str_list_ struct str_list parts = {0};
    _cleanup_str_list_ struct str_list words = {0};
    int r = str_list_split(value, ':', 3, &parts, e);
    if (r < 0 || !*parts.items[0] || !*parts.items[parts.count - 1])
        return err_set(e, EINVAL, "it is not [SOURCE:]TARGET[:MODE]");
    const char *source = parts.count > 1 ? parts.items[0] : NULL;
    bool bind = source && (source[0] == '/' || source[0] == '.');
    struct plan_mount *m =
        plan_add_mount(&((struct run_options *)target)->plan, bind ? PLAN_MOUNT_BIND : PLAN_MOUNT_VOLUME, e);
    if (!m)
        return -e->code;
    m->make_source = bind;
    if (source)
        r = bind ? set_source_path(m, source, e) : run_volume_name(m, source, e);
    if (r == 0)
        r = set_target(m, parts.items[source ? 1 : 0], e);
    if (r == 0 && parts.count == 3)
        r = str_list_split(parts.items[2], ',', PARTS_MAX, &words, e);
    for (size_t i = 0; i < words.count && r == 0; i++)
        r = volume_word(m, words.items[i], e);
    return r;
}

/* One field of comma-separated values (RFC 4180) in place: "a,b" may be quoted, a quote in it is doubled. Returns where the next begins;
 * NULL behind the last. *ok: the quotes match. */
static char *next_field(char *at, char **ret_field, bool *ok)
{
    char *out = at;
    *ret_field = at;
    bool quoted = *at == '"';
    char *in = quoted ? at + 1 : at;
    while (*in && (quoted || *in != ',')) {
        if (quoted && *in == '"') {
            if (in[1] != '"')
                break;
            in++;
        }
        *out++ = *in++;
    }
    if (quoted && *in == '"')
        in++;
    else if (quoted)
        *ok = false;
    *ok = *ok && (*in == ',' || !*in);
    char *next = *in == ',' ? in + 1 : NULL;
    *out = '\0';
    return next;
}

static int split_fields(char *text, struct run_field *fields, size_t *ret_count, struct err *e)
{
    size_t count = 0;
    bool ok = true;
    for (char *at = text; at && ok; count++) {
        char *field;
        if (count == PARTS_MAX)
            return err_set(e, E2BIG, "more than %d fields", PARTS_MAX);
        at = next_field(at, &field, &ok);
        char *equals = strchr(field, '=');
        if (equals)
            *equals++ = '\0';
        fields[count] = (struct run_field){field, equals};
    }
    if (!ok)
        return err_set(e, EINVAL, "the quotes do not match");
    *ret_count = count;
    return 0;
}

int run_field_switch(const struct run_field *f, bool *ret, struct err *e)
{
    if (!f->value || str_equal(f->value, "true") || str_equal(f->value, "1"))
        *ret = true;
    else if (str_equal(f->value, "false") || str_equal(f->value, "0"))
        *ret = false;
    else
        return err_set(e, EINVAL, "%s=%s is neither true nor false", f->key, f->value);
    return 0;
}

int run_field_wrong_type(const struct run_field *f, const char *type, struct err *e)
{
    return err_set(e, EINVAL, "%s is for type=%s only", f->key, type);
}

static int set_mount_type(enum plan_mount_type *ret, const char *value, struct err *e)
{
    if (str_equal(value, "bind"))
        *ret = PLAN_MOUNT_BIND;
    else if (str_equal(value, "volume"))
        *ret = PLAN_MOUNT_VOLUME;
    else if (str_equal(value, "tmpfs"))
        *ret = PLAN_MOUNT_TMPFS;
    else
        return err_set(e, ENOTSUP, "type=%s is not supported; bind, volume and tmpfs are", value);
    return 0;
}

static int set_source(struct plan_mount *m, const struct run_field *f, struct err *e)
{
    if (m->type == PLAN_MOUNT_TMPFS)
        return run_field_wrong_type(f, "bind and type=volume", e);
    if (m->type == PLAN_MOUNT_VOLUME)
        return run_volume_name(m, f->value, e);
    if (f->value[0] != '/' && f->value[0] != '.')
        return err_set(e, EINVAL, "source path '%s' must be absolute", f->value);
    return set_source_path(m, f->value, e);
}

static int set_propagation(struct plan_mount *m, const struct run_field *f, struct err *e)
{
    if (m->type != PLAN_MOUNT_BIND)
        return run_field_wrong_type(f, "bind", e);
    if (is_propagation(f->value))
        return refuse_shared(f->value, e);
    return str_equal(f->value, "rprivate") || str_equal(f->value, "private")
               ? 0
               : err_set(e, EINVAL, "unknown propagation '%s'", f->value);
}

static int set_size(struct plan_mount *m, const struct run_field *f, struct err *e)
{
    return m->type == PLAN_MOUNT_TMPFS ? num_parse_size(f->value, &m->size, e)
                                       : run_field_wrong_type(f, "tmpfs", e);
}

static int set_mode(struct plan_mount *m, const struct run_field *f, struct err *e)
{
    uint64_t mode;
    if (m->type != PLAN_MOUNT_TMPFS)
        return run_field_wrong_type(f, "tmpfs", e);
    int r = num_parse_octal(f->value, MODE_MAX, &mode, e);
    if (r == 0)
        m->mode = (uint32_t)mode;
    return r;
}

static int set_target_field(struct plan_mount *m, const struct run_field *f, struct err *e)
{
    return set_target(m, f->value, e);
}

static int accept_field(struct plan_mount *m, const struct run_field *f, struct err *e)
{
    (void)m, (void)f, (void)e;
    return 0;
}

static int mount_field(struct plan_mount *m, const struct run_field *f, struct err *e)
{
    static const struct {
        const char *key;
        int (*set)(struct plan_mount *m, const struct run_field *f, struct err *e);
    } keys[] = {
        {"type", accept_field},
        {"consistency", accept_field},
        {"source", set_source},
        {"src", set_source},
        {"target", set_target_field},
        {"dst", set_target_field},
        {"destination", set_target_field},
        {"bind-propagation", set_propagation},
        {"tmpfs-size", set_size},
        {"tmpfs-mode", set_mode},
    };
    if (str_equal(f->key, "readonly") || str_equal(f->key, "ro"))
        return run_field_switch(f, &m->read_only, e);
    if (str_equal(f->key, "noexec"))
        return run_field_switch(f, &m->noexec, e);
    if (str_after(f->key, "volume-"))
        return run_set_volume_field(m, f, e);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (!str_equal(keys[i].key, f->key))
            continue;
        return str_set(f->value) ? keys[i].set(m, f, e)
                                 : err_set(e, EINVAL, "the field %s needs a value", f->key);
    }
    return err_set(e, ENOTSUP, "the field '%.64s' is not supported", f->key);
}

/* type=…,source=…,target=… */
int run_set_mount(void *target, const char *value, struct err *e)
{
    _cleanup_free_ char *text = NULL;
    struct run_field fields[PARTS_MAX];
    size_t count = 0;
    enum plan_mount_type type = PLAN_MOUNT_VOLUME;
    int r = str_copy(value, &text, e);
    if (r == 0)
        r = split_fields(text, fields, &count, e);
    if (r < 0)
        return r;
    for (size_t i = 0; i < count && r == 0; i++)
        if (str_equal(fields[i].key, "type"))
            r = set_mount_type(&type, fields[i].value ? fields[i].value : "", e);
    struct plan_mount *m = r == 0 ? plan_add_mount(&((struct run_options *)target)->plan, type, e) : NULL;
    if (!m)
        return -e->code;
    for (size_t i = 0; i < count && r == 0; i++)
        r = mount_field(m, &fields[i], e);
    if (r == 0 && !m->target)
        r = err_set(e, EINVAL, "target is required");
    if (r == 0 && m->type == PLAN_MOUNT_BIND && !m->source)
        r = err_set(e, EINVAL, "source is required for type=bind");
    return r;
}

static int tmpfs_word(struct plan_mount *m, char *word, struct err *e)
{
    uint64_t number = 0;
    char *value = strchr(word, '=');
    if (value)
        *value++ = '\0';
    const struct run_field f = {word, value};
    if (value && str_equal(word, "size"))
        return set_size(m, &f, e);
    if (value && str_equal(word, "mode"))
        return set_mode(m, &f, e);
    if (value && (str_equal(word, "uid") || str_equal(word, "gid"))) {
        int r = num_parse_u64(value, IMAGE_RULE_ID_MAX, &number, e);
        if (r == 0)
            *(word[0] == 'u' ? &m->uid : &m->gid) = (uint32_t)number;
        return r;
    }
    if (str_equal(word, "suid") || str_equal(word, "dev"))
        return err_refuse(e, 5, "'%s' is refused: every mount is nosuid and nodev", word);
    if (str_equal(word, "exec"))
        m->exec = true;
    else if (str_equal(word, "noexec"))
        m->exec = false;
    else if (str_equal(word, "ro"))
        m->read_only = true;
    else if (value || !changes_nothing(word))
        return err_set(e, ENOTSUP, "the option '%.64s' is not supported", word);
    return 0;
}

/* TARGET[:WORD,…] */
int run_set_tmpfs(void *target, const char *value, struct err *e)
{
    _cleanup_str_list_ struct str_list words = {0};
    _cleanup_free_ char *path = NULL;
    const char *colon = strchrnul(value, ':');
    struct plan_mount *m = plan_add_mount(&((struct run_options *)target)->plan, PLAN_MOUNT_TMPFS, e);
    if (!m)
        return -e->code;
    int r = str_copy_n(value, (size_t)(colon - value), &path, e);
    if (r == 0)
        r = set_target(m, path, e);
    if (r == 0 && *colon && colon[1])
        r = str_list_split(colon + 1, ',', PARTS_MAX, &words, e);
    for (size_t i = 0; i < words.count && r == 0; i++)
        r = tmpfs_word(m, words.items[i], e);
    return r;
}

int run_check_mounts(const struct plan *p, struct err *e)
{
    for (size_t i = 0; i < p->mount_count; i++)
        for (size_t k = 0; k < i; k++)
            if (str_equal(p->mounts[i].target, p->mounts[k].target))
                return err_set(e, EINVAL, "Duplicate mount point: %s", p->mounts[i].target);
    return 0;
}
