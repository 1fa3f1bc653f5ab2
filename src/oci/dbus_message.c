/* SPDX-License-Identifier: Apache-2.0 */
/* The D-Bus wire protocol (dbus_message.h). Trust: reads foreign bytes; every length is checked against what is there. */
#include "oci/dbus_message.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"

#define VERSION 1
#define ALIGNMENT_MAX 8
#define SIGNATURE_MAX 255

/* Codes of header fields. */
enum {
    FIELD_PATH = 1,
    FIELD_INTERFACE = 2,
    FIELD_MEMBER = 3,
    FIELD_ERROR_NAME = 4,
    FIELD_REPLY_SERIAL = 5,
    FIELD_DESTINATION = 6,
    FIELD_SENDER = 7,
    FIELD_SIGNATURE = 8,
};

/* ---- writing ---- */

void dbus_writer_clear(struct dbus_writer *w)
{
    buf_clear(&w->bytes);
}

static void put(struct dbus_writer *w, const void *data, size_t length)
{
    if (w->result == 0)
        w->result = buf_add(&w->bytes, data, length, DBUS_MESSAGE_MAX, w->e);
}

static void align(struct dbus_writer *w, size_t alignment)
{
    static const char zeros[ALIGNMENT_MAX];
    put(w, zeros, (alignment - w->bytes.length % alignment) % alignment);
}

void dbus_put_byte(struct dbus_writer *w, uint8_t value)
{
    put(w, &value, sizeof(value));
}

void dbus_put_u32(struct dbus_writer *w, uint32_t value)
{
    const uint32_t wire = htole32(value);
    align(w, sizeof(wire));
    put(w, &wire, sizeof(wire));
}

void dbus_put_u64(struct dbus_writer *w, uint64_t value)
{
    const uint64_t wire = htole64(value);
    align(w, sizeof(wire));
    put(w, &wire, sizeof(wire));
}

void dbus_put_string(struct dbus_writer *w, const char *text)
{
    size_t length = strlen(text);
    if (w->result == 0 && (length > DBUS_MESSAGE_MAX || !str_is_utf8(text)))
        w->result = err_set(w->e, EINVAL, "\"%.64s\" cannot be said over D-Bus", text);
    dbus_put_u32(w, (uint32_t)length);
    put(w, text, length + 1);
}

void dbus_put_signature(struct dbus_writer *w, const char *signature)
{
    size_t length = strlen(signature);
    dbus_put_byte(w, (uint8_t)(length & SIGNATURE_MAX));
    put(w, signature, length + 1);
}

void dbus_open_struct(struct dbus_writer *w)
{
    align(w, ALIGNMENT_MAX);
}

size_t dbus_open_array(struct dbus_writer *w, size_t alignment)
{
    dbus_put_u32(w, 0);
    size_t at = w->bytes.length - (w->result == 0 ? sizeof(uint32_t) : 0);
    align(w, alignment);
    return at;
}

/* The length counts from the first item, behind the padding. */
void dbus_close_array(struct dbus_writer *w, size_t opened, size_t alignment)
{
    if (w->result < 0)
        return;
    size_t first = (opened + sizeof(uint32_t) + alignment - 1) / alignment * alignment;
    const uint32_t wire = htole32((uint32_t)(w->bytes.length - first));
    memcpy(w->bytes.data + opened, &wire, sizeof(wire));
}

static void put_field(struct dbus_writer *w, uint8_t code, const char *type, const char *value)
{
    if (!value)
        return;
    dbus_open_struct(w);
    dbus_put_byte(w, code);
    dbus_put_signature(w, type);
    if (*type == 'g')
        dbus_put_signature(w, value);
    else
        dbus_put_string(w, value);
}

int dbus_call_write(const struct dbus_call *c, struct buf *ret, struct err *e)
{
    _cleanup_dbus_writer_ struct dbus_writer w = {.e = e};
    const struct dbus_writer empty = {0};
    const struct dbus_writer *body = c->body ? c->body : &empty;
    if (body->result < 0)
        return body->result;
    dbus_put_byte(&w, 'l');
    dbus_put_byte(&w, DBUS_CALL);
    dbus_put_byte(&w, 0);
    dbus_put_byte(&w, VERSION);
    dbus_put_u32(&w, (uint32_t)body->bytes.length);
    dbus_put_u32(&w, c->serial);
    size_t fields = dbus_open_array(&w, ALIGNMENT_MAX);
    put_field(&w, FIELD_PATH, "o", c->path);
    put_field(&w, FIELD_DESTINATION, "s", c->destination);
    put_field(&w, FIELD_INTERFACE, "s", c->interface);
    put_field(&w, FIELD_MEMBER, "s", c->member);
    put_field(&w, FIELD_SIGNATURE, "g", c->signature);
    dbus_close_array(&w, fields, ALIGNMENT_MAX);
    align(&w, ALIGNMENT_MAX);
    if (body->bytes.length > 0)
        put(&w, body->bytes.data, body->bytes.length);
    return w.result < 0 ? w.result : buf_add(ret, w.bytes.data, w.bytes.length, 8 * DBUS_MESSAGE_MAX, e);
}

/* ---- reading ---- */

static int broken(struct err *e)
{
    return err_set(e, EBADMSG, "the D-Bus answered with what is no message of its protocol");
}

static uint32_t u32_at(const uint8_t *bytes)
{
    uint32_t wire;
    memcpy(&wire, bytes, sizeof(wire));
    return le32toh(wire);
}

static size_t round_up(size_t n, size_t alignment)
{
    return (n + alignment - 1) / alignment * alignment;
}

int dbus_message_size(const uint8_t *head, size_t *ret_size, struct err *e)
{
    if (head[0] != 'l' || head[3] != VERSION)
        return broken(e);
    size_t body = u32_at(head + 4);
    size_t fields = u32_at(head + 12);
    if (body > DBUS_MESSAGE_MAX || fields > DBUS_MESSAGE_MAX)
        return err_set(e, EFBIG, "the D-Bus answered with more than %u bytes", DBUS_MESSAGE_MAX);
    *ret_size = round_up(DBUS_HEAD + fields, ALIGNMENT_MAX) + body;
    return 0;
}

static int skip_to(struct dbus_reader *r, size_t alignment, size_t need, struct err *e)
{
    size_t at = round_up(r->at, alignment);
    if (at > r->length || r->length - at < need)
        return broken(e);
    r->at = at;
    return 0;
}

int dbus_get_u32(struct dbus_reader *r, uint32_t *ret, struct err *e)
{
    int result = skip_to(r, sizeof(uint32_t), sizeof(uint32_t), e);
    if (result < 0)
        return result;
    *ret = u32_at(r->bytes + r->at);
    r->at += sizeof(uint32_t);
    return 0;
}

/* `length` bytes of text and its NUL. */
static int get_text(struct dbus_reader *r, size_t length, const char **ret, struct err *e)
{
    int result = length > r->length ? broken(e) : skip_to(r, 1, length + 1, e);
    if (result < 0)
        return result;
    const char *text = (const char *)r->bytes + r->at;
    if (text[length] || strlen(text) != length)
        return broken(e);
    *ret = text;
    r->at += length + 1;
    return 0;
}

int dbus_get_string(struct dbus_reader *r, const char **ret, struct err *e)
{
    uint32_t length;
    int result = dbus_get_u32(r, &length, e);
    return result < 0 ? result : get_text(r, length, ret, e);
}

static int get_signature(struct dbus_reader *r, const char **ret, struct err *e)
{
    int result = skip_to(r, 1, 1, e);
    if (result < 0)
        return result;
    size_t length = r->bytes[r->at++];
    return get_text(r, length, ret, e);
}

/* A value of a header field: all that are defined are texts and numbers of 32 bits. */
static int read_value(struct dbus_reader *r, const char **ret_text, uint32_t *ret_number, char *ret_type,
                      struct err *e)
{
    const char *type;
    int result = get_signature(r, &type, e);
    if (result < 0 || strlen(type) != 1)
        return result < 0 ? result : broken(e);
    *ret_type = *type;
    switch (*type) {
    case 's':
    case 'o':
        return dbus_get_string(r, ret_text, e);
    case 'g':
        return get_signature(r, ret_text, e);
    case 'u':
        return dbus_get_u32(r, ret_number, e);
    default:
        return broken(e);
    }
}

static int read_field(struct dbus_reader *r, struct dbus_message *m, struct err *e)
{
    static const struct {
        char type;
        size_t offset;
    } texts[] = {
        [FIELD_PATH] = {'o', offsetof(struct dbus_message, path)},
        [FIELD_INTERFACE] = {'s', offsetof(struct dbus_message, interface)},
        [FIELD_MEMBER] = {'s', offsetof(struct dbus_message, member)},
        [FIELD_ERROR_NAME] = {'s', offsetof(struct dbus_message, error_name)},
        [FIELD_SENDER] = {'s', offsetof(struct dbus_message, sender)},
        [FIELD_SIGNATURE] = {'g', offsetof(struct dbus_message, signature)},
    };
    const char *text = NULL;
    uint32_t number = 0;
    char type = '\0';
    int result = skip_to(r, ALIGNMENT_MAX, 1, e);
    if (result < 0)
        return result;
    uint8_t code = r->bytes[r->at++];
    result = read_value(r, &text, &number, &type, e);
    if (result < 0)
        return result;
    if (code == FIELD_REPLY_SERIAL && type == 'u')
        m->reply_serial = number;
    else if (code < sizeof(texts) / sizeof(*texts) && texts[code].type && texts[code].type == type)
        memcpy((char *)m + texts[code].offset, &text, sizeof(const char *));
    return 0;
}

int dbus_message_read(const uint8_t *bytes, size_t size, struct dbus_message *ret, struct err *e)
{
    struct dbus_message m = {0};
    size_t expected;
    int result = size < DBUS_HEAD ? broken(e) : dbus_message_size(bytes, &expected, e);
    if (result < 0 || expected != size)
        return result < 0 ? result : broken(e);
    if (bytes[1] < DBUS_CALL || bytes[1] > DBUS_SIGNAL)
        return broken(e);
    m.type = bytes[1];
    m.serial = u32_at(bytes + 8);
    size_t fields = DBUS_HEAD + u32_at(bytes + 12);
    struct dbus_reader r = {.bytes = bytes, .length = fields, .at = DBUS_HEAD};
    while (result == 0 && r.at < fields)
        result = read_field(&r, &m, e);
    if (result < 0)
        return result;
    m.body = bytes + round_up(fields, ALIGNMENT_MAX);
    m.body_length = u32_at(bytes + 4);
    *ret = m;
    return 0;
}
