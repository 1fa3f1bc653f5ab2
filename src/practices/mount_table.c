/* SPDX-License-Identifier: Apache-2.0 */
/* Reader of mountinfo (mount_table.h). The text is the kernel's, but names in it can be anybody's: they come escaped. */
#include "practices/mount_table.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/io.h"
#include "base/num.h"
#include "base/str.h"

#define FIELDS_BEFORE_TAGS 6 /* id, parent, major:minor, root, point, options; then tags, "-", type … */

void mount_table_clear(struct mount_table *t)
{
    buf_clear(&t->text);
    free(t->entries);
    t->entries = NULL;
    t->count = 0;
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* The kernel writes blanks, backslashes and line ends as \ooo. */
static void unescape(char *s)
{
    char *to = s;
    while (*s) {
        if (s[0] == '\\' && is_octal(s[1]) && is_octal(s[2]) && is_octal(s[3])) {
            *to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
            s += 4;
        } else {
            *to++ = *s++;
        }
    }
    *to = '\0';
}

static int parse_device(char *text, dev_t *ret, struct err *e)
{
    uint64_t major = 0, minor = 0;
    char *colon = strchr(text, ':');
    if (!colon)
        return err_set(e, EINVAL, "'%s' is not a device number", text);
    *colon = '\0';
    int r = num_parse_u64(text, UINT32_MAX, &major, e);
    if (r == 0)
        r = num_parse_u64(colon + 1, UINT32_MAX, &minor, e);
    if (r == 0)
        *ret = makedev((unsigned)major, (unsigned)minor);
    return r;
}

/* `line` is cut up in place. */
static int parse_line(char *line, struct mount_entry *ret, struct err *e)
{
    char *fields[FIELDS_BEFORE_TAGS];
    char *rest = line;
    for (size_t i = 0; i < FIELDS_BEFORE_TAGS; i++)
        if (!(fields[i] = strsep(&rest, " ")))
            return err_set(e, EINVAL, "a line has too few fields");
    char *word = strsep(&rest, " ");
    while (word && !str_equal(word, "-"))
        word = strsep(&rest, " ");
    char *type = word ? strsep(&rest, " ") : NULL;
    if (!type || !rest || !strsep(&rest, " ") || !rest)
        return err_set(e, EINVAL, "a line ends before the options of its file system");
    int r = num_parse_u64(fields[0], UINT64_MAX, &ret->id, e);
    if (r == 0)
        r = parse_device(fields[2], &ret->dev, e);
    unescape(fields[3]);
    unescape(fields[4]);
    ret->root = fields[3];
    ret->point = fields[4];
    ret->options = fields[5];
    ret->type = type;
    ret->data = rest;
    return r;
}

static size_t count_lines(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += *s == '\n';
    return n + 1;
}

int mount_table_parse(struct buf *text, struct mount_table *ret, struct err *e)
{
    _cleanup_mount_table_ struct mount_table t = {.text = *text};
    *text = (struct buf){0};
    char *rest = t.text.data;
    char *line;
    t.entries = calloc(rest ? count_lines(rest) : 1, sizeof(*t.entries));
    if (!t.entries)
        return err_oom(e);
    while (rest && (line = strsep(&rest, "\n"))) {
        if (!*line)
            continue;
        int r = parse_line(line, &t.entries[t.count], e);
        if (r < 0)
            return err_wrap(e, "table of mounts");
        t.count++;
    }
    *ret = t;
    t = (struct mount_table){0};
    return 0;
}

int mount_table_read_self(struct mount_table *ret, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = io_read_path("/proc/self/mountinfo", MOUNT_TABLE_TEXT_MAX, &text, e);
    return r < 0 ? r : mount_table_parse(&text, ret, e);
}

const struct mount_entry *mount_table_find(const struct mount_table *t, uint64_t id)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->entries[i].id == id)
            return &t->entries[i];
    return NULL;
}

const struct mount_entry *mount_table_at(const struct mount_table *t, const char *point)
{
    for (size_t i = t->count; i > 0; i--)
        if (str_equal(t->entries[i - 1].point, point))
            return &t->entries[i - 1];
    return NULL;
}

bool mount_entry_has(const struct mount_entry *m, const char *option)
{
    size_t n = strlen(option);
    for (const char *p = m->options; p && *p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
        if (strncmp(p, option, n) == 0 && (p[n] == ',' || p[n] == '\0'))
            return true;
    return false;
}
