/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the record of denials (denials.h). */
#include "engine/denials.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/callname.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/num.h"
#include "base/str.h"

#define TEXT_MAX (SHIM_DENIALS_MAX * SHIM_DENIAL_LINE)
#define TAKEN_FILE SHIM_DENIALS_FILE ".taken"

enum word { WORD_KIND, WORD_NUMBER, WORD_COUNT, WORD_NAME, WORD_WORDS };

static int parse_kind(const char *word, enum denial_kind *ret, struct err *e)
{
    static const char *const kinds[] = {
        [DENIAL_CALL] = "call", [DENIAL_OTHERS] = "others", [DENIAL_PIDS] = "pids"};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (str_equal(kinds[i], word)) {
            *ret = (enum denial_kind)i;
            return 0;
        }
    return err_set(e, EINVAL, "unknown kind");
}

/* "-", or an even number of hexadecimal digits: what a process calls itself may be any bytes. */
static int parse_name(const char *word, char ret[SHIM_DENIAL_NAME_MAX + 1], struct err *e)
{
    uint8_t bytes[SHIM_DENIAL_NAME_MAX];
    size_t digits = strlen(word);
    size_t length = digits / 2;
    ret[0] = '\0';
    if (str_equal(word, "-"))
        return 0;
    if (digits == 0 || digits % 2 != 0 || length > sizeof(bytes) || !hex_decode(word, bytes, length))
        return err_set(e, EINVAL, "malformed name");
    for (size_t i = 0; i < length; i++)
        ret[i] = bytes[i] < 0x80 && isprint(bytes[i]) ? (char)bytes[i] : '?';
    ret[length] = '\0';
    return 0;
}

static int parse_words(const struct str_list *words, struct denial *ret, struct err *e)
{
    struct denial d = {0};
    uint64_t number = 0;
    if (words->count != WORD_WORDS)
        return err_set(e, EINVAL, "not four words");
    int r = parse_kind(words->items[WORD_KIND], &d.kind, e);
    if (r == 0)
        r = num_parse_u64(words->items[WORD_NUMBER], INT_MAX, &number, e);
    if (r == 0)
        r = num_parse_u64(words->items[WORD_COUNT], UINT64_MAX, &d.count, e);
    if (r == 0)
        r = parse_name(words->items[WORD_NAME], d.process, e);
    if (r < 0)
        return r;
    d.number = (int)number;
    *ret = d;
    return 0;
}

/* One line without the blanks and the newline at its end. */
static int parse_line(const char *text, size_t length, struct denial *ret, struct err *e)
{
    _cleanup_str_list_ struct str_list words = {0};
    _cleanup_free_ char *line = NULL;
    if (memchr(text, '\0', length))
        return err_set(e, EINVAL, "not text");
    int r = str_copy_n(text, length, &line, e);
    if (r == 0)
        r = str_list_split(line, ' ', WORD_WORDS, &words, e);
    return r < 0 ? r : parse_words(&words, ret, e);
}

/* Length of a line's text; -1 when the line does not end as it must. */
static ssize_t line_length(const char *line)
{
    ssize_t n = SHIM_DENIAL_LINE - 1;
    if (line[n] != '\n')
        return -1;
    while (n > 0 && line[n - 1] == ' ')
        n--;
    return n;
}

static bool is_head(const char *line)
{
    size_t n = strlen(SHIM_DENIALS_HEAD);
    return line_length(line) == (ssize_t)n && memcmp(line, SHIM_DENIALS_HEAD, n) == 0;
}

int denials_parse(const char *text, size_t length, struct denials *ret, struct err *e)
{
    struct denials all = {.count = 0};
    if (length == 0 || length > TEXT_MAX || length % SHIM_DENIAL_LINE != 0 || !is_head(text))
        return err_set(e, EINVAL, "record of denials: unknown form");
    for (const char *line = text + SHIM_DENIAL_LINE; line < text + length; line += SHIM_DENIAL_LINE) {
        ssize_t n = line_length(line);
        int r = n < 0 ? err_set(e, EINVAL, "not one line")
                      : parse_line(line, (size_t)n, &all.items[all.count], e);
        if (r < 0)
            return err_wrap(e, "record of denials");
        all.count++;
    }
    *ret = all;
    return 0;
}

int denials_read(int shim_dir_fd, struct denials *ret, struct err *e)
{
    static const char *const names[] = {SHIM_DENIALS_FILE, TAKEN_FILE};
    ret->count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_buf_ struct buf text = {0};
        struct err failed = {0};
        int r = io_read_file_at(shim_dir_fd, names[i], TEXT_MAX, &text, &failed);
        if (r == 0)
            return denials_parse(text.data ? text.data : "", text.length, ret, e);
        if (r != -ENOENT) {
            *e = failed;
            return r;
        }
    }
    return 0;
}

int denials_forget(int shim_dir_fd)
{
    if (unlinkat(shim_dir_fd, SHIM_DENIALS_FILE, 0) < 0 && errno != ENOENT)
        return -1;
    return unlinkat(shim_dir_fd, TAKEN_FILE, 0) < 0 && errno != ENOENT ? -1 : 0;
}

int denials_take(int shim_dir_fd)
{
    return renameat(shim_dir_fd, SHIM_DENIALS_FILE, shim_dir_fd, TAKEN_FILE) == 0;
}

const char *denial_text(const struct denial *d, char *buffer)
{
    const char *name = d->kind == DENIAL_CALL ? call_name(d->number) : NULL;
    if (name)
        (void)snprintf(buffer, DENIAL_TEXT, "%s", name);
    else if (d->kind == DENIAL_CALL)
        (void)snprintf(buffer, DENIAL_TEXT, "system call %d", d->number);
    else
        (void)snprintf(buffer, DENIAL_TEXT, "%s",
                       d->kind == DENIAL_PIDS ? "new processes" : "other system calls");
    return buffer;
}
