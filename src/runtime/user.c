/* SPDX-License-Identifier: Apache-2.0 */
/* User and group names of a container (user.h). Runs with the container's rights only; parses hostile files. */
#include "runtime/user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/path.h"

#define FIELDS_MAX 7

/* Calls `line` for each line (cut into its fields) until it returns non-zero. A missing file has no lines. */
typedef int line_function(char *fields[], size_t count, void *context, struct err *e);

static int for_each_line(int root_fd, const char *path, line_function *line, void *context, struct err *e)
{
    struct err probe = {0};
    _cleanup_close_ int fd = path_open_in_root(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &probe);
    if (fd < 0)
        return 0;
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(e, EINVAL, "%s of the container is not a regular file", path);
    if (st.st_size > USER_FILE_MAX)
        return err_set(e, EFBIG, "%s of the container is larger than %u bytes", path, USER_FILE_MAX);
    _cleanup_fclose_ FILE *f = fdopen(fd, "re");
    if (!f)
        return err_errno(e, "read %s", path);
    (void)steal_fd(&fd);
    static char text[USER_LINE_MAX];
    size_t total = 0;
    while (fgets(text, sizeof(text), f)) {
        size_t length = strlen(text);
        total += length;
        if (total > USER_FILE_MAX || (length == sizeof(text) - 1 && text[length - 1] != '\n'))
            return err_set(e, EFBIG, "%s of the container is too large or has too long a line", path);
        text[strcspn(text, "\n")] = '\0';
        char *fields[FIELDS_MAX] = {0};
        size_t count = 0;
        for (char *rest = text; rest && count < FIELDS_MAX;)
            fields[count++] = strsep(&rest, ":");
        int r = line(fields, count, context, e);
        if (r != 0)
            return r < 0 ? r : 0;
    }
    return 0;
}

static bool is_number(const char *s)
{
    return *s && s[strspn(s, "0123456789")] == '\0';
}

static bool to_id(const char *s, uint32_t *ret)
{
    struct err ignored = {0};
    uint64_t value;
    if (num_parse_u64(s, USER_ID_MAX, &value, &ignored) < 0)
        return false;
    *ret = (uint32_t)value;
    return true;
}

/* What is looked for in passwd, and what was found. */
struct passwd_search {
    const char *name; /* NULL: by number */
    uid_t uid;
    bool found;
    gid_t gid;
    char found_name[256];
    char *home;
};

static int passwd_line(char *fields[], size_t count, void *context, struct err *e)
{
    struct passwd_search *s = context;
    uid_t uid;
    gid_t gid;
    if (count < 6 || !fields[0][0] || !to_id(fields[2], &uid) || !to_id(fields[3], &gid))
        return 0;
    if (s->name ? !str_equal(s->name, fields[0]) : uid != s->uid)
        return 0;
    s->found = true;
    s->uid = uid;
    s->gid = gid;
    (void)snprintf(s->found_name, sizeof(s->found_name), "%s", fields[0]);
    int r = str_copy(fields[5], &s->home, e);
    return r < 0 ? r : 1;
}

struct group_search {
    const char *name;   /* a group's name to turn into a number, or NULL */
    const char *member; /* a user's name whose groups are collected, or NULL */
    bool found;
    gid_t gid;
    struct user_identity *identity;
};

static int add_group(struct user_identity *u, gid_t gid, struct err *e)
{
    for (size_t i = 0; i < u->group_count; i++)
        if (u->groups[i] == gid)
            return 0;
    if (u->group_count == USER_GROUPS_MAX)
        return err_set(e, E2BIG, "more than %d supplementary groups", USER_GROUPS_MAX);
    u->groups[u->group_count++] = gid;
    return 0;
}

static int group_line(char *fields[], size_t count, void *context, struct err *e)
{
    struct group_search *s = context;
    gid_t gid;
    if (count < 3 || !fields[0][0] || !to_id(fields[2], &gid))
        return 0;
    if (s->name) {
        if (!str_equal(s->name, fields[0]))
            return 0;
        s->found = true;
        s->gid = gid;
        return 1;
    }
    for (char *rest = count > 3 ? fields[3] : NULL; rest;) {
        const char *member = strsep(&rest, ",");
        if (str_equal(member, s->member))
            return add_group(s->identity, gid, e);
    }
    return 0;
}

static int resolve_group(int root_fd, const char *group, gid_t *ret, struct err *e)
{
    if (is_number(group)) {
        if (!to_id(group, ret))
            return err_set(e, EINVAL, "group %s is outside 0-%u", group, USER_ID_MAX);
        return 0;
    }
    struct group_search s = {.name = group};
    int r = for_each_line(root_fd, "/etc/group", group_line, &s, e);
    if (r < 0)
        return r;
    if (!s.found)
        return err_set(e, ENOENT, "unable to find group %s: no matching entries in group file", group);
    *ret = s.gid;
    return 0;
}

static int resolve_user(int root_fd, const char *user, struct passwd_search *s, struct err *e)
{
    if (is_number(user)) {
        if (!to_id(user, &s->uid))
            return err_set(e, EINVAL, "user %s is outside 0-%u", user, USER_ID_MAX);
    } else if (*user) {
        s->name = user;
    }
    int r = for_each_line(root_fd, "/etc/passwd", passwd_line, s, e);
    if (r < 0)
        return r;
    if (s->name && !s->found && str_equal(user, "root"))
        s->uid = 0; /* an image without passwd still knows root */
    else if (s->name && !s->found)
        return err_set(e, ENOENT, "unable to find user %s: no matching entries in passwd file", user);
    return 0;
}

int user_resolve(int root_fd, const char *user, const struct str_list *groups, struct user_identity *ret,
                 struct err *e)
{
    struct user_identity u = {.home = "/"};
    struct passwd_search s = {0};
    char name[USER_LINE_MAX / 64];
    int r = str_put(name, sizeof(name), user ? user : "", e);
    if (r < 0)
        return r;
    char *group = strchr(name, ':');
    if (group)
        *group++ = '\0';
    r = resolve_user(root_fd, name, &s, e);
    _cleanup_free_ char *home = s.home;
    if (r < 0)
        return r;
    u.uid = s.uid;
    u.gid = s.gid;
    if (str_set(group)) {
        r = resolve_group(root_fd, group, &u.gid, e);
    } else if (s.found) {
        struct group_search member = {.member = s.found_name, .identity = &u};
        r = for_each_line(root_fd, "/etc/group", group_line, &member, e);
    }
    for (size_t i = 0; i < groups->count && r == 0; i++) {
        gid_t gid;
        r = resolve_group(root_fd, groups->items[i], &gid, e);
        if (r == 0)
            r = add_group(&u, gid, e);
    }
    if (r == 0)
        r = add_group(&u, u.gid, e); /* the primary group is among the supplementary ones, as login does it */
    if (r < 0)
        return r;
    if (home && home[0] == '/')
        (void)snprintf(u.home, sizeof(u.home), "%s", home);
    *ret = u;
    return 0;
}
