/* SPDX-License-Identifier: Apache-2.0 */
/* Names of entries (name.h). Untrusted input. */
#include "workers/unpack/name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "workers/unpack/limits.h"

#define WHITEOUT ".wh."
#define WHITEOUT_META ".wh..wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

int name_clean(const char *path, char *ret_path, struct err *e)
{
    size_t used = 0;
    unsigned depth = 0;
    for (const char *at = path; *at;) {
        size_t n = strcspn(at, "/");
        bool skip = n == 0 || (n == 1 && at[0] == '.');
        if (n == 2 && at[0] == '.' && at[1] == '.')
            return err_set(e, EBADMSG, "archive: the name '%.200s' has '..' in it", path);
        if (n > NAME_COMPONENT_MAX)
            return err_set(e, ENAMETOOLONG, "archive: a part of the name '%.80s…' is longer than %d bytes",
                           path, NAME_COMPONENT_MAX);
        if (!skip) {
            if (++depth > LAYER_DEPTH_MAX)
                return err_set(e, ENAMETOOLONG, "archive: '%.80s…' is more than %d directories deep", path,
                               LAYER_DEPTH_MAX);
            if (used > 0)
                ret_path[used++] = '/';
            memcpy(ret_path + used, at, n);
            used += n;
        }
        at += n + (at[n] == '/');
    }
    ret_path[used] = '\0';
    return 0;
}

/* A directory on the way with a whiteout's name: aufs keeps its own things in some, others mean nothing. */
static int check_parent(struct name *n, const char *path, struct err *e)
{
    for (const char *at = n->parent; *at; at += *at == '/') {
        if (str_after(at, WHITEOUT_META))
            n->kind = NAME_IGNORED;
        else if (str_after(at, WHITEOUT))
            return err_set(e, EBADMSG, "archive: the name '%.200s' goes through a whiteout", path);
        at += strcspn(at, "/");
    }
    return 0;
}

int name_parse(const char *path, struct name *ret_name, struct err *e)
{
    struct name *n = ret_name;
    n->kind = NAME_PLAIN;
    n->base[0] = '\0';
    int r = name_clean(path, n->parent, e);
    if (r < 0)
        return r;
    if (n->parent[0] == '\0') {
        n->kind = NAME_ROOT;
        return 0;
    }
    char *slash = strrchr(n->parent, '/');
    const char *base = slash ? slash + 1 : n->parent;
    const char *gone = str_after(base, WHITEOUT);
    if (str_equal(base, WHITEOUT_OPAQUE))
        n->kind = NAME_OPAQUE;
    else if (str_after(base, WHITEOUT_META))
        n->kind = NAME_IGNORED;
    else if (gone)
        n->kind = NAME_WHITEOUT;
    if (n->kind == NAME_WHITEOUT && !path_is_component(gone))
        return err_set(e, EBADMSG, "archive: '%.200s' is not the name of a whiteout", path);
    r = str_put(n->base, sizeof(n->base), n->kind == NAME_WHITEOUT ? gone : base, e);
    n->parent[slash ? slash - n->parent : 0] = '\0';
    return r < 0 ? r : check_parent(n, path, e);
}

void name_join(const struct name *n, char *ret_path)
{
    size_t used = strlen(n->parent);
    memcpy(ret_path, n->parent, used);
    if (used > 0 && n->base[0])
        ret_path[used++] = '/';
    memcpy(ret_path + used, n->base, strlen(n->base) + 1);
}
