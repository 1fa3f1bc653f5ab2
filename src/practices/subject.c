/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a container's traces in the kernel (subject.h). Names below /proc/PID are ours; the texts are the kernel's. */
#include "practices/subject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/io.h"

#define CGROUP_LIST_MAX 65536
#define CGROUP_FILE_MAX 65536

int subject_read(const struct subject *s, const char *name, size_t max, struct buf *ret, struct err *e)
{
    _cleanup_close_ int fd = openat(s->proc, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "open %s of the container", name);
    int r = io_read_to_end(fd, max, ret, e);
    if (r == 0 && !ret->data)
        r = buf_add(ret, "", 0, max, e);
    return r < 0 ? err_wrap(e, "%s of the container", name) : 0;
}

/* The line that begins with NAME and ':', behind the colon; NULL. */
static const char *line_after(const char *text, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = text; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
        if (strncmp(p, name, n) == 0 && p[n] == ':')
            return p + n + 1;
    return NULL;
}

int subject_status(const struct subject *s, const char *name, char *ret, size_t size, struct err *e)
{
    const char *value = line_after(s->status.data, name);
    if (!value)
        return err_set(e, ENOENT, "status of the container has no %s", name);
    value += strspn(value, " \t");
    size_t n = strcspn(value, "\n");
    while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
        n--;
    if (n >= size)
        return err_set(e, ENAMETOOLONG, "%s of the container is too long", name);
    memcpy(ret, value, n);
    ret[n] = '\0';
    return 0;
}

int subject_status_mask(const struct subject *s, const char *name, uint64_t *ret, struct err *e)
{
    char text[64];
    char *end = NULL;
    int r = subject_status(s, name, text, sizeof(text), e);
    if (r < 0)
        return r;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 16);
    if (errno || end == text || *end)
        return err_set(e, EINVAL, "%s of the container is '%s'", name, text);
    *ret = value;
    return 0;
}

int subject_mounts(const struct subject *s, struct mount_table *ret, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = subject_read(s, "mountinfo", MOUNT_TABLE_TEXT_MAX, &text, e);
    return r < 0 ? r : mount_table_parse(&text, ret, e);
}

/* One word of a comma-separated list. */
static bool list_has(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; p && *p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
        if (strncmp(p, word, n) == 0 && (p[n] == ',' || p[n] == '\0'))
            return true;
    return false;
}

/* Path of the process in a hierarchy, from lines "ID:CONTROLLERS:PATH" (cgroups(7)); v2 has ID 0 and no controllers. */
static int group_path(char *text, const char *controller, char **ret, struct err *e)
{
    char *rest = text;
    char *line;
    while ((line = strsep(&rest, "\n"))) {
        char *path = line;
        const char *id = strsep(&path, ":");
        const char *controllers = path ? strsep(&path, ":") : NULL;
        if (!path)
            continue;
        if (controller ? list_has(controllers, controller) : str_equal(id, "0") && !*controllers)
            return str_copy(path, ret, e);
    }
    return err_set(e, ENOENT, "the container is in no %s control group", controller ? controller : "v2");
}

bool subject_has_group(const struct subject *s, const char *controller)
{
    _cleanup_buf_ struct buf list = {0};
    _cleanup_free_ char *group = NULL;
    struct err ignored = {0};
    if (subject_read(s, "cgroup", CGROUP_LIST_MAX, &list, &ignored) < 0 ||
        group_path(list.data, controller, &group, &ignored) < 0)
        return false;
    return str_set(s->plan->id) && str_ends_with(group, s->plan->id);
}

/* The mount of the hierarchy whose root is the whole of it. Super block options are behind the type; the last component of the mount
 * point says the same on every distribution, and the files that are read there are checked for being there. */
static const struct mount_entry *hierarchy(const struct mount_table *t, const char *controller)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct mount_entry *m = &t->entries[i];
        const char *slash = strrchr(m->point, '/');
        if (!str_equal(m->root, "/") || !slash)
            continue;
        if (controller ? str_equal(m->type, "cgroup") && list_has(slash + 1, controller)
                       : str_equal(m->type, "cgroup2"))
            return m;
    }
    return NULL;
}

int subject_read_cgroup(const struct subject *s, const char *controller, const char *file, struct buf *ret,
                        char **ret_path, struct err *e)
{
    _cleanup_mount_table_ struct mount_table mounts = {0};
    _cleanup_buf_ struct buf list = {0};
    _cleanup_free_ char *group = NULL;
    _cleanup_free_ char *path = NULL;
    int r = subject_read(s, "cgroup", CGROUP_LIST_MAX, &list, e);
    if (r == 0)
        r = group_path(list.data, controller, &group, e);
    if (r == 0)
        r = mount_table_read_self(&mounts, e);
    if (r < 0)
        return r;
    const struct mount_entry *m = hierarchy(&mounts, controller);
    if (!m)
        return err_set(e, ENOENT, "the %s control groups are not mounted", controller ? controller : "v2");
    r = str_format(&path, e, "%s%s/%s", m->point, str_equal(group, "/") ? "" : group, file);
    if (r == 0)
        r = io_read_path(path, CGROUP_FILE_MAX, ret, e);
    if (r < 0)
        return r;
    while (ret->length > 0 && ret->data[ret->length - 1] == '\n')
        ret->data[--ret->length] = '\0';
    if (ret_path)
        *ret_path = steal_ptr(path);
    return 0;
}

const char *subject_source(const struct subject *s, const char *name, char ret[SUBJECT_SOURCE])
{
    (void)snprintf(ret, SUBJECT_SOURCE, "/proc/%d/%s", (int)s->pid, name);
    return ret;
}
