/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of an entry of a layer (layer.h). Not kept: device nodes, file capabilities, attributes of security modules
 * and trusted ones. Refused with the whole layer: attributes that speak to overlay, which would let a layer change
 * what others are seen to have. Owners beyond the block become IDS_OVERFLOW. Set-id bits stay: containers run with
 * no_new_privs on nosuid, and the owner is nobody on the host. All of it is counted.
 */
#include "workers/unpack/layer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/ids.h"
#include "base/io.h"
#include "base/str.h"
#include "workers/unpack/limits.h"
#include "workers/unpack/tree.h"

#define SETID_BITS 06000

struct layer {
    struct tar tar;
    struct stream *stream;
    struct skeleton *skeleton; /* or NULL */
    struct tree *tree;
    uint64_t cost; /* of LAYER_BYTES_MAX */
    uint32_t ids;  /* owners from this one on do not exist */
    struct message_unpack_layer_done result;
    struct name name;
    struct name target;
    struct tar_xattr xattrs[TAR_XATTRS_MAX];
};

static void layer_free(struct layer *l)
{
    tar_close(&l->tar);
    tree_close(l->tree);
    free(l);
}
DEFINE_CLEANUP(struct layer *, layer_free);
#define _cleanup_layer_ _cleanup_(layer_freep)

static uint32_t map_id(const struct layer *l, uint64_t id, bool *above)
{
    if (id < l->ids || id == IDS_OVERFLOW)
        return (uint32_t)id;
    *above = true;
    return IDS_OVERFLOW;
}

/* Which attributes are kept; ret_attributes->xattrs points into l. */
static int take_xattrs(struct layer *l, const struct tar_entry *entry, struct tree_attributes *ret_attributes,
                       struct err *e)
{
    size_t kept = 0;
    for (size_t i = 0; i < entry->xattr_count; i++) {
        const char *name = entry->xattrs[i].name;
        if (str_after(name, "user.overlay.") || str_after(name, "trusted.overlay."))
            return err_set(e, EBADMSG,
                           "archive: '%.200s' has the attribute %s, which would speak to overlay: refused",
                           entry->path, name);
        if (str_equal(name, "security.capability"))
            l->result.capabilities_dropped++;
        else if (str_after(name, "user.") || str_after(name, "system.posix_acl_"))
            l->xattrs[kept++] = entry->xattrs[i];
        else
            l->result.xattrs_dropped++;
    }
    ret_attributes->xattrs = l->xattrs;
    ret_attributes->xattr_count = kept;
    return 0;
}

static int take_attributes(struct layer *l, const struct tar_entry *entry,
                           struct tree_attributes *ret_attributes, struct err *e)
{
    bool above = false;
    struct tree_attributes a = {
        .uid = map_id(l, entry->uid, &above),
        .gid = map_id(l, entry->gid, &above),
        .mode = entry->mode,
        .mtime = entry->mtime,
        .mtime_ns = entry->mtime_ns,
    };
    l->result.ids_above_block += above;
    *ret_attributes = a;
    return take_xattrs(l, entry, ret_attributes, e);
}

static int charge(struct layer *l, const struct tar_entry *entry, struct err *e)
{
    if (++l->result.entries > LAYER_ENTRIES_MAX)
        return err_set(e, EFBIG, "archive: more than %u entries", LAYER_ENTRIES_MAX);
    if (entry->size > LAYER_FILE_MAX)
        return err_set(e, EFBIG, "archive: '%.200s' is larger than %llu bytes", entry->path, LAYER_FILE_MAX);
    l->cost += LAYER_ENTRY_COST;
    if (entry->type == TAR_FILE) {
        l->cost += entry->stored;
        l->result.files_bytes += entry->stored;
    }
    if (l->cost > LAYER_BYTES_MAX)
        return err_set(e, EFBIG, "archive: more than %llu bytes in all", LAYER_BYTES_MAX);
    return 0;
}

static int write_content(struct layer *l, int fd, const struct tar_entry *entry, struct err *e)
{
    const uint8_t *data;
    size_t length;
    uint64_t offset;
    int r;
    while ((r = tar_read(&l->tar, &data, &length, &offset, e)) > 0) {
        r = io_write_all_at(fd, data, length, (off_t)offset, e);
        if (r == 0 && l->skeleton)
            r = skeleton_content(l->skeleton, data, length, offset, e);
        if (r < 0)
            return r;
    }
    if (r == 0 && entry->sparse && ftruncate(fd, (off_t)entry->size) < 0)
        r = err_errno(e, "set the size of a file");
    return r;
}

static int begin_content(struct layer *l, struct err *e)
{
    char path[TAR_PATH_MAX + 1];
    if (!l->skeleton)
        return 0;
    name_join(&l->name, path);
    return skeleton_file(l->skeleton, path, e);
}

static int add_file(struct layer *l, const struct tar_entry *entry, const struct tree_attributes *a,
                    struct err *e)
{
    _cleanup_close_ int fd = tree_begin_file(l->tree, &l->name, a, e);
    if (fd < 0)
        return fd;
    if (entry->mode & SETID_BITS)
        l->result.setid_files++;
    int r = begin_content(l, e);
    if (r == 0)
        r = write_content(l, fd, entry, e);
    return r < 0 ? r : tree_end_file(l->tree, fd, a, e);
}

static int add_hardlink(struct layer *l, const struct tar_entry *entry, struct err *e)
{
    int r = name_parse(entry->target, &l->target, e);
    if (r == 0 && l->target.kind != NAME_PLAIN)
        r = err_set(e, EBADMSG, "archive: hard link '%.200s' to '%.200s', which is no file", entry->path,
                    entry->target);
    return r < 0 ? r : tree_add_hardlink(l->tree, &l->name, &l->target, e);
}

static int add_plain(struct layer *l, const struct tar_entry *entry, struct err *e)
{
    struct tree_attributes a;
    if (entry->type == TAR_CHAR_DEVICE || entry->type == TAR_BLOCK_DEVICE) {
        l->result.devices_dropped++;
        return 0;
    }
    if (entry->type == TAR_HARDLINK)
        return add_hardlink(l, entry, e);
    int r = take_attributes(l, entry, &a, e);
    if (r < 0)
        return r;
    switch (entry->type) {
    case TAR_FILE:
        return add_file(l, entry, &a, e);
    case TAR_SYMLINK:
        return tree_add_symlink(l->tree, &l->name, entry->target, &a, e);
    case TAR_FIFO:
        return tree_add_fifo(l->tree, &l->name, &a, e);
    case TAR_DIRECTORY:
        return tree_add_directory(l->tree, &l->name, &a, e);
    case TAR_HARDLINK:
    case TAR_CHAR_DEVICE:
    case TAR_BLOCK_DEVICE:
        break;
    }
    return err_set(e, EBADMSG, "archive: unexpected entry");
}

static int add_root(struct layer *l, const struct tar_entry *entry, struct err *e)
{
    struct tree_attributes a;
    if (entry->type != TAR_DIRECTORY)
        return err_set(e, EBADMSG, "archive: an entry without a name is no directory");
    int r = take_attributes(l, entry, &a, e);
    return r < 0 ? r : tree_add_directory(l->tree, &l->name, &a, e);
}

static int add_entry(struct layer *l, const struct tar_entry *entry, struct err *e)
{
    int r = charge(l, entry, e);
    if (r == 0)
        r = name_parse(entry->path, &l->name, e);
    if (r < 0)
        return r;
    switch (l->name.kind) {
    case NAME_ROOT:
        return add_root(l, entry, e);
    case NAME_PLAIN:
        return add_plain(l, entry, e);
    case NAME_WHITEOUT:
        return tree_add_whiteout(l->tree, &l->name, e);
    case NAME_OPAQUE:
        return tree_add_opaque(l->tree, &l->name, e);
    case NAME_IGNORED:
        break;
    }
    return 0;
}

/* What the reader of the archive gets, seen by the skeleton too. */
static int next_chunk(void *context, const uint8_t **ret_data, size_t *ret_length, struct err *e)
{
    struct layer *l = context;
    int r = l->skeleton ? skeleton_flush(l->skeleton, e) : 0;
    if (r == 0)
        r = stream_next(l->stream, ret_data, ret_length, e);
    if (r == 0 && l->skeleton)
        skeleton_chunk(l->skeleton, *ret_data, *ret_length);
    return r;
}

/* Says which entry it was, unless the text does so itself. */
static int add_named_entry(struct layer *l, const struct tar_entry *entry, struct err *e)
{
    int r = add_entry(l, entry, e);
    if (r < 0 && !str_after(e->text, "archive: "))
        return err_wrap(e, "'%.200s'", entry->path);
    return r;
}

int layer_unpack(struct stream *stream, int root_fd, uint32_t ids, struct skeleton *skeleton,
                 struct message_unpack_layer_done *ret_result, struct err *e)
{
    _cleanup_layer_ struct layer *l = calloc(1, sizeof(*l));
    const struct tar_entry *entry;
    struct digest diff_id;
    if (!l)
        return err_oom(e);
    l->ids = ids;
    l->stream = stream;
    l->skeleton = skeleton;
    tar_open(&l->tar, next_chunk, l);
    int r = tree_open(root_fd, &l->tree, e);
    while (r == 0 && (r = tar_next(&l->tar, &entry, e)) > 0)
        r = add_named_entry(l, entry, e);
    if (r == 0)
        r = tar_drain(&l->tar, e);
    if (r == 0)
        r = tree_finish(l->tree, e);
    if (r == 0 && skeleton)
        r = skeleton_finish(skeleton, e);
    if (r < 0)
        return r;
    l->result.replaced = tree_replaced(l->tree);
    stream_digest(stream, &diff_id);
    memcpy(l->result.diff_id, diff_id.bytes, sizeof(diff_id.bytes));
    l->result.uncompressed = stream_position(stream);
    l->result.xattrs_dropped += tree_xattrs_refused(l->tree);
    *ret_result = l->result;
    return 0;
}
