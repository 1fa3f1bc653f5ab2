/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renaming (rename.h): the new name is claimed, then written down, then the old one given back. A command that is killed between leaves
 * a link whose container is called otherwise: nobody finds it by that name, and whoever wants the name takes it (names_stale).
 */
#include "engine/rename.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "engine/audit_log.h"
#include "engine/events.h"
#include "engine/lock.h"
#include "engine/names.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

int rename_check(const char *name, struct err *e)
{
    size_t n = strlen(name);
    if (n >= 2 && n <= PLAN_NAME_MAX && !strchr("_.-", name[0]) && strspn(name, NAME_CHARACTERS) == n)
        return 0;
    return err_set(e, EINVAL,
                   "Invalid container name (%.140s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed (2 to %d "
                   "characters)",
                   name, PLAN_NAME_MAX);
}

int rename_read(int dir, struct plan *p, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = io_read_file_at(dir, RENAME_FILE, PLAN_NAME_MAX + 1, &text, e);
    if (r == -ENOENT) {
        err_clear(e);
        return 0;
    }
    if (r < 0)
        return r;
    if (text.length)
        text.data[strcspn(text.data, "\n")] = '\0';
    r = rename_check(text.data ? text.data : "", e);
    return r < 0 ? r : str_replace(&p->name, text.data, e);
}

/* A name that leads to this container already is left by a rename that was killed. */
static int claim(const struct store *s, const char *name, const char *id, struct err *e)
{
    char holder[ID_LENGTH + 1];
    int r = names_find(s, name, holder, e);
    if (r == 1 && str_equal(holder, id))
        return 0;
    return r < 0 ? r : names_claim(s, name, id, e);
}

static int change(const struct store *s, struct container *c, const char *name, struct err *e)
{
    _cleanup_close_ int lock = names_lock(s, e);
    if (lock < 0)
        return lock;
    int r = claim(s, name, c->id, e);
    if (r < 0)
        return r;
    _cleanup_free_ char *line = NULL;
    r = str_format(&line, e, "%s\n", name);
    if (r == 0)
        r = io_replace_file_at(c->dir, RENAME_FILE, line, strlen(line), 0600, true, e);
    names_release(s, r < 0 ? name : c->plan.name, c->id);
    return r;
}

int rename_container(const struct store *s, struct container *c, const char *name, struct err *e)
{
    name += name[0] == '/';
    int r = rename_check(name, e);
    _cleanup_close_ int lock = r < 0 ? r : lock_container(s, c, e);
    if (lock < 0)
        return lock;
    r = rename_read(c->dir, &c->plan, e); /* it may have been renamed while we waited */
    if (r < 0)
        return r;
    if (str_equal(name, c->plan.name))
        return err_set(e, EINVAL, "Renaming a container with the same name as its current name");
    _cleanup_free_ char *old = NULL;
    r = str_copy(c->plan.name, &old, e);
    if (r == 0)
        r = change(s, c, name, e);
    if (r == 0)
        r = str_replace(&c->plan.name, name, e);
    if (r < 0)
        return r;
    audit_note_container(s, AUDIT_RENAME, &c->plan, old);
    events_container(s, &c->plan, "rename", &(const struct event_attribute){"oldName", old}, 1);
    return 0;
}
