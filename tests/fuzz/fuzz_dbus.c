/* SPDX-License-Identifier: Apache-2.0 */
/* oci/dbus_message: no bytes crash the reader; everything that it hands out lies within the message. */
#include "oci/dbus_message.h"

#include "fuzz.h"

static void check_text(const char *text, const uint8_t *bytes, size_t size)
{
    const uint8_t *at = (const uint8_t *)text;
    MUST(!text || (at >= bytes && at < bytes + size && memchr(at, 0, size - (size_t)(at - bytes))));
}

static void read_body(const struct dbus_message *m)
{
    struct err e = {0};
    struct dbus_reader r = {.bytes = m->body, .length = m->body_length};
    const char *text = NULL;
    uint32_t number;
    for (int i = 0; i < 8; i++)
        if ((i % 2 ? dbus_get_u32(&r, &number, &e) : dbus_get_string(&r, &text, &e)) == 0)
            check_text(text, m->body, m->body_length);
    MUST(r.at <= r.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    struct dbus_message m = {0};
    size_t expected;
    uint8_t *bytes = malloc(size + 1);
    MUST(bytes);
    memcpy(bytes, data, size);
    if (size >= DBUS_HEAD && dbus_message_size(bytes, &expected, &e) == 0)
        MUST(expected >= DBUS_HEAD && expected <= 2 * DBUS_MESSAGE_MAX + DBUS_HEAD + 8);
    if (dbus_message_read(bytes, size, &m, &e) < 0) {
        MUST(e.code > 0 && *e.text);
        free(bytes);
        return 0;
    }
    const char *const texts[] = {m.path, m.interface, m.member, m.error_name, m.sender, m.signature};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        check_text(texts[i], bytes, size);
    MUST(m.body >= bytes && m.body + m.body_length == bytes + size);
    read_body(&m);
    free(bytes);
    return 0;
}
