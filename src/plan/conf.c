/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of configuration files (conf.h). Their text is the administrator's; it is parsed strictly all the same. */
#include "plan/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/identity.h"
#include "base/io.h"
#include "base/str.h"

struct reader {
    struct conf_entry entry;
    char section[CONF_LINE_MAX];
    char argument[CONF_LINE_MAX];
    conf_visit visit;
    void *context;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_word(const char *s)
{
    for (const char *p = s; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '-'))
            return false;
    return *s != '\0';
}

/* Removes blanks at both ends, in place; returns the new start. */
static char *trim(char *s)
{
    while (is_blank(*s))
        s++;
    size_t n = strlen(s);
    while (n > 0 && is_blank(s[n - 1]))
        s[--n] = '\0';
    return s;
}

/* [name] or [name "argument"]; line is without blanks at its ends and begins with '['. */
static int read_section(struct reader *r, char *line, struct err *e)
{
    size_t n = strlen(line);
    if (n < 3 || line[n - 1] != ']')
        return err_set(e, EINVAL, "'%s' is not [name] or [name \"argument\"]", line);
    line[n - 1] = '\0';
    char *name = trim(line + 1);
    char *quote = strchr(name, '"');
    r->entry.argument = NULL;
    if (quote) {
        n = strlen(quote);
        if (n < 3 || quote[n - 1] != '"' || strchr(quote + 1, '"') != quote + n - 1)
            return err_set(e, EINVAL, "[%s]: the argument must stand in one pair of quotes", name);
        quote[n - 1] = '\0';
        *quote = '\0';
        name = trim(name);
        (void)snprintf(r->argument, sizeof(r->argument), "%s", quote + 1);
        r->entry.argument = r->argument;
    }
    if (!is_word(name))
        return err_set(e, EINVAL, "[%s]: a section name has lower-case letters, digits and '-' only", name);
    (void)snprintf(r->section, sizeof(r->section), "%s", name);
    r->entry.section = r->section;
    r->entry.key = r->entry.value = NULL;
    return r->visit(&r->entry, r->context, e);
}

static int read_key(struct reader *r, char *line, struct err *e)
{
    char *equals = strchr(line, '=');
    if (!r->entry.section)
        return err_set(e, EINVAL, "'%s' stands before the first [section]", line);
    if (!equals)
        return err_set(e, EINVAL, "'%s' is not key = value", line);
    *equals = '\0';
    r->entry.key = trim(line);
    r->entry.value = trim(equals + 1);
    if (!is_word(r->entry.key))
        return err_set(e, EINVAL, "key '%s' has other characters than lower-case letters, digits and '-'",
                       r->entry.key);
    return r->visit(&r->entry, r->context, e);
}

static int read_line(struct reader *r, const char *start, size_t length, struct err *e)
{
    char text[CONF_LINE_MAX];
    if (length > 0 && start[length - 1] == '\r')
        length--;
    if (length >= sizeof(text))
        return err_set(e, E2BIG, "the line is longer than %zu bytes", sizeof(text) - 1);
    memcpy(text, start, length);
    text[length] = '\0';
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
            return err_set(e, EINVAL, "the line has a control character");
    char *line = trim(text);
    if (*line == '\0' || *line == '#' || *line == ';')
        return 0;
    return *line == '[' ? read_section(r, line, e) : read_key(r, line, e);
}

int conf_parse(const char *file, const char *text, size_t length, conf_visit visit, void *context,
               struct err *e)
{
    struct reader r = {.entry = {.file = file}, .visit = visit, .context = context};
    size_t at = 0;
    while (at < length) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t n = end ? (size_t)(end - (text + at)) : length - at;
        r.entry.line++;
        int result = read_line(&r, text + at, n, e);
        if (result < 0)
            return err_wrap(e, "%s:%u", file, r.entry.line);
        at += n + 1;
    }
    return 0;
}

static int check_owner(int fd, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(e, "stat");
    if (!S_ISREG(st.st_mode))
        return err_set(e, EINVAL, "is not a regular file");
    if (!identity_is_administrator(st.st_uid) && !(identity_rootless() && st.st_uid == geteuid()))
        return err_set(e, EPERM, "belongs to user %u (make it root's: chown root:root)", st.st_uid);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(e, EPERM, "may be written by others than root (chmod go-w)");
    return 0;
}

int conf_read(const char *path, bool trusted_owner, conf_visit visit, void *context, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (fd < 0)
        return err_errno(e, "open %s", path);
    int r = trusted_owner ? check_owner(fd, e) : 0;
    if (r == 0)
        r = io_read_to_end(fd, CONF_FILE_MAX, &text, e);
    if (r < 0)
        return err_wrap(e, "%s", path);
    const char *slash = strrchr(path, '/');
    return conf_parse(slash ? slash + 1 : path, text.data ? text.data : "", text.length, visit, context, e);
}
