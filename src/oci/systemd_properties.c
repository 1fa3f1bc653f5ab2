/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of units (systemd.h): a name and a value with its type; also from the text of an annotation. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "oci/systemd.h"

#define NAME_MAX_BYTES 128
#define STRINGS_MAX 64
#define USEC_PER_SEC 1000000

static void open_property(struct dbus_writer *w, const char *name, const char *signature)
{
    dbus_open_struct(w);
    dbus_put_string(w, name);
    dbus_put_signature(w, signature);
}

void oci_property_string(struct dbus_writer *w, const char *name, const char *value)
{
    open_property(w, name, "s");
    dbus_put_string(w, value);
}

void oci_property_bool(struct dbus_writer *w, const char *name, bool value)
{
    open_property(w, name, "b");
    dbus_put_u32(w, value);
}

void oci_property_u64(struct dbus_writer *w, const char *name, uint64_t value)
{
    open_property(w, name, "t");
    dbus_put_u64(w, value);
}

/* ---- annotations ---- */

static int no_value(const char *text, struct err *e)
{
    return err_set(e, EINVAL,
                   "\"%.100s\" is no value of a property: true, 5, uint64 5, 'text' or ['text', 'text']",
                   text);
}

static const char *skip_spaces(const char *text)
{
    return text + strspn(text, " \t");
}

/* 'text' or "text", with \ before a quote or itself. Returns what follows. */
static const char *read_quoted(const char *text, char *ret, size_t size)
{
    char quote = *text;
    size_t n = 0;
    if (quote != '\'' && quote != '"')
        return NULL;
    for (text++; *text && *text != quote; text++) {
        if (*text == '\\' && !*++text)
            return NULL;
        if (n + 1 >= size)
            return NULL;
        ret[n++] = *text;
    }
    ret[n] = '\0';
    return *text ? text + 1 : NULL;
}

static int parse_strings(struct dbus_writer *w, const char *name, const char *text, struct err *e)
{
    char one[1024];
    const char *at = skip_spaces(text + 1);
    open_property(w, name, "as");
    size_t array = dbus_open_array(w, sizeof(uint32_t));
    for (int i = 0; *at != ']'; i++) {
        at = i == STRINGS_MAX ? NULL : read_quoted(at, one, sizeof(one));
        if (!at)
            return no_value(text, e);
        dbus_put_string(w, one);
        at = skip_spaces(at);
        if (*at != ',' && *at != ']')
            return no_value(text, e);
        at = *at == ',' ? skip_spaces(at + 1) : at;
    }
    dbus_close_array(w, array, sizeof(uint32_t));
    return *skip_spaces(at + 1) ? no_value(text, e) : 0;
}

static const struct number_type {
    const char *word, *signature;
    bool is_signed, is_wide;
} number_types[] = {
    {"uint64 ", "t", false, true}, {"int64 ", "x", true, true}, {"uint32 ", "u", false, false},
    {"int32 ", "i", true, false},  {"", "i", true, false}, /* GVariant's own reading of a bare number */
};

static int put_number(struct dbus_writer *w, const char *name, const struct number_type *type,
                      const char *text, struct err *e)
{
    char *end = NULL;
    bool negative = *text == '-';
    errno = 0;
    unsigned long long value = negative && type->is_signed ? 0 : strtoull(text, &end, 10);
    long long below = negative && type->is_signed ? strtoll(text, &end, 10) : 0;
    bool digits = text[negative] >= '0' && text[negative] <= '9';
    if (!digits || !end || *skip_spaces(end) || errno || (negative && !type->is_signed) ||
        (!type->is_wide && (value > (type->is_signed ? INT32_MAX : UINT32_MAX) || below < INT32_MIN)) ||
        (type->is_wide && type->is_signed && value > INT64_MAX))
        return no_value(text, e);
    open_property(w, name, type->signature);
    if (type->is_wide)
        dbus_put_u64(w, negative ? (uint64_t)below : value);
    else
        dbus_put_u32(w, negative ? (uint32_t)(int32_t)below : (uint32_t)value);
    return 0;
}

/* TimeoutStopSec=1.5 is TimeoutStopUSec over the D-Bus. */
static int put_seconds(struct dbus_writer *w, const char *name, size_t stem, const char *text, struct err *e)
{
    char wire[NAME_MAX_BYTES + 8];
    char *end = NULL;
    const char *digits = text;
    for (size_t i = 0; i < ARRAY_SIZE(number_types) - 1; i++)
        if (str_after(text, number_types[i].word))
            digits = skip_spaces(str_after(text, number_types[i].word));
    double seconds = *digits >= '0' && *digits <= '9' ? strtod(digits, &end) : -1;
    if (!end || *skip_spaces(end) || !(seconds >= 0) || seconds > 1e12)
        return no_value(text, e);
    (void)snprintf(wire, sizeof(wire), "%.*sUSec", (int)stem, name);
    oci_property_u64(w, wire, (uint64_t)(seconds * USEC_PER_SEC));
    return 0;
}

static int parse_value(struct dbus_writer *w, const char *name, const char *text, struct err *e)
{
    char string[1024];
    size_t length = strlen(name);
    if (str_equal(text, "true") || str_equal(text, "false")) {
        oci_property_bool(w, name, str_equal(text, "true"));
        return 0;
    }
    if (*text == '[')
        return parse_strings(w, name, text, e);
    if (*text == '\'' || *text == '"') {
        const char *end = read_quoted(text, string, sizeof(string));
        if (!end || *skip_spaces(end))
            return no_value(text, e);
        oci_property_string(w, name, string);
        return 0;
    }
    if (length > 3 && str_ends_with(name, "Sec") && !str_ends_with(name, "USec"))
        return put_seconds(w, name, length - 3, text, e);
    for (size_t i = 0; i < ARRAY_SIZE(number_types); i++) {
        const char *number = str_after(text, number_types[i].word);
        if (number)
            return put_number(w, name, &number_types[i], skip_spaces(number), e);
    }
    return no_value(text, e);
}

/* Names of properties, as runc and crun take them: letters alone, so that nothing else gets into the message. */
int oci_property_parse(struct dbus_writer *w, const char *name, const char *text, struct err *e)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (strlen(name) < 3 || strlen(name) > NAME_MAX_BYTES || name[strspn(name, letters)])
        return err_set(e, EINVAL, "\"%.64s\" is no name of a property", name);
    return parse_value(w, name, skip_spaces(text), e);
}
