/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the audit log (audit_record.h). Written by hand, since the hash is over the bytes; read with json-c. Trusted code on texts that are
 * not: nothing of them reaches the line but through add_text. */
#include "engine/audit_record.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/identity.h"
#include "base/io.h"
#include "base/num.h"
#include "base/str.h"

#define CUT_MARK "\xe2\x80\xa6"    /* … */
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD, for a byte that is not UTF-8 */
#define HASH_OPEN ",\"hash\":\""
#define HASH_CLOSE "\"}"
#define HASH_LENGTH (sizeof(HASH_OPEN) - 1 + DIGEST_HEX_LENGTH + sizeof(HASH_CLOSE) - 1)
#define PROC_FILE_MAX 64
#define LOGINUID_UNSET UINT32_MAX

static const char *const names[] = {
    [AUDIT_CREATE] = "container.create",
    [AUDIT_START] = "container.start",
    [AUDIT_EXEC] = "container.exec",
    [AUDIT_STOP] = "container.stop",
    [AUDIT_KILL] = "container.kill",
    [AUDIT_PAUSE] = "container.pause",
    [AUDIT_UNPAUSE] = "container.unpause",
    [AUDIT_UPDATE] = "container.update",
    [AUDIT_RENAME] = "container.rename",
    [AUDIT_REMOVE] = "container.remove",
    [AUDIT_RESTART] = "container.restart",
    [AUDIT_EXPIRE] = "container.expire",
    [AUDIT_COPY] = "container.copy",
    [AUDIT_EXPORT] = "container.export",
    [AUDIT_DIFF] = "container.diff",
    [AUDIT_DEBUG] = "container.debug",
    [AUDIT_COMMIT] = "container.commit",
    [AUDIT_IMPORT] = "image.import",
    [AUDIT_SAVE] = "image.save",
    [AUDIT_CONTAINER_LOG] = "container.log",
    [AUDIT_GRANT] = "grant",
    [AUDIT_REFUSAL] = "refusal",
    [AUDIT_DENIAL] = "denial",
    [AUDIT_PULL] = "image.pull",
    [AUDIT_LOAD] = "image.load",
    [AUDIT_TAG] = "image.tag",
    [AUDIT_IMAGE_REMOVE] = "image.remove",
    [AUDIT_LOGIN] = "registry.login",
    [AUDIT_LOGOUT] = "registry.logout",
    [AUDIT_VOLUME_CREATE] = "volume.create",
    [AUDIT_VOLUME_REMOVE] = "volume.remove",
    [AUDIT_RUNTIME_WARN] = "runtime.warn",
    [AUDIT_RUNTIME_TIGHTEN] = "runtime.tighten",
    [AUDIT_STATE_ALERT] = "state.alert",
    [AUDIT_TORN] = "log.torn",
    [AUDIT_HEAD_LOST] = "log.head-lost",
};

const char *audit_kind_name(enum audit_kind kind)
{
    return names[kind];
}

/* Without its newline; "" when it cannot be read. */
static void read_line(const char *path, char *ret, size_t size)
{
    _cleanup_buf_ struct buf b = {0};
    struct err ignored = {0};
    ret[0] = '\0';
    if (io_read_path(path, PROC_FILE_MAX, &b, &ignored) == 0 && b.data)
        (void)snprintf(ret, size, "%.*s", (int)strcspn(b.data, "\n"), b.data);
}

/* Read once: a command makes several records. */
void audit_actor_self(struct audit_actor *ret)
{
    static struct audit_actor self;
    char path[32];
    char text[PROC_FILE_MAX];
    uint64_t login = 0;
    struct err ignored = {0};
    if (self.pid == getpid()) {
        *ret = self;
        return;
    }
    *ret = (struct audit_actor){.uid = identity_host_uid(getuid()), .pid = getpid(), .ppid = getppid()};
    read_line("/proc/self/loginuid", text, sizeof(text));
    if (num_parse_u64(text, UINT32_MAX, &login, &ignored) == 0 && login != LOGINUID_UNSET) {
        ret->has_loginuid = true;
        ret->loginuid = (uid_t)login;
    }
    (void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)ret->ppid);
    read_line(path, ret->parent, sizeof(ret->parent));
    self = *ret;
}

uid_t audit_user_self(void)
{
    struct audit_actor self;
    audit_actor_self(&self);
    return self.has_loginuid ? self.loginuid : self.uid;
}

/* One character of a text, `n` bytes long; 0: a byte that begins none. */
static int add_character(const char *at, size_t n, size_t max, struct buf *b, struct err *e)
{
    const unsigned char *c = (const unsigned char *)at;
    if (n == 0)
        return buf_add(b, REPLACEMENT, sizeof(REPLACEMENT) - 1, max, e);
    if (n == 1 && (c[0] == '"' || c[0] == '\\'))
        return buf_printf(b, max, e, "\\%c", c[0]);
    if (n == 1 && (c[0] < 0x20 || c[0] == 0x7f))
        return buf_printf(b, max, e, "\\u%04x", c[0]);
    if (n == 2 && c[0] == 0xc2 && c[1] < 0xa0)
        return buf_printf(b, max, e, "\\u%04x", c[1]);
    return buf_add(b, at, n, max, e);
}

static int add_text(const char *key, const char *text, size_t max, struct buf *b, struct err *e)
{
    if (!text)
        return 0;
    int r = buf_printf(b, max, e, ",\"%s\":\"", key);
    size_t used = 0;
    while (r == 0 && text[used]) {
        size_t n = str_utf8_length(text + used);
        size_t step = n ? n : 1;
        if (used + step > AUDIT_TEXT_MAX) {
            r = buf_add(b, CUT_MARK, sizeof(CUT_MARK) - 1, max, e);
            break;
        }
        r = add_character(text + used, n, max, b, e);
        used += step;
    }
    return r == 0 ? buf_add(b, "\"", 1, max, e) : r;
}

static int add_actor(const struct audit_actor *who, size_t max, struct buf *b, struct err *e)
{
    int r = buf_printf(b, max, e, ",\"uid\":%u", who->uid);
    if (r == 0 && who->has_loginuid)
        r = buf_printf(b, max, e, ",\"loginuid\":%u", who->loginuid);
    if (r == 0)
        r = buf_printf(b, max, e, ",\"pid\":%d,\"ppid\":%d", (int)who->pid, (int)who->ppid);
    return r == 0 ? add_text("parent", who->parent, max, b, e) : r;
}

static int add_event(const struct audit_event *event, size_t max, struct buf *b, struct err *e)
{
    int r = add_text("container", event->container, max, b, e);
    if (r == 0)
        r = add_text("name", event->name, max, b, e);
    if (r == 0)
        r = add_text("image", event->image, max, b, e);
    if (r == 0 && event->practice)
        r = buf_printf(b, max, e, ",\"practice\":%d", event->practice);
    if (r == 0)
        r = add_text("what", event->what, max, b, e);
    if (r == 0)
        r = add_text("source", event->source, max, b, e);
    if (r == 0 && event->kind == AUDIT_TORN)
        r = buf_printf(b, max, e, ",\"bytes\":%llu", (unsigned long long)event->bytes);
    return r;
}

static int add_hashes(const struct audit_chain *chain, size_t start, size_t max, struct buf *b, struct err *e)
{
    struct digest own;
    char hex[DIGEST_HEX_LENGTH + 1];
    digest_format_hex(&chain->last, hex);
    int r = buf_printf(b, max, e, ",\"prev\":\"%s\"", hex);
    if (r < 0)
        return r;
    digest_of(b->data + start, b->length - start, &own);
    digest_format_hex(&own, hex);
    return buf_printf(b, max, e, HASH_OPEN "%s" HASH_CLOSE, hex);
}

int audit_record_format(const struct audit_event *event, const struct audit_actor *who, int64_t time,
                        struct audit_chain *chain, size_t max, struct buf *b, struct err *e)
{
    char stamp[CLOCK_TEXT_LENGTH + 1];
    size_t start = b->length;
    clock_format(time, stamp);
    int r = buf_printf(b, max, e, "{\"v\":%d,\"seq\":%llu,\"time\":\"%s\",\"event\":\"%s\"", AUDIT_VERSION,
                       1ULL + chain->seq, stamp, names[event->kind]);
    if (r == 0)
        r = add_actor(who, max, b, e);
    if (r == 0)
        r = add_event(event, max, b, e);
    if (r == 0)
        r = add_hashes(chain, start, max, b, e);
    if (r < 0)
        return r;
    struct digest line;
    digest_of(b->data + start, b->length - start, &line);
    r = buf_add(b, "\n", 1, max, e);
    if (r < 0)
        return r;
    chain->seq++;
    chain->last = line;
    return 0;
}

void audit_record_clear(struct audit_record *r)
{
    json_putp(&r->json);
    r->json = NULL;
}

/* The hash stands at the end of the line and nowhere else. */
static int check_hash(const char *line, size_t length, struct err *e)
{
    struct digest own;
    char hex[DIGEST_HEX_LENGTH + 1];
    char expected[HASH_LENGTH + 1];
    if (length <= HASH_LENGTH || length >= AUDIT_LINE_MAX)
        return err_set(e, EBADMSG, "it is no record");
    digest_of(line, length - HASH_LENGTH, &own);
    digest_format_hex(&own, hex);
    (void)snprintf(expected, sizeof(expected), HASH_OPEN "%s" HASH_CLOSE, hex);
    const char *end = line + length - HASH_LENGTH;
    if (memcmp(end, HASH_OPEN, sizeof(HASH_OPEN) - 1) != 0)
        return err_set(e, EBADMSG, "it is no record");
    return memcmp(end, expected, HASH_LENGTH) == 0 ? 0 : err_set(e, EBADMSG, "its hash does not fit");
}

static int read_members(struct audit_record *r, struct err *e)
{
    uint64_t version = 0;
    const char *time = NULL;
    const char *prev = NULL;
    struct json_object *o = r->json;
    if (!json_object_is_type(o, json_type_object))
        return err_set(e, EBADMSG, "it is no record");
    if (json_get_u64(o, "v", &version, e) < 0 || json_get_u64(o, "seq", &r->seq, e) < 0 ||
        json_get_u64(o, "bytes", &r->bytes, e) < 0 || json_get_string(o, "time", &time, e) < 0 ||
        json_get_string(o, "event", &r->event, e) < 0 || json_get_string(o, "prev", &prev, e) < 0)
        return -EBADMSG;
    if (version != AUDIT_VERSION)
        return err_set(e, EBADMSG, "its version is not known");
    if (r->seq == 0 || !time || !r->event || strlen(r->event) > AUDIT_EVENT_MAX || !prev)
        return err_set(e, EBADMSG, "a member is missing");
    if (clock_parse(time, &r->time, e) < 0 || digest_parse_hex(prev, &r->prev, e) < 0)
        return -EBADMSG;
    return 0;
}

int audit_record_parse(const char *line, size_t length, struct audit_record *ret, struct err *e)
{
    _cleanup_audit_record_ struct audit_record r = {0};
    if (check_hash(line, length, e) < 0)
        return -EBADMSG;
    if (json_parse(line, length, &r.json, e) < 0 || read_members(&r, e) < 0) {
        e->code = EBADMSG;
        return -EBADMSG;
    }
    digest_of(line, length, &r.line);
    r.text = line;
    r.length = length;
    *ret = r;
    r.json = NULL;
    return 0;
}
