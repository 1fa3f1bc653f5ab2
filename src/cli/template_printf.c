/* SPDX-License-Identifier: Apache-2.0 */
/* printf of templates: Go's verbs v s d q x X o b c t f F e E g G T %, with flags, width and precision. What does not fit is printed
 * as Go prints it: %!d(string=x), %!s(MISSING), %!(EXTRA int=1). */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "cli/template_tree.h"

#define WIDTH_MAX 1024

struct verb {
    bool minus, plus, zero, sharp, space;
    int width, precision; /* -1: none */
    char letter;
};

static int read_number(const char **at)
{
    int n = 0;
    while (isdigit((unsigned char)**at) && n <= WIDTH_MAX)
        n = n * 10 + (*(*at)++ - '0');
    return n;
}

static struct verb read_verb(const char **at)
{
    struct verb v = {.width = -1, .precision = -1};
    for (;; (*at)++) {
        bool *flag = **at == '-'   ? &v.minus
                     : **at == '+' ? &v.plus
                     : **at == '0' ? &v.zero
                     : **at == '#' ? &v.sharp
                     : **at == ' ' ? &v.space
                                   : NULL;
        if (!flag)
            break;
        *flag = true;
    }
    if (isdigit((unsigned char)**at))
        v.width = read_number(at);
    if (**at == '.') {
        (*at)++;
        v.precision = read_number(at);
    }
    v.letter = **at;
    *at += **at != '\0';
    return v;
}

/* The first `characters` of UTF-8 text, in bytes. */
static size_t cut(const char *text, size_t length, size_t characters)
{
    size_t at = 0;
    for (; at < length; at++)
        if (((unsigned char)text[at] & 0xc0) != 0x80 && characters-- == 0)
            break;
    return at;
}

static int pad(struct buf *out, char with, size_t count, struct err *e)
{
    int r = 0;
    while (r == 0 && count-- > 0)
        r = buf_add(out, &with, 1, TEMPLATE_OUTPUT_MAX, e);
    return r;
}

/* Padded to the width, which counts characters; zeros stand behind the sign. */
static int add_padded(const struct verb *v, const char *text, size_t length, struct buf *out, struct err *e)
{
    size_t shown = 0;
    for (size_t i = 0; i < length; i++)
        shown += ((unsigned char)text[i] & 0xc0) != 0x80;
    size_t missing = v->width > 0 && (size_t)v->width > shown ? (size_t)v->width - shown : 0;
    bool zeros = v->zero && !v->minus;
    size_t sign = zeros && length && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    int r = buf_add(out, text, sign, TEMPLATE_OUTPUT_MAX, e);
    if (r == 0 && !v->minus)
        r = pad(out, zeros ? '0' : ' ', missing, e);
    if (r == 0)
        r = buf_add(out, text + sign, length - sign, TEMPLATE_OUTPUT_MAX, e);
    return r == 0 && v->minus ? pad(out, ' ', missing, e) : r;
}

static int add_binary(uint64_t n, struct buf *b, struct err *e)
{
    int bit = 63;
    int r = 0;
    while (bit > 0 && !(n >> bit & 1))
        bit--;
    for (; r == 0 && bit >= 0; bit--)
        r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "%d", (int)(n >> bit & 1));
    return r;
}

/* 1: done; 0: the verb is not for whole numbers. */
static int add_whole(const struct verb *v, int64_t n, struct buf *b, struct err *e)
{
    uint64_t size = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    const char *sign = n < 0 ? "-" : v->plus ? "+" : v->space ? " " : "";
    const char *prefix = !v->sharp          ? ""
                         : v->letter == 'x' ? "0x"
                         : v->letter == 'X' ? "0X"
                         : v->letter == 'o' ? "0"
                                            : "";
    if (!strchr("vdxXob", v->letter))
        return 0;
    int r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "%s%s", sign, prefix);
    if (r == 0 && v->letter == 'b')
        r = add_binary(size, b, e);
    else if (r == 0 && v->letter == 'x')
        r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "%" PRIx64, size);
    else if (r == 0 && v->letter == 'X')
        r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "%" PRIX64, size);
    else if (r == 0 && v->letter == 'o')
        r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "%" PRIo64, size);
    else if (r == 0)
        r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "%" PRIu64, size);
    return r < 0 ? r : 1;
}

static int add_real(const struct verb *v, const struct value *value, struct buf *b, struct err *e)
{
    double n = json_object_get_double(value->json);
    int digits = v->precision < 0 ? 6 : v->precision;
    int r;
    if (n >= 0 && v->plus && (r = buf_add(b, "+", 1, TEMPLATE_OUTPUT_MAX, e)) < 0)
        return r;
    if (v->letter == 'f' || v->letter == 'F')
        r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "%.*f", digits, n);
    else if (v->letter == 'e')
        r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "%.*e", digits, n);
    else if (v->letter == 'E')
        r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "%.*E", digits, n);
    else if ((v->letter == 'g' || v->letter == 'G' || v->letter == 'v') && v->precision < 0)
        r = template_value_print(value, b, e);
    else if (v->letter == 'g' || v->letter == 'v')
        r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "%.*g", digits, n);
    else if (v->letter == 'G')
        r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "%.*G", digits, n);
    else
        return 0;
    return r < 0 ? r : 1;
}

static int add_quoted(const char *text, size_t length, struct buf *b, struct err *e)
{
    static const char named[] = "\a\b\f\n\r\t\v\\\"";
    static const char names[] = "abfnrtv\\\"";
    int r = buf_add(b, "\"", 1, TEMPLATE_OUTPUT_MAX, e);
    for (size_t i = 0; r == 0 && i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        const char *at = c ? strchr(named, c) : NULL;
        if (at)
            r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "\\%c", names[at - named]);
        else if (c < 0x20 || c == 0x7f)
            r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "\\x%02x", c);
        else
            r = buf_add(b, text + i, 1, TEMPLATE_OUTPUT_MAX, e);
    }
    return r < 0 ? r : buf_add(b, "\"", 1, TEMPLATE_OUTPUT_MAX, e);
}

static int add_text(const struct verb *v, const struct value *value, struct buf *b, struct err *e)
{
    const char *text = json_object_get_string(value->json);
    size_t length = (size_t)json_object_get_string_len(value->json);
    int r = 0;
    if (v->precision >= 0)
        length = cut(text, length, (size_t)v->precision);
    if (v->letter == 'v' || v->letter == 's')
        r = buf_add(b, text, length, TEMPLATE_OUTPUT_MAX, e);
    else if (v->letter == 'q')
        r = add_quoted(text, length, b, e);
    else if (v->letter == 'x' || v->letter == 'X')
        for (size_t i = 0; r == 0 && i < length; i++)
            r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, v->letter == 'x' ? "%02x" : "%02X",
                           (unsigned char)text[i]);
    else
        return 0;
    return r < 0 ? r : 1;
}

/* %!d(string=x) */
static int add_mismatch(const struct verb *v, const struct value *value, struct buf *b, struct err *e)
{
    if (!value->json)
        return buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "%%!%c(<nil>)", v->letter);
    int r = buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "%%!%c(%s=", v->letter, template_value_type(value));
    if (r == 0)
        r = template_value_print(value, b, e);
    return r < 0 ? r : buf_printf(b, TEMPLATE_OUTPUT_MAX, e, ")");
}

static int add_by_type(const struct verb *v, const struct value *value, struct buf *b, struct err *e)
{
    int r = 0;
    switch (json_object_get_type(value->json)) {
    case json_type_string:
        return add_text(v, value, b, e);
    case json_type_int:
        return add_whole(v, json_object_get_int64(value->json), b, e);
    case json_type_double:
        return add_real(v, value, b, e);
    case json_type_null:
        r = v->letter == 'v' ? buf_printf(b, TEMPLATE_OUTPUT_MAX, e, "<nil>") : 1;
        return r < 0 ? r : v->letter == 'v';
    case json_type_boolean:
        if (v->letter != 'v' && v->letter != 't')
            return 0;
        break;
    case json_type_object:
    case json_type_array:
        if (v->letter != 'v' && v->letter != 's')
            return 0;
        break;
    }
    r = template_value_print(value, b, e);
    return r < 0 ? r : 1;
}

static int add_value(const struct verb *v, const struct value *value, struct buf *out, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    int r = v->letter == 'T' ? buf_printf(&b, TEMPLATE_OUTPUT_MAX, e, "%s", template_value_type(value))
                             : add_by_type(v, value, &b, e);
    if (r == 0 && v->letter != 'T')
        return add_mismatch(v, value, out, e);
    return r < 0 ? r : add_padded(v, b.data ? b.data : "", b.length, out, e);
}

static int add_extra(const struct value *arguments, size_t count, struct buf *out, struct err *e)
{
    int r = buf_printf(out, TEMPLATE_OUTPUT_MAX, e, "%%!(EXTRA ");
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = buf_printf(out, TEMPLATE_OUTPUT_MAX, e, "%s%s=", i ? ", " : "",
                       template_value_type(&arguments[i]));
        if (r == 0)
            r = template_value_print(&arguments[i], out, e);
    }
    return r < 0 ? r : buf_printf(out, TEMPLATE_OUTPUT_MAX, e, ")");
}

static int print_all(const struct value *arguments, size_t count, struct buf *out, struct err *e)
{
    size_t used = 1;
    int r = 0;
    for (const char *at = json_object_get_string(arguments[0].json); r == 0 && *at;) {
        size_t literal = strcspn(at, "%");
        r = buf_add(out, at, literal, TEMPLATE_OUTPUT_MAX, e);
        at += literal;
        if (r < 0 || !*at)
            break;
        at++;
        struct verb v = read_verb(&at);
        if (v.width > WIDTH_MAX || v.precision > WIDTH_MAX)
            return err_set(e, EINVAL, "width or precision above %d", WIDTH_MAX);
        if (v.letter == '\0')
            r = buf_printf(out, TEMPLATE_OUTPUT_MAX, e, "%%!(NOVERB)");
        else if (v.letter == '%')
            r = buf_add(out, "%", 1, TEMPLATE_OUTPUT_MAX, e);
        else if (!isalpha((unsigned char)v.letter))
            r = err_set(e, EINVAL, "no verb '%c'", v.letter);
        else if (used == count)
            r = buf_printf(out, TEMPLATE_OUTPUT_MAX, e, "%%!%c(MISSING)", v.letter);
        else
            r = add_value(&v, &arguments[used++], out, e);
    }
    return r == 0 && used < count ? add_extra(arguments + used, count - used, out, e) : r;
}

int template_printf(const struct value *arguments, size_t count, struct value *ret, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    if (!json_object_is_type(arguments[0].json, json_type_string))
        return err_set(e, EINVAL, "wrong type for value; expected string; got %s",
                       template_value_type(&arguments[0]));
    int r = print_all(arguments, count, &b, e);
    if (r < 0)
        return r;
    *ret = template_value_take(json_object_new_string_len(b.data ? b.data : "", (int)b.length));
    return ret->json ? 0 : err_oom(e);
}
