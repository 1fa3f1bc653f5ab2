/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking images out of the store: rmi, prune, mend. Order: rows of the index first (one transaction: from then on the image is
 * not there), then its directory, then layers that no other image has. A kill in between leaves what mending removes.
 */
#include "image/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/path.h"
#include "image/layers.h"
#include "image/record.h"
#include "store/index.h"

void image_removed_clear(struct image_removed *r)
{
    str_list_clear(&r->untagged);
    str_list_clear(&r->deleted);
}

/* A descriptor that keeps pulls and loads out; -EAGAIN when one is at work. */
static int lock_out_pulls(const struct store *s, struct err *e)
{
    _cleanup_close_ int fd = openat(s->images, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "open images");
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(e, EAGAIN, "images are coming in");
    return steal_fd(&fd);
}

static int add_digest(struct str_list *list, const char *hex, struct err *e)
{
    return str_list_addf(list, e, "sha256:%s", hex);
}

/* Layers of an image whose rows are gone. While a pull is at work they stay: it may just have found them to be there. */
static int delete_layers(const struct store *s, struct index *x, const struct image *i,
                         struct str_list *deleted, struct err *e)
{
    struct err busy = {0};
    _cleanup_close_ int lock = lock_out_pulls(s, &busy);
    if (lock < 0)
        return 0;
    for (size_t n = i->layer_count; n-- > 0;) {
        char hex[DIGEST_HEX_LENGTH + 1];
        uint64_t users = 0;
        digest_format_hex(&i->layers[n].blob, hex);
        int r = index_count_layer(x, hex, &users, e);
        if (r == 0 && users == 0 && layer_exists(s, &i->layers[n].blob)) {
            r = layer_remove(s, &i->layers[n].blob, e);
            if (r == 0)
                r = add_digest(deleted, hex, e);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

/* Within a transaction: the image still has just the names that the decision was made on. */
static int check_unchanged(struct index *x, const struct image *i, struct err *e)
{
    _cleanup_str_list_ struct str_list names = {0};
    int r = index_list_names(x, i->id, &names, e);
    if (r < 0)
        return r;
    bool same = names.count == i->names.count;
    for (size_t n = 0; same && n < names.count; n++) {
        struct reference ref;
        char text[REFERENCE_TEXT_MAX + 1] = "";
        if (reference_parse(names.items[n], &ref, e) == 0)
            reference_format_familiar(&ref, text);
        same = str_list_has(&i->names, text);
    }
    return same ? 0 : err_set(e, EAGAIN, "image %.12s was given a name meanwhile: try again", i->id);
}

/* The directory of an image whose row is gone, unless another command has brought the image back meanwhile. */
static int delete_directory(const struct store *s, struct index *x, const char *id, struct err *e)
{
    struct index_image row;
    int r = index_begin(x, e);
    if (r == 0)
        r = index_find_image(x, id, &row, e);
    if (r == 0)
        r = path_remove_tree_at(s->images, id, e);
    return r < 0 ? r : index_commit(x, e);
}

static int delete_image(const struct store *s, const struct image *i, struct image_removed *removed,
                        struct err *e)
{
    _cleanup_index_ struct index *x = NULL;
    int r = index_open(s, &x, e);
    if (r == 0)
        r = index_begin(x, e);
    if (r == 0)
        r = check_unchanged(x, i, e);
    if (r == 0)
        r = index_delete_image(x, i->id, e);
    if (r == 0)
        r = index_commit(x, e);
    for (size_t n = 0; r == 0 && n < i->names.count; n++)
        r = str_list_add(&removed->untagged, i->names.items[n], e);
    if (r == 0)
        r = delete_directory(s, x, i->id, e);
    if (r == 0)
        r = add_digest(&removed->deleted, i->id, e);
    return r < 0 ? r : delete_layers(s, x, i, &removed->deleted, e);
}

/* Takes away one name, or all (`only` NULL). */
static int delete_names(const struct store *s, const struct image *i, const char *only,
                        struct image_removed *removed, struct err *e)
{
    _cleanup_index_ struct index *x = NULL;
    int r = index_open(s, &x, e);
    if (r == 0)
        r = index_begin(x, e);
    for (size_t n = 0; r == 0 && n < i->names.count; n++) {
        struct reference ref;
        char full[REFERENCE_TEXT_MAX + 1];
        if (only && !str_equal(only, i->names.items[n]))
            continue;
        r = reference_parse(i->names.items[n], &ref, e);
        if (r == 0) {
            reference_format(&ref, full);
            r = index_delete_name(x, full, e);
        }
        if (r == 0)
            r = str_list_add(&removed->untagged, i->names.items[n], e);
    }
    return r < 0 ? r : index_commit(x, e);
}

static void repository_of(const char *name, char *ret_name)
{
    struct reference ref;
    struct err ignored = {0};
    ret_name[0] = '\0';
    if (reference_parse(name, &ref, &ignored) == 0)
        reference_format_name(&ref, ret_name);
}

/* True when a name other than `name` keeps the image: any tag, or a digest of another repository. */
static bool has_other_name(const struct image *i, const char *name)
{
    char own[REFERENCE_TEXT_MAX + 1];
    repository_of(name, own);
    for (size_t n = 0; n < i->names.count; n++) {
        char other[REFERENCE_TEXT_MAX + 1];
        repository_of(i->names.items[n], other);
        if (!str_equal(i->names.items[n], name) &&
            (!strchr(i->names.items[n], '@') || !str_equal(own, other)))
            return true;
    }
    return false;
}

static bool in_one_repository(const struct image *i)
{
    char first[REFERENCE_TEXT_MAX + 1] = "";
    for (size_t n = 0; n < i->names.count; n++) {
        char other[REFERENCE_TEXT_MAX + 1];
        repository_of(i->names.items[n], other);
        if (n == 0)
            memcpy(first, other, sizeof(first));
        else if (!str_equal(first, other))
            return false;
    }
    return true;
}

/* The name by which the index has what the user wrote: with a tag and a digest, the tag counts. */
static void indexed_name(const struct reference *ref, char *ret_name)
{
    struct reference copy = *ref;
    if (copy.tag[0])
        copy.has_digest = false;
    reference_format_familiar(&copy, ret_name);
}

static bool is_used(const struct image *i, const struct image_remove_options *o,
                    char container[DIGEST_HEX_LENGTH + 1])
{
    container[0] = '\0';
    return o->in_use && o->in_use(i, container, o->context);
}

static int remove_resolved(const struct store *s, const struct image *i, const char *name,
                           const struct image_remove_options *o, struct image_removed *removed, struct err *e)
{
    char container[DIGEST_HEX_LENGTH + 1];
    if (name && has_other_name(i, name))
        return delete_names(s, i, name, removed, e);
    if (!name && !o->force && !in_one_repository(i))
        return err_set(e, EBUSY,
                       "conflict: unable to delete %.12s (must be forced) - image is referenced in multiple "
                       "repositories",
                       i->id);
    if (!is_used(i, o, container))
        return delete_image(s, i, removed, e);
    if (!o->force)
        return err_set(e, EBUSY,
                       "conflict: unable to remove %s (must force) - container %.12s is using its referenced "
                       "image %.12s",
                       name ? name : i->id, container, i->id);
    if (i->names.count == 0)
        return err_set(
            e, EBUSY,
            "conflict: unable to delete %.12s (cannot be forced) - image is being used by container %.12s",
            i->id, container);
    return delete_names(s, i, NULL, removed, e);
}

int image_remove(const struct store *s, const char *text, const struct image_remove_options *options,
                 struct image_removed *ret_removed, struct err *e)
{
    _cleanup_image_removed_ struct image_removed removed = {0};
    _cleanup_image_ struct image *i = NULL;
    struct reference ref;
    char name[REFERENCE_TEXT_MAX + 1];
    bool named = false;
    int r = image_resolve(s, text, &i, &named, &ref, e);
    if (r < 0)
        return r;
    if (named)
        indexed_name(&ref, name);
    r = remove_resolved(s, i, named ? name : NULL, options, &removed, e);
    if (r < 0)
        return r;
    *ret_removed = removed;
    removed = (struct image_removed){0};
    return 0;
}

int image_prune(const struct store *s, bool all, const struct image_remove_options *options,
                struct image_removed *ret_removed, uint64_t *ret_bytes, struct err *e)
{
    _cleanup_image_removed_ struct image_removed removed = {0};
    _cleanup_image_list_ struct image_list list = {0};
    uint64_t bytes = 0;
    int r = image_list(s, &list, e);
    for (size_t n = 0; r == 0 && n < list.count; n++) {
        char container[DIGEST_HEX_LENGTH + 1];
        const struct image *i = list.items[n];
        if ((!all && i->names.count > 0) || is_used(i, options, container))
            continue;
        size_t before = removed.deleted.count;
        r = delete_image(s, i, &removed, e);
        for (size_t l = 0; r == 0 && l < i->layer_count; l++) {
            char text[DIGEST_TEXT_LENGTH + 1];
            digest_format(&i->layers[l].blob, text);
            for (size_t d = before; d < removed.deleted.count; d++)
                if (str_equal(removed.deleted.items[d], text)) {
                    bytes += i->layers[l].size;
                    break;
                }
        }
    }
    if (r == 0)
        r = image_mend(s, e);
    if (r < 0)
        return r;
    *ret_removed = removed;
    *ret_bytes = bytes;
    removed = (struct image_removed){0};
    return 0;
}

/* Mending */

static bool is_whole(const struct store *s, struct index *x, const char *id, struct err *e)
{
    _cleanup_str_list_ struct str_list layers = {0};
    char record[DIGEST_HEX_LENGTH + 16];
    struct stat st;
    (void)snprintf(record, sizeof(record), "%s/record.json", id);
    if (fstatat(s->images, record, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    if (index_list_layers(x, id, &layers, e) < 0)
        return true; /* not known: leave it alone */
    for (size_t n = 0; n < layers.count; n++) {
        struct digest d;
        if (digest_parse_hex(layers.items[n], &d, e) < 0 || !layer_exists(s, &d))
            return false;
    }
    return true;
}

static int drop_broken_rows(const struct store *s, struct index *x, struct err *e)
{
    _cleanup_str_list_ struct str_list ids = {0};
    int r = index_list_images(x, &ids, e);
    for (size_t n = 0; r == 0 && n < ids.count; n++) {
        struct err ignored = {0};
        if (!is_whole(s, x, ids.items[n], &ignored))
            r = index_delete_image(x, ids.items[n], e);
    }
    return r;
}

/* Names in a directory that are 64 hexadecimal digits. */
static int list_directory(int dirfd, struct str_list *names, struct err *e)
{
    int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0)
        return err_errno(e, "open a directory of the store");
    _cleanup_closedir_ DIR *d = fdopendir(copy);
    if (!d) {
        close(copy);
        return err_errno(e, "read a directory of the store");
    }
    for (struct dirent *entry; (entry = readdir(d));) {
        struct digest ignored_digest;
        struct err ignored = {0};
        if (digest_parse_hex(entry->d_name, &ignored_digest, &ignored) < 0)
            continue;
        int r = str_list_add(names, entry->d_name, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int drop_stray_images(const struct store *s, struct index *x, struct err *e)
{
    _cleanup_str_list_ struct str_list names = {0};
    struct index_image row;
    int r = list_directory(s->images, &names, e);
    for (size_t n = 0; r >= 0 && n < names.count; n++) {
        r = index_find_image(x, names.items[n], &row, e);
        if (r == 0)
            r = path_remove_tree_at(s->images, names.items[n], e);
    }
    return r < 0 ? r : 0;
}

static int drop_stray_layers(const struct store *s, struct index *x, struct err *e)
{
    _cleanup_str_list_ struct str_list names = {0};
    int r = list_directory(s->layers, &names, e);
    for (size_t n = 0; r == 0 && n < names.count; n++) {
        uint64_t users = 0;
        struct digest d;
        r = index_count_layer(x, names.items[n], &users, e);
        if (r == 0 && users == 0)
            r = digest_parse_hex(names.items[n], &d, e);
        if (r == 0 && users == 0)
            r = layer_remove(s, &d, e);
    }
    return r;
}

int image_mend(const struct store *s, struct err *e)
{
    _cleanup_index_ struct index *x = NULL;
    struct err busy = {0};
    _cleanup_close_ int lock = lock_out_pulls(s, &busy);
    if (lock < 0)
        return 0;
    int r = store_staging_sweep(s, e);
    if (r == 0)
        r = index_open(s, &x, e);
    if (r == 0)
        r = index_begin(x, e);
    if (r == 0)
        r = drop_broken_rows(s, x, e);
    if (r == 0)
        r = index_commit(x, e);
    if (r == 0)
        r = drop_stray_images(s, x, e);
    if (r == 0)
        r = drop_stray_layers(s, x, e);
    return r < 0 ? err_wrap(e, "mend the image store") : 0;
}
