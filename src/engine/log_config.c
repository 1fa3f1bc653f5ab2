/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a container from its plan (log_config.h). Labels, variables and names come from users and images: in JSON and in the journal's
 * protocol they are framed, in syslog what could end a field is replaced.
 */
#include "engine/log_config.h"

#include <ctype.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "plan/log_options.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define PIPE_DEFAULT (256U << 10) /* fewer turns between writer and shim than with the kernel's 64 KiB */
#define PIPE_MAX (1U << 20)       /* fs.pipe-max-size */
#define FIELD_NAME_MAX 64         /* of the journal */
#define HOST_NAME_LENGTH 64

void log_config_clear(struct log_config *c)
{
    close_fd(&c->socket);
    buf_clear(&c->attrs);
    buf_clear(&c->prefix);
}

static int make_attrs(const struct log_options *o, const struct plan *p, const char *tag, struct buf *b,
                      struct err *e)
{
    _cleanup_str_list_ struct str_list entries = {0};
    _cleanup_json_ struct json_object *json = NULL;
    int r = log_attributes(o, p, &entries, e);
    if (r < 0 || (entries.count == 0 && !o->tag))
        return r;
    json = json_object_new_object();
    if (!json)
        return err_oom(e);
    if (o->tag)
        r = json_add_string(json, "tag", tag, e);
    for (size_t i = 0; i < entries.count && r == 0; i++) {
        char *equals = strchr(entries.items[i], '=');
        *equals = '\0';
        json_object_object_del(json, entries.items[i]);
        r = json_add_string(json, entries.items[i], equals + 1, e);
    }
    if (r < 0)
        return r;
    const char *text =
        json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    r = text ? buf_add(b, text, strlen(text), SHIM_ATTRS_MAX, e) : err_oom(e);
    return r < 0 ? err_wrap(e, "labels and variables of each line of the log") : 0;
}

/* A field of the journal's protocol, whatever its value has. */
static int add_field(struct buf *b, const char *name, const char *value, struct err *e)
{
    size_t length = strlen(value);
    unsigned char size[8];
    if (!strchr(value, '\n'))
        return buf_printf(b, SHIM_PREFIX_MAX, e, "%s=%s\n", name, value);
    for (size_t i = 0; i < sizeof(size); i++)
        size[i] = (unsigned char)((uint64_t)length >> (8 * i));
    int r = buf_printf(b, SHIM_PREFIX_MAX, e, "%s\n", name);
    if (r == 0)
        r = buf_add(b, size, sizeof(size), SHIM_PREFIX_MAX, e);
    return r == 0 ? buf_printf(b, SHIM_PREFIX_MAX, e, "%s\n", value) : r;
}

/* As Docker does it: upper case, all but letters and digits become _; the journal takes no name that begins with _ or a digit. */
static void field_name(const char *key, char ret_name[FIELD_NAME_MAX + 1])
{
    size_t n = 0;
    for (; *key && n < FIELD_NAME_MAX; key++) {
        char c = isalnum((unsigned char)*key) ? (char)toupper((unsigned char)*key) : '_';
        if (n > 0 || isupper((unsigned char)c))
            ret_name[n++] = c;
    }
    ret_name[n] = '\0';
}

static int make_journal(const struct log_options *o, const struct plan *p, const char *tag, struct buf *b,
                        struct err *e)
{
    _cleanup_str_list_ struct str_list entries = {0};
    char short_id[13] = {0};
    memcpy(short_id, p->id, sizeof(short_id) - 1);
    const struct {
        const char *name, *value;
    } fields[] = {{"CONTAINER_ID", short_id},  {"CONTAINER_ID_FULL", p->id},
                  {"CONTAINER_NAME", p->name}, {"CONTAINER_TAG", tag},
                  {"SYSLOG_IDENTIFIER", tag},  {"IMAGE_NAME", p->image_reference}};
    int r = log_attributes(o, p, &entries, e);
    for (size_t i = 0; i < ARRAY_SIZE(fields) && r == 0; i++)
        r = fields[i].value ? add_field(b, fields[i].name, fields[i].value, e) : 0;
    for (size_t i = 0; i < entries.count && r == 0; i++) {
        char name[FIELD_NAME_MAX + 1];
        char *equals = strchr(entries.items[i], '=');
        *equals = '\0';
        field_name(entries.items[i], name);
        r = *name ? add_field(b, name, equals + 1, e) : 0;
    }
    return r < 0 ? err_wrap(e, "fields of the journal") : 0;
}

/* Fields of syslog have no blanks and no controls. */
static void make_word(char *word)
{
    for (; *word; word++)
        if ((unsigned char)*word <= ' ' || (unsigned char)*word >= 0x7f)
            *word = '_';
}

static int make_syslog(const struct log_options *o, char *tag, struct buf *b, struct err *e)
{
    char host[HOST_NAME_LENGTH + 1] = "-";
    make_word(tag);
    if (o->syslog_format == LOG_RFC3164)
        return buf_printf(b, SHIM_PREFIX_MAX, e, " %s[%d]: ", tag, (int)getpid());
    if (gethostname(host, sizeof(host) - 1) < 0 || !*host)
        (void)str_put(host, sizeof(host), "-", e);
    make_word(host);
    return buf_printf(b, SHIM_PREFIX_MAX, e, " %s %.48s %d %.32s - ", host, tag, (int)getpid(), tag);
}

static int connect_socket(const char *path, const char *what, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int r = str_put(address.sun_path, sizeof(address.sun_path), path, e);
    if (r < 0)
        return err_wrap(e, "%s", path);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_errno(e, "socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return err_set(e, errno,
                       "no %s on this machine can be reached at %s (%s); --log-driver json-file needs none",
                       what, path, strerror(errno));
    return steal_fd(&fd);
}

static int make_forward(const struct log_options *o, const struct plan *p, char *tag, struct log_config *c,
                        struct err *e)
{
    bool journal = o->driver == LOG_JOURNALD;
    static const uint32_t formats[] = {[LOG_RFC3164] = SHIM_FORWARD_RFC3164,
                                       [LOG_RFC5424] = SHIM_FORWARD_RFC5424,
                                       [LOG_RFC5424_MICRO] = SHIM_FORWARD_RFC5424_MICRO};
    c->forward = journal ? SHIM_FORWARD_JOURNAL : formats[o->syslog_format];
    c->facility = o->syslog_facility;
    c->socket =
        connect_socket(journal ? JOURNAL_SOCKET : o->syslog_address, journal ? "journal" : "syslog", e);
    if (c->socket < 0)
        return c->socket;
    return journal ? make_journal(o, p, tag, &c->prefix, e) : make_syslog(o, tag, &c->prefix, e);
}

static int32_t utc_offset(void)
{
    struct tm tm = {0};
    time_t now = time(NULL);
    return localtime_r(&now, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

int log_config_make(const struct plan *p, struct log_config *ret, struct err *e)
{
    struct log_options o;
    _cleanup_free_ char *tag = NULL;
    int r = log_options_parse(p->log_driver, &p->log_options, &o, e);
    if (r == 0)
        r = log_tag_expand(o.tag ? o.tag : LOG_TEMPLATE_DEFAULT, p, &tag, e);
    if (r < 0 || !tag)
        return err_wrap(e, "log options");
    ret->flags = (o.keeps ? 0 : (uint32_t)SHIM_LOG_NONE) | (o.drop ? (uint32_t)SHIM_LOG_DROP : 0);
    ret->size = p->log_size == PLAN_UNSET ? LOG_SIZE_DEFAULT : p->log_size;
    ret->files = p->log_files == PLAN_UNSET ? LOG_FILES_DEFAULT : p->log_files;
    ret->pipe = o.buffer == 0 ? PIPE_DEFAULT : o.buffer > PIPE_MAX ? PIPE_MAX : o.buffer;
    r = make_attrs(&o, p, tag, &ret->attrs, e);
    if (r < 0 || (o.driver != LOG_JOURNALD && o.driver != LOG_SYSLOG))
        return r;
    ret->utc_offset = utc_offset();
    return make_forward(&o, p, tag, ret, e);
}
