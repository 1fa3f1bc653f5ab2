/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Environment and labels (run_setters.h). -e NAME takes the value from the caller's environment; not set there, the container has
 * no such variable, whatever the image says, but for those that a file names. Files have one entry a line; blank lines and lines that begin with # do not count.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/imagerules.h"
#include "base/io.h"
#include "cli/run_setters.h"

#define FILE_MAX (4U << 20)
#define BLANKS " \t\r"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* PREFIX*: every variable of ours whose name begins so, as podman has it. */
static int add_env_prefix(struct plan *p, const char *prefix, size_t length, struct err *e)
{
    int r = 0;
    for (char **at = environ; *at && r == 0; at++) {
        if (strncmp(*at, prefix, length) != 0 || !strchr(*at, '='))
            continue;
        r = image_rule_env(*at, e);
        if (r == 0)
            r = str_is_utf8(*at)
                    ? str_list_set_env(&p->env, *at, e)
                    : err_set(e, EILSEQ, "variable %.*s is not UTF-8", (int)strcspn(*at, "="), *at);
    }
    return r;
}

static int add_env(struct plan *p, const char *entry, struct err *e)
{
    _cleanup_free_ char *text = NULL;
    if (!*entry || *entry == '=')
        return err_set(e, EINVAL, "'%s' has no variable name", entry);
    size_t n = strlen(entry);
    if (!strchr(entry, '=') && n > 1 && entry[n - 1] == '*')
        return add_env_prefix(p, entry, n - 1, e);
    if (!strchr(entry, '=')) {
        const char *value = getenv(entry);
        if (!value) /* Docker's way to take a variable of the image's away */
            return str_list_set_env(&p->env, entry, e);
        int r = str_format(&text, e, "%s=%s", entry, value);
        if (r < 0)
            return r;
        entry = text;
    }
    int r = image_rule_env(entry, e);
    if (r == 0 && !str_is_utf8(entry))
        r = err_set(e, EILSEQ, "variable %.*s is not UTF-8", (int)(strchr(entry, '=') - entry), entry);
    return r < 0 ? r : str_list_set_env(&p->env, entry, e);
}

/* The error does not repeat the line: such files hold secrets. */
static int add_env_line(struct plan *p, const char *line, struct err *e)
{
    if (strcspn(line, BLANKS) < strcspn(line, "="))
        return err_set(e, EINVAL, "a blank in the name of a variable");
    if (!strchr(line, '=') && !getenv(line)) /* files only add */
        return 0;
    return add_env(p, line, e);
}

static int add_label(struct plan *p, const char *entry, struct err *e)
{
    _cleanup_free_ char *key = NULL;
    const char *equals = strchrnul(entry, '=');
    int r = str_copy_n(entry, (size_t)(equals - entry), &key, e);
    if (r == 0)
        r = image_rule_label(key, *equals ? equals + 1 : "", e);
    if (r < 0)
        return r;
    if (*equals)
        return str_list_set_env(&p->labels, entry, e);
    _cleanup_free_ char *text = NULL;
    r = str_format(&text, e, "%s=", entry);
    return r < 0 ? r : str_list_set_env(&p->labels, text, e);
}

typedef int (*add_entry)(struct plan *p, const char *entry, struct err *e);

static int add_lines(struct plan *p, char *text, add_entry add, struct err *e)
{
    char *line = (char *)str_after(text, BYTE_ORDER_MARK) ?: text;
    for (unsigned number = 1; *line; number++) {
        char *end = strchrnul(line, '\n');
        char *next = *end ? end + 1 : end;
        if (end > line && end[-1] == '\r')
            end--;
        *end = '\0';
        line += strspn(line, BLANKS);
        int r = *line && *line != '#' ? add(p, line, e) : 0;
        if (r < 0)
            return err_wrap(e, "line %u", number);
        line = next;
    }
    return 0;
}

static int add_file(struct plan *p, const char *path, add_entry add, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = io_read_path(path, FILE_MAX, &text, e);
    if (r < 0 || text.length == 0)
        return r;
    if (strlen(text.data) != text.length || !str_is_utf8(text.data))
        return err_set(e, EILSEQ, "%s is not a file of UTF-8 text", path);
    r = add_lines(p, text.data, add, e);
    return r < 0 ? err_wrap(e, "%s", path) : 0;
}

int run_read_env(struct run_options *o, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < o->env_files.count && r == 0; i++)
        if ((r = add_file(&o->plan, o->env_files.items[i], add_env_line, e)) < 0)
            return err_wrap(e, "--env-file");
    for (size_t i = 0; i < o->env.count && r == 0; i++)
        if ((r = add_env(&o->plan, o->env.items[i], e)) < 0)
            return err_wrap(e, "--env");
    for (size_t i = 0; i < o->unset_env.count && r == 0; i++) {
        const char *name = o->unset_env.items[i];
        r = !*name || strchr(name, '=')
                ? err_set(e, EINVAL, "--unsetenv: '%s' is no name of a variable", name)
                : str_list_set_env(&o->plan.env, name, e);
    }
    return r;
}

int run_read_labels(struct run_options *o, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < o->label_files.count && r == 0; i++)
        if ((r = add_file(&o->plan, o->label_files.items[i], add_label, e)) < 0)
            return err_wrap(e, "--label-file");
    for (size_t i = 0; i < o->labels.count && r == 0; i++)
        if ((r = add_label(&o->plan, o->labels.items[i], e)) < 0)
            return err_wrap(e, "--label");
    return r;
}
