/* SPDX-License-Identifier: Apache-2.0 */
/* --log-driver and --log-opt (log_options.h). Words of the user: nothing here comes from a container. */
#include "plan/log_options.h"

#include <errno.h>
#include <regex.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/path.h"

#define NAMES_MAX 256
#define PATTERN_MAX 1024
#define SYSLOG_SOCKET "/dev/log"
#define UNIX_SCHEME "unix://"
#define UNIXGRAM_SCHEME "unixgram://"
#define FACILITY_DAEMON 3

static const char *const driver_names[] = {[LOG_JSON_FILE] = "json-file",
                                           [LOG_LOCAL] = "local",
                                           [LOG_JOURNALD] = "journald",
                                           [LOG_SYSLOG] = "syslog",
                                           [LOG_NONE] = "none"};

#define FILES (1U << LOG_JSON_FILE | 1U << LOG_LOCAL)
#define SENT (1U << LOG_JOURNALD | 1U << LOG_SYSLOG)

typedef int (*set_option)(struct log_options *o, const char *value, struct err *e);

struct option {
    const char *name;
    unsigned drivers; /* bits */
    set_option set;   /* NULL: the text goes to `offset` */
    size_t offset;
};

const char *log_driver_name(enum log_driver driver)
{
    return driver_names[driver];
}

int log_driver_parse(const char *name, enum log_driver *ret, struct err *e)
{
    for (size_t i = 0; i < ARRAY_SIZE(driver_names); i++)
        if (str_equal(name, driver_names[i])) {
            *ret = (enum log_driver)i;
            return 0;
        }
    return err_set(e, EINVAL,
                   "log driver '%.64s' is not known: json-file, local, journald, syslog and none are", name);
}

/* Docker's -1 stands for "without a limit", which no log has. */
static int set_size(struct log_options *o, const char *value, struct err *e)
{
    uint64_t size = 0;
    if (str_equal(value, "-1"))
        return err_refuse(e, 13, "every log has a size: name one (max-size=100m)");
    int r = num_parse_size(value, &size, e);
    if (r == 0 && size < LOG_SIZE_LEAST)
        return err_set(e, EINVAL, "it must be at least 4k");
    if (r == 0)
        o->size = size;
    return r;
}

static int set_files(struct log_options *o, const char *value, struct err *e)
{
    uint64_t files = 0;
    int r = num_parse_u64(value, LOG_FILES_MAX, &files, e);
    if (r < 0 || files == 0)
        return err_set(e, EINVAL, "it is a number of 1 to %d", LOG_FILES_MAX);
    o->files = files;
    return 0;
}

static int parse_bool(const char *value, bool *ret, struct err *e)
{
    if (!str_equal(value, "true") && !str_equal(value, "false"))
        return err_set(e, EINVAL, "'%.32s' is neither true nor false", value);
    *ret = str_equal(value, "true");
    return 0;
}

static int set_compress(struct log_options *o, const char *value, struct err *e)
{
    bool yes = false;
    (void)o;
    int r = parse_bool(value, &yes, e);
    return r == 0 && yes ? err_set(e, ENOTSUP, "older files are not compressed: say compress=false") : r;
}

static int set_cache_disabled(struct log_options *o, const char *value, struct err *e)
{
    bool yes = false;
    int r = parse_bool(value, &yes, e);
    if (r == 0)
        o->keeps = !yes;
    return r;
}

static int set_mode(struct log_options *o, const char *value, struct err *e)
{
    o->drop = str_equal(value, "drop") || str_equal(value, "non-blocking");
    if (o->drop || str_equal(value, "blocking"))
        return 0;
    return err_set(e, EINVAL, "'%.32s' is none of blocking, non-blocking, drop", value);
}

static int set_buffer(struct log_options *o, const char *value, struct err *e)
{
    int r = num_parse_size(value, &o->buffer, e);
    return r == 0 && o->buffer == 0 ? err_set(e, EINVAL, "it must be more than 0") : r;
}

static int set_address(struct log_options *o, const char *value, struct err *e)
{
    const char *path = str_after(value, UNIX_SCHEME) ?: str_after(value, UNIXGRAM_SCHEME);
    if (!path)
        return err_set(e, ENOTSUP,
                       "only unix:///PATH is possible: a container's supervisor has no network. Let the "
                       "syslog service of this machine send the messages on");
    int r = path_check_absolute(path, e);
    if (r == 0)
        o->syslog_address = path;
    return r;
}

/* RFC 5424, 6.2.1. */
static int set_facility(struct log_options *o, const char *value, struct err *e)
{
    static const char *const names[] = {"kern",   "user",   "mail",   "daemon", "auth",     "syslog",
                                        "lpr",    "news",   "uucp",   "cron",   "authpriv", "ftp",
                                        NULL,     NULL,     NULL,     NULL,     "local0",   "local1",
                                        "local2", "local3", "local4", "local5", "local6",   "local7"};
    uint64_t number = 0;
    struct err ignored = {0};
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i] && str_equal(value, names[i])) {
            o->syslog_facility = i;
            return 0;
        }
    if (num_parse_u64(value, ARRAY_SIZE(names) - 1, &number, &ignored) < 0)
        return err_set(e, EINVAL, "'%.32s' is no facility (daemon, user, local0 …)", value);
    o->syslog_facility = (unsigned)number;
    return 0;
}

static int set_format(struct log_options *o, const char *value, struct err *e)
{
    static const char *const names[] = {
        [LOG_RFC3164] = "rfc3164", [LOG_RFC5424] = "rfc5424", [LOG_RFC5424_MICRO] = "rfc5424micro"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (str_equal(value, names[i])) {
            o->syslog_format = (enum log_syslog_format)i;
            return 0;
        }
    return err_set(e, EINVAL, "'%.32s' is none of rfc3164, rfc5424, rfc5424micro", value);
}

#define TEXT(member) NULL, offsetof(struct log_options, member)

static const struct option options[] = {
    {"max-size", FILES, set_size},
    {"max-file", FILES, set_files},
    {"compress", FILES, set_compress},
    {"cache-max-size", SENT, set_size},
    {"cache-max-file", SENT, set_files},
    {"cache-compress", SENT, set_compress},
    {"cache-disabled", SENT, set_cache_disabled},
    {"mode", FILES | SENT, set_mode},
    {"max-buffer-size", FILES | SENT, set_buffer},
    {"tag", FILES | SENT, TEXT(tag)},
    {"labels", FILES | SENT, TEXT(labels)},
    {"labels-regex", FILES | SENT, TEXT(labels_regex)},
    {"env", FILES | SENT, TEXT(env)},
    {"env-regex", FILES | SENT, TEXT(env_regex)},
    {"syslog-address", 1U << LOG_SYSLOG, set_address},
    {"syslog-facility", 1U << LOG_SYSLOG, set_facility},
    {"syslog-format", 1U << LOG_SYSLOG, set_format},
};

static int unknown(const struct log_options *o, const char *name, size_t length, struct err *e)
{
    char known[512] = "";
    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        if (options[i].drivers & 1U << o->driver) {
            size_t used = strlen(known);
            (void)snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "", options[i].name);
        }
    return err_set(e, EINVAL, "unknown log opt '%.*s' for %s log driver%s%s",
                   (int)(length < 64 ? length : 64), name, driver_names[o->driver],
                   *known ? "; there are: " : ", which has none", known);
}

static int take_option(struct log_options *o, const char *entry, struct err *e)
{
    const char *equals = strchr(entry, '=');
    if (!equals || equals == entry)
        return err_set(e, EINVAL, "'%.64s' is not KEY=VALUE", entry);
    size_t length = (size_t)(equals - entry);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        const struct option *x = &options[i];
        if (!(x->drivers & 1U << o->driver) || strlen(x->name) != length ||
            strncmp(x->name, entry, length) != 0)
            continue;
        if (!x->set)
            *(const char **)((char *)o + x->offset) = equals + 1;
        int r = x->set ? x->set(o, equals + 1, e) : 0;
        return r < 0 ? err_wrap(e, "%s", x->name) : 0;
    }
    return unknown(o, entry, length, e);
}

static int compile(const char *pattern, regex_t *ret, struct err *e)
{
    if (strlen(pattern) > PATTERN_MAX)
        return err_set(e, E2BIG, "a pattern of more than %d bytes", PATTERN_MAX);
    return regcomp(ret, pattern, REG_EXTENDED | REG_NOSUB) == 0
               ? 0
               : err_set(e, EINVAL, "'%.64s' is no regular expression", pattern);
}

static int check_pattern(const char *name, const char *pattern, struct err *e)
{
    regex_t compiled;
    if (!pattern)
        return 0;
    int r = compile(pattern, &compiled, e);
    if (r == 0)
        regfree(&compiled);
    return r < 0 ? err_wrap(e, "%s", name) : 0;
}

int log_options_parse(const char *driver, const struct str_list *list, struct log_options *ret, struct err *e)
{
    struct log_options o = {.size = PLAN_UNSET,
                            .files = PLAN_UNSET,
                            .syslog_address = SYSLOG_SOCKET,
                            .syslog_facility = FACILITY_DAEMON};
    int r = driver ? log_driver_parse(driver, &o.driver, e) : 0;
    o.keeps = o.driver != LOG_NONE;
    for (size_t i = 0; i < list->count && r == 0; i++)
        r = take_option(&o, list->items[i], e);
    if (r == 0 && o.buffer > 0 && !o.drop)
        r = err_set(e, EINVAL, "max-buffer-size is for mode=non-blocking");
    if (r == 0)
        r = check_pattern("labels-regex", o.labels_regex, e);
    if (r == 0)
        r = check_pattern("env-regex", o.env_regex, e);
    if (r == 0)
        *ret = o;
    return r;
}

/* What stands for a field of the template; NULL: there is no such field. */
static const char *field(const char *name, size_t length, const struct plan *p, size_t *ret_length)
{
    const struct {
        const char *name, *value;
        size_t most;
    } fields[] = {
        {".ID", p->id, 12},
        {".FullID", p->id, ID_LENGTH},
        {".Name", p->name ? p->name : "", PLAN_NAME_MAX},
        {".ImageID", p->image_id, 12},
        {".ImageFullID", p->image_id, ID_LENGTH},
        {".ImageName", p->image_reference ? p->image_reference : "", LOG_TAG_MAX},
        {".DaemonName", "casemate", LOG_TAG_MAX},
    };
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (strlen(fields[i].name) == length && strncmp(fields[i].name, name, length) == 0) {
            *ret_length = strnlen(fields[i].value, fields[i].most);
            return fields[i].value;
        }
    return NULL;
}

int log_tag_expand(const char *tag, const struct plan *p, char **ret_tag, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    int r = buf_add(&b, "", 0, LOG_TAG_MAX, e);
    for (const char *at = tag; *at && r == 0;) {
        const char *open = strstr(at, "{{");
        const char *close = open ? strstr(open, "}}") : NULL;
        if (!close) {
            r = buf_add(&b, at, strlen(at), LOG_TAG_MAX, e);
            break;
        }
        const char *name = open + 2 + strspn(open + 2, " ");
        size_t length = strcspn(name, " }");
        size_t n = 0;
        const char *value = field(name, length, p, &n);
        if (!value)
            return err_set(
                e, EINVAL,
                "tag: {{%.*s}} is none of .ID, .FullID, .Name, .ImageID, .ImageFullID, .ImageName, "
                ".DaemonName",
                (int)(length < 64 ? length : 64), name);
        r = buf_add(&b, at, (size_t)(open - at), LOG_TAG_MAX, e);
        if (r == 0)
            r = buf_add(&b, value, n, LOG_TAG_MAX, e);
        at = close + 2;
    }
    return r < 0 ? err_wrap(e, "tag") : str_copy(b.data ? b.data : "", ret_tag, e);
}

/* Entries of `from` whose key is among the comma-separated names, or fits the pattern. */
static int collect(const struct str_list *from, const char *names, const char *pattern, struct str_list *ret,
                   struct err *e)
{
    _cleanup_str_list_ struct str_list wanted = {0};
    regex_t compiled;
    int r = names ? str_list_split(names, ',', NAMES_MAX, &wanted, e) : 0;
    if (r == 0 && pattern)
        r = compile(pattern, &compiled, e);
    if (r < 0)
        return r;
    for (size_t i = 0; i < from->count && r == 0; i++) {
        _cleanup_free_ char *key = NULL;
        r = str_copy_n(from->items[i], strcspn(from->items[i], "="), &key, e);
        if (r == 0 && (str_list_has(&wanted, key) || (pattern && regexec(&compiled, key, 0, NULL, 0) == 0)))
            r = str_list_set_env(ret, from->items[i], e);
    }
    if (pattern)
        regfree(&compiled);
    return r;
}

int log_attributes(const struct log_options *o, const struct plan *p, struct str_list *ret, struct err *e)
{
    int r = collect(&p->labels, o->labels, o->labels_regex, ret, e);
    return r == 0 ? collect(&p->env, o->env, o->env_regex, ret, e) : r;
}
