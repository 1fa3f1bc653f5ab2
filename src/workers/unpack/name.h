/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name of an entry of a layer, and what it stands for (OCI image-spec, layer.md, "Whiteouts"). Names are relative to the
 * layer whether or not they begin with '/'; ".." is refused, nobody needs it.
 */
#pragma once

#include "base/err.h"
#include "workers/unpack/tar.h"

#define NAME_COMPONENT_MAX 255

enum name_kind {
    NAME_ROOT,     /* the layer's own directory */
    NAME_PLAIN,    /* `base` in `parent` */
    NAME_WHITEOUT, /* `base` in `parent` of the layers below is gone */
    NAME_OPAQUE,   /* all that the layers below have in `parent` is gone */
    NAME_IGNORED,  /* book-keeping of aufs, which Docker leaves out too */
};

struct name {
    enum name_kind kind;
    char parent[TAR_PATH_MAX + 1]; /* clean, relative; "": the layer's own directory */
    char base[NAME_COMPONENT_MAX + 1];
};

int name_parse(const char *path, struct name *ret_name, struct err *e);

/* The same text, clean: PARENT/BASE. ret_path: TAR_PATH_MAX + 1 bytes. For NAME_PLAIN and NAME_ROOT (""). */
void name_join(const struct name *n, char *ret_path);

/* Without looking at whiteouts: for members of image archives. -EBADMSG for ".."; ret_path: TAR_PATH_MAX + 1 bytes. */
int name_clean(const char *path, char *ret_path, struct err *e);
