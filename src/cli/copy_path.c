/* SPDX-License-Identifier: Apache-2.0 */
/* Meaning of the words of cp (copy_path.h). */
#include "cli/copy_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

int copy_path_split(const char *word, char **ret_container, const char **ret_path, struct err *e)
{
    const char *colon = strchr(word, ':');
    *ret_container = NULL;
    *ret_path = word;
    if (word[0] == '/' || word[0] == '.' || !colon || colon == word)
        return 0;
    int r = str_copy_n(word, (size_t)(colon - word), ret_container, e);
    *ret_path = colon + 1;
    return r;
}

bool copy_path_means_content(const char *path)
{
    return str_equal(path, ".") || str_ends_with(path, "/.");
}

bool copy_path_means_directory(const char *path)
{
    return copy_path_means_content(path) || str_ends_with(path, "/");
}

/* Takes the last component off; not beyond the root, and ".." of a relative path stays. */
static size_t drop_last(const char *text, size_t used, bool absolute)
{
    size_t at = used;
    while (at > 0 && text[at - 1] != '/')
        at--;
    if (!absolute && (used == 0 || str_equal(text + at, "..")))
        return SIZE_MAX;
    return at > 1 ? at - 1 : absolute ? 1 : 0;
}

static size_t append(char *ret, size_t used, const char *part, size_t length)
{
    if (used > 0 && ret[used - 1] != '/')
        ret[used++] = '/';
    memcpy(ret + used, part, length);
    ret[used + length] = '\0';
    return used + length;
}

int copy_path_clean(const char *path, bool root, char *ret, struct err *e)
{
    bool absolute = root || path[0] == '/';
    size_t used = 0;
    if (strlen(path) + sizeof("//.") > MESSAGE_PATH_MAX)
        return err_set(e, ENAMETOOLONG, "path '%.80s…' is longer than %d bytes", path, MESSAGE_PATH_MAX - 4);
    if (absolute)
        ret[used++] = '/';
    ret[used] = '\0';
    for (const char *at = path; *at;) {
        size_t n = strcspn(at, "/");
        size_t dropped = n == 2 && at[0] == '.' && at[1] == '.' ? drop_last(ret, used, absolute) : SIZE_MAX;
        if (dropped != SIZE_MAX)
            ret[used = dropped] = '\0';
        else if (n > 0 && !(n == 1 && at[0] == '.'))
            used = append(ret, used, at, n);
        at += n + (at[n] == '/');
    }
    if (copy_path_means_content(path))
        (void)append(ret, used, ".", 1);
    else if (used == 0)
        (void)append(ret, used, ".", 1);
    else if (str_ends_with(path, "/") && ret[used - 1] != '/')
        memcpy(ret + used, "/", 2);
    return 0;
}

/* How much of the path counts: without '/' at the end. */
static size_t significant(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n;
}

void copy_path_base(const char *path, char *ret)
{
    size_t n = significant(path);
    size_t at = n;
    while (at > 0 && path[at - 1] != '/')
        at--;
    (void)snprintf(ret, MESSAGE_PATH_MAX, "%.*s", (int)(n - at), path + at);
}

void copy_path_parent(const char *path, char *ret)
{
    size_t at = significant(path);
    while (at > 0 && path[at - 1] != '/')
        at--;
    while (at > 1 && path[at - 1] == '/')
        at--;
    (void)snprintf(ret, MESSAGE_PATH_MAX, "%.*s", at ? (int)at : 1, at ? path : ".");
}

int copy_path_follow(const char *path, const char *target, bool root, char *ret, struct err *e)
{
    char parent[MESSAGE_PATH_MAX];
    _cleanup_free_ char *joined = NULL;
    copy_path_parent(path, parent);
    int r = target[0] == '/' ? str_copy(target, &joined, e) : str_format(&joined, e, "%s/%s", parent, target);
    return r < 0 ? r : copy_path_clean(joined, root, ret, e);
}

int copy_path_decide(const struct copy_end *source, const struct copy_end *destination, char *ret_directory,
                     char *ret_name, struct err *e)
{
    if (destination->exists && destination->is_dir) {
        (void)snprintf(ret_directory, MESSAGE_PATH_MAX, "%s", destination->path);
        copy_path_base(source->path, ret_name);
        if (str_equal(ret_name, "."))
            ret_name[0] = '\0';
        return 0;
    }
    if (destination->exists && source->is_dir)
        return err_set(e, ENOTDIR, "cannot copy directory");
    if (destination->exists && copy_path_means_directory(destination->path))
        return err_set(e, ENOTDIR, "not a directory");
    if (!destination->exists && !source->is_dir && copy_path_means_directory(destination->path))
        return err_set(e, ENOENT, "no such directory");
    char plain[MESSAGE_PATH_MAX];
    (void)snprintf(plain, sizeof(plain), "%s", destination->path);
    if (copy_path_means_content(plain) && strlen(plain) > 2)
        plain[strlen(plain) - 2] = '\0';
    copy_path_parent(plain, ret_directory);
    copy_path_base(plain, ret_name);
    return 0;
}
