/* SPDX-License-Identifier: Apache-2.0 */
/* Words of templates (template_tree.h), with trimming and comments. The text is the caller's, bounded by TEMPLATE_SOURCE_MAX. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/template_tree.h"

#define BLANKS " \t\r\n"

void template_complain_at(const char *text, size_t at, struct err *e, const char *fmt, ...)
{
    char why[ERR_TEXT_MAX];
    size_t line = 1;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    for (size_t i = 0; i < at && text[i]; i++)
        line += text[i] == '\n';
    (void)err_set(e, EINVAL, "template parsing error: template: :%zu: %s", line, why);
}

static bool is_blank(char c)
{
    return c && strchr(BLANKS, c);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* "{{- " takes the blanks before it away. */
static bool trims_left(const struct lexer *l, size_t at)
{
    return l->text[at + 2] == '-' && is_blank(l->text[at + 3]);
}

/* At the end of an action, with or without " -": how long it is; 0: it does not end here. */
static size_t right_length(const struct lexer *l, size_t at, bool *ret_trims)
{
    const char *text = l->text + at;
    *ret_trims = is_blank(text[0]) && str_after(text + 1, "-}}");
    if (*ret_trims)
        return 4;
    return str_after(text, "}}") ? 2 : 0;
}

static void leave(struct lexer *l, size_t length, bool trims)
{
    l->at += length;
    l->inside = false;
    while (trims && is_blank(l->text[l->at]))
        l->at++;
}

/* Behind {{ or "{{- ": a comment goes up to the end of the action. 1: there was one. */
static int skip_comment(struct lexer *l, size_t at, struct err *e)
{
    bool trims;
    if (!str_after(l->text + at, "/*"))
        return 0;
    const char *end = strstr(l->text + at + 2, "*/");
    if (!end)
        return template_complain(l->text, at, e, "unclosed comment");
    l->at = (size_t)(end + 2 - l->text);
    size_t length = right_length(l, l->at, &trims);
    if (length == 0)
        return template_complain(l->text, l->at, e, "comment ends before closing delimiter");
    leave(l, length, trims);
    return 1;
}

static int next_outside(struct lexer *l, struct token *ret, struct err *e)
{
    const char *open = strstr(l->text + l->at, "{{");
    size_t end = open ? (size_t)(open - l->text) : l->length;
    size_t shown = end;
    bool trims = open && trims_left(l, end);
    while (trims && shown > l->at && is_blank(l->text[shown - 1]))
        shown--;
    *ret = (struct token){.kind = TOKEN_TEXT, .at = l->at, .length = shown - l->at};
    if (ret->length == 0 && !open)
        ret->kind = TOKEN_END;
    if (ret->length) {
        l->at = trims ? end : shown;
        return 1;
    }
    if (!open)
        return 1;
    size_t width = trims ? 4 : 2;
    int r = skip_comment(l, end + width, e);
    if (r != 0)
        return r < 0 ? r : 0; /* 0: look again */
    *ret = (struct token){.kind = TOKEN_LEFT, .at = end, .length = width};
    l->opened = end;
    l->at = end + width;
    l->inside = true;
    return 1;
}

/* A quoted string, a raw one or a character, with its quotes. */
static int take_quoted(struct lexer *l, struct token *t, struct err *e)
{
    char quote = l->text[l->at];
    size_t at = l->at + 1;
    for (; l->text[at] && l->text[at] != quote; at++) {
        if (l->text[at] == '\n' && quote != '`')
            break;
        if (l->text[at] == '\\' && quote != '`' && l->text[at + 1])
            at++;
    }
    if (l->text[at] != quote)
        return template_complain(l->text, l->at, e, "unterminated %s",
                                 quote == '`'   ? "raw quoted string"
                                 : quote == '"' ? "quoted string"
                                                : "character constant");
    t->kind = quote == '\'' ? TOKEN_CHARACTER : TOKEN_STRING;
    t->length = at + 1 - l->at;
    return 0;
}

static size_t count_word(const char *text)
{
    size_t n = 0;
    while (is_word(text[n]))
        n++;
    return n;
}

static size_t count_number(const char *text)
{
    size_t n = text[0] == '+' || text[0] == '-';
    while (is_word(text[n]) || text[n] == '.' ||
           ((text[n] == '+' || text[n] == '-') && n > 0 && (text[n - 1] == 'e' || text[n - 1] == 'E')))
        n++;
    return n;
}

static int unknown_character(const struct lexer *l, struct err *e)
{
    unsigned char c = (unsigned char)l->text[l->at];
    if (!c)
        return template_complain(l->text, l->opened, e, "unclosed action");
    return template_complain(l->text, l->at, e, "unrecognized character in action: U+%04X '%c'", c, c);
}

static int next_inside(struct lexer *l, struct token *ret, struct err *e)
{
    static const struct {
        const char *text;
        enum token_kind kind;
    } signs[] = {{":=", TOKEN_DECLARE}, {"=", TOKEN_ASSIGN}, {"|", TOKEN_PIPE},
                 {"(", TOKEN_OPEN},     {")", TOKEN_CLOSE},  {",", TOKEN_COMMA}};
    bool trims;
    size_t start = l->at;
    size_t right;
    while ((right = right_length(l, l->at, &trims)) == 0 && is_blank(l->text[l->at]))
        l->at++;
    const char *text = l->text + l->at;
    struct token t = {.kind = TOKEN_RIGHT, .at = l->at, .length = right, .spaced = l->at > start};
    if (right) {
        leave(l, right, trims);
        *ret = t;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(signs) && !t.length; i++) {
        if (str_after(text, signs[i].text)) {
            t.kind = signs[i].kind;
            t.length = strlen(signs[i].text);
        }
    }
    bool number = isdigit((unsigned char)text[0]) ||
                  (strchr("+-.", text[0]) && text[0] && isdigit((unsigned char)text[1]));
    if (t.length == 0 && text[0] && strchr("\"`'", text[0])) {
        int r = take_quoted(l, &t, e);
        if (r < 0)
            return r;
    } else if (t.length == 0 && number) {
        t.kind = TOKEN_NUMBER;
        t.length = count_number(text);
    } else if (t.length == 0 && (text[0] == '.' || text[0] == '$')) {
        t.length = 1 + count_word(text + 1);
        t.kind = text[0] == '$' ? TOKEN_VARIABLE : t.length > 1 ? TOKEN_FIELD : TOKEN_DOT;
    } else if (t.length == 0) {
        t.kind = TOKEN_WORD;
        t.length = count_word(text);
    }
    if (t.length == 0)
        return unknown_character(l, e);
    l->at += t.length;
    *ret = t;
    return 0;
}

int template_next(struct lexer *l, struct token *ret_token, struct err *e)
{
    int r = 0;
    if (l->inside)
        return next_inside(l, ret_token, e);
    while ((r = next_outside(l, ret_token, e)) == 0)
        continue;
    return r < 0 ? r : 0;
}

/* A code point in UTF-8 (RFC 3629). */
static int add_character(uint32_t c, struct buf *b, struct err *e)
{
    char text[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6)
        text[i] = (char)(0x80 | (c & 0x3f));
    text[0] = (char)(lead[n] | c);
    return buf_add(b, text, n, TEMPLATE_SOURCE_MAX, e);
}

/* Behind the backslash; *at is moved behind the escape. False: not one of Go's. */
static bool read_escape(const char *text, size_t *at, size_t end, uint32_t *ret, bool *ret_byte)
{
    static const char names[] = "abfnrtv\\\"'";
    static const char values[] = "\a\b\f\n\r\t\v\\\"'";
    char c = text[(*at)++];
    const char *name = memchr(names, c, sizeof(names) - 1);
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : c >= '0' && c <= '7' ? 3 : 0;
    uint32_t base = c == 'x' || c == 'u' || c == 'U' ? 16 : 8;
    *ret = name ? (unsigned char)values[name - names] : 0;
    *ret_byte = digits == 2 || digits == 3;
    if (name)
        return true;
    *at -= digits == 3;
    for (size_t i = 0; i < digits; i++, (*at)++) {
        unsigned char d = *at < end ? (unsigned char)text[*at] : 0;
        uint32_t value = isdigit(d) ? d - 48U : isxdigit(d) ? (uint32_t)tolower(d) - 87U : 16U;
        if (value >= base)
            return false;
        *ret = *ret * base + value;
    }
    bool surrogate = *ret >= 0xd800 && *ret < 0xe000;
    return digits > 0 && *ret <= (*ret_byte ? 0xffU : 0x10ffffU) && (*ret_byte || !surrogate);
}

int template_unquote(const char *text, const struct token *t, struct buf *ret, struct err *e)
{
    size_t at = t->at + 1;
    size_t end = t->at + t->length - 1;
    if (text[t->at] == '`')
        return buf_add(ret, text + at, end - at, TEMPLATE_SOURCE_MAX, e);
    int r = 0;
    while (at < end && r == 0) {
        uint32_t c;
        bool byte;
        if (text[at] != '\\') {
            r = buf_add(ret, text + at++, 1, TEMPLATE_SOURCE_MAX, e);
            continue;
        }
        at++;
        if (at >= end || !read_escape(text, &at, end, &c, &byte))
            return template_complain(text, t->at, e, "invalid syntax: %.*s", (int)t->length, text + t->at);
        char raw = (char)c;
        r = byte ? buf_add(ret, &raw, 1, TEMPLATE_SOURCE_MAX, e) : add_character(c, ret, e);
    }
    return r;
}
