/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of the D-Bus wire protocol, version 1, little-endian (D-Bus specification, "Message Protocol"): as much of it as asking a
 * service manager needs. What comes in is from a bus or a service manager, but is taken apart like any foreign bytes (fuzz_dbus).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define DBUS_MESSAGE_MAX (64U << 10) /* bytes, in both directions: what we speak of is small */
#define DBUS_HEAD 16                 /* bytes that say how long the message is */

enum dbus_type {
    DBUS_CALL = 1,
    DBUS_RETURN = 2,
    DBUS_ERROR = 3,
    DBUS_SIGNAL = 4,
};

/* ---- writing ---- */

/* A body, or a part of one. An error is kept until the message is made: nothing is lost by writing on. */
struct dbus_writer {
    struct buf bytes;
    struct err *e;
    int result;
};

void dbus_writer_clear(struct dbus_writer *w);
#define _cleanup_dbus_writer_ _cleanup_(dbus_writer_clear)

void dbus_put_byte(struct dbus_writer *w, uint8_t value);
void dbus_put_u32(struct dbus_writer *w, uint32_t value); /* also bool and int32 */
void dbus_put_u64(struct dbus_writer *w, uint64_t value); /* also int64 */
void dbus_put_string(struct dbus_writer *w, const char *text);
void dbus_put_signature(struct dbus_writer *w, const char *signature);
void dbus_open_struct(struct dbus_writer *w);

/* An array: what open returns is for close. `alignment` is of its items (8 for structures). */
size_t dbus_open_array(struct dbus_writer *w, size_t alignment);
void dbus_close_array(struct dbus_writer *w, size_t opened, size_t alignment);

struct dbus_call {
    uint32_t serial; /* not 0 */
    const char *destination, *path, *interface, *member;
    const char *signature;          /* of the body; NULL when there is none */
    const struct dbus_writer *body; /* may be NULL */
};

/* The whole message, added to `ret`. */
int dbus_call_write(const struct dbus_call *c, struct buf *ret, struct err *e);

/* ---- reading ---- */

/* Everything is borrowed from the bytes; what is not there is NULL. */
struct dbus_message {
    enum dbus_type type;
    uint32_t serial, reply_serial;
    const char *path, *interface, *member, *error_name, *sender, *signature;
    const uint8_t *body;
    size_t body_length;
};

/* How long the message is whose first DBUS_HEAD bytes these are. */
int dbus_message_size(const uint8_t *head, size_t *ret_size, struct err *e);

/* `bytes` is aligned to 8 and exactly one message. */
int dbus_message_read(const uint8_t *bytes, size_t size, struct dbus_message *ret, struct err *e);

struct dbus_reader {
    const uint8_t *bytes;
    size_t length, at;
};

int dbus_get_u32(struct dbus_reader *r, uint32_t *ret, struct err *e);
/* Strings and object paths; borrowed. */
int dbus_get_string(struct dbus_reader *r, const char **ret, struct err *e);
