/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images in the store (image.h): finding, naming, and the commit that makes one visible. Order of a commit: layers, then the
 * directory with the record (renamed into place), then one transaction of the index. What a kill between them leaves is no
 * image yet and is mended.
 */
#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "image/layers.h"
#include "image/record.h"
#include "image/reference.h"
#include "image/remove.h"
#include "store/index.h"

#define PLACE_TRIES 100

static const char *familiar(const char *full, char *buffer)
{
    struct reference r;
    struct err ignored = {0};
    if (reference_parse(full, &r, &ignored) < 0)
        return full;
    reference_format_familiar(&r, buffer);
    return buffer;
}

static int read_names(struct index *x, const char *id,
                      int (*list)(struct index *x, const char *id, struct str_list *names, struct err *e),
                      struct str_list *to, struct err *e)
{
    _cleanup_str_list_ struct str_list names = {0};
    char text[REFERENCE_TEXT_MAX + 1];
    int r = list(x, id, &names, e);
    for (size_t n = 0; r == 0 && n < names.count; n++)
        r = str_list_add(to, familiar(names.items[n], text), e);
    return r;
}

/* The record, the names and the times of an id that the index has. */
static int read_image(const struct store *s, struct index *x, const char *id, struct image **ret_image,
                      struct err *e)
{
    _cleanup_image_ struct image *i = NULL;
    char record[DIGEST_HEX_LENGTH + 16];
    struct index_image row = {0};
    struct stat st;
    int r = image_record_read(s, id, &i, e);
    if (r == 0)
        r = read_names(x, id, index_list_names, &i->names, e);
    if (r == 0)
        r = read_names(x, id, index_list_vouched, &i->vouched, e);
    if (r == 0)
        r = index_find_image(x, id, &row, e);
    if (r < 0)
        return r;
    i->pulled = r > 0 ? row.pulled : 0;
    (void)snprintf(record, sizeof(record), "%s/record.json", id);
    if (fstatat(s->images, record, &st, AT_SYMLINK_NOFOLLOW) == 0)
        i->used = st.st_mtim.tv_sec * CLOCK_SECOND + st.st_mtim.tv_nsec;
    *ret_image = steal_ptr(i);
    return 0;
}

static bool is_hex(const char *text, size_t max)
{
    size_t n = strlen(text);
    return n > 0 && n <= max && strspn(text, "0123456789abcdef") == n;
}

static int find_by_id(struct index *x, const char *hex, char *ret_id, struct err *e)
{
    int r = index_find_prefix(x, hex, ret_id, e);
    if (r > 1)
        return err_set(e, EEXIST, "several images have an id that starts with %s: give more digits", hex);
    return r;
}

/* By both its tag and its digest, as far as it has them. */
static int find_by_name(struct index *x, const struct reference *ref, char *ret_id, struct err *e)
{
    char key[REFERENCE_TEXT_MAX + 1];
    char tagged[DIGEST_HEX_LENGTH + 1];
    if (!ref->has_digest) {
        reference_format_tagged(ref, key);
        return index_find_name(x, key, ret_id, e);
    }
    reference_format_digested(ref, &ref->digest, key);
    int r = index_find_name(x, key, ret_id, e);
    if (r <= 0 || !ref->tag[0])
        return r;
    reference_format_tagged(ref, key);
    int tag = index_find_name(x, key, tagged, e);
    return tag > 0 && !str_equal(tagged, ret_id) ? 0 : (tag < 0 ? tag : r);
}

/* Fills ret_id; *ret_named when `text` was a name, which ret_reference then has. */
static int resolve(struct index *x, const char *text, char *ret_id, bool *ret_named,
                   struct reference *ret_reference, struct err *e)
{
    struct err ignored = {0};
    const char *digest = str_after(text, "sha256:");
    int r = 0;
    *ret_named = false;
    if (digest && is_hex(digest, DIGEST_HEX_LENGTH))
        r = find_by_id(x, digest, ret_id, e);
    else if (is_hex(text, DIGEST_HEX_LENGTH) && strlen(text) == DIGEST_HEX_LENGTH)
        r = find_by_id(x, text, ret_id, e);
    if (r == 0 && reference_parse(text, ret_reference, &ignored) == 0) {
        r = find_by_name(x, ret_reference, ret_id, e);
        *ret_named = r > 0;
    }
    if (r == 0 && is_hex(text, DIGEST_HEX_LENGTH))
        r = find_by_id(x, text, ret_id, e);
    if (r == 0)
        return err_set(e, ENOENT, "No such image: %.300s", text);
    return r < 0 ? r : 0;
}

int image_find(const struct store *s, const char *text, struct image **ret_image, struct err *e)
{
    _cleanup_index_ struct index *x = NULL;
    char id[DIGEST_HEX_LENGTH + 1];
    struct reference reference;
    bool named = false;
    int r = index_open(s, &x, e);
    if (r == 0)
        r = resolve(x, text, id, &named, &reference, e);
    return r < 0 ? r : read_image(s, x, id, ret_image, e);
}

int image_resolve(const struct store *s, const char *text, struct image **ret_image, bool *ret_named,
                  struct reference *ret_reference, struct err *e)
{
    _cleanup_index_ struct index *x = NULL;
    char id[DIGEST_HEX_LENGTH + 1];
    int r = index_open(s, &x, e);
    if (r == 0)
        r = resolve(x, text, id, ret_named, ret_reference, e);
    return r < 0 ? r : read_image(s, x, id, ret_image, e);
}

void image_list_clear(struct image_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        image_free(list->items[i]);
    free(list->items);
    *list = (struct image_list){0};
}

int image_list(const struct store *s, struct image_list *ret_list, struct err *e)
{
    _cleanup_index_ struct index *x = NULL;
    _cleanup_str_list_ struct str_list ids = {0};
    _cleanup_image_list_ struct image_list list = {0};
    int r = index_open(s, &x, e);
    if (r == 0)
        r = index_list_images(x, &ids, e);
    if (r < 0)
        return r;
    list.items = calloc(ids.count + 1, sizeof(void *)); /* pointers */
    if (!list.items)
        return err_oom(e);
    for (size_t i = 0; i < ids.count; i++) {
        r = read_image(s, x, ids.items[i], &list.items[list.count], e);
        if (r < 0 && r != -ENOENT) /* without its record it is no image any more; mending removes the row */
            return r;
        if (r == 0)
            list.count++;
    }
    *ret_list = list;
    list = (struct image_list){0};
    return 0;
}

int image_tag(const struct store *s, const char *source, const char *target, struct err *e)
{
    _cleanup_index_ struct index *x = NULL;
    char id[DIGEST_HEX_LENGTH + 1];
    char key[REFERENCE_TEXT_MAX + 1];
    struct reference from;
    struct reference to;
    bool named = false;
    int r = reference_parse(target, &to, e);
    if (r < 0)
        return r;
    if (to.has_digest)
        return err_set(e, EINVAL, "refusing to create a tag with a digest reference: '%s'", target);
    reference_format_tagged(&to, key);
    r = index_open(s, &x, e);
    if (r == 0)
        r = index_begin(x, e);
    if (r == 0)
        r = resolve(x, source, id, &named, &from, e);
    if (r == 0)
        r = index_put_name(x, key, id, INDEX_USER, e);
    return r < 0 ? r : index_commit(x, e);
}

/* The time of the last use is the time of the record file; it is made with time 0. */
void image_mark_used(const struct store *s, const char *id)
{
    char record[DIGEST_HEX_LENGTH + 16];
    (void)snprintf(record, sizeof(record), "%s/record.json", id);
    (void)utimensat(s->images, record, NULL, AT_SYMLINK_NOFOLLOW);
}

int image_hold(const struct store *s, struct err *e)
{
    _cleanup_close_ int fd = openat(s->images, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = -1;
    if (fd < 0)
        return err_errno(e, "open images");
    do
        r = flock(fd, LOCK_SH);
    while (r < 0 && errno == EINTR);
    return r < 0 ? err_errno(e, "lock images") : steal_fd(&fd);
}

static int write_files(int dir, const struct image *i, const struct image_documents *d, struct err *e)
{
    static const struct timespec never[2] = {{0, 0}, {0, 0}};
    _cleanup_buf_ struct buf record = {0};
    int r = image_record_format(i, &record, e);
    if (r == 0 && d->manifest_length > 0)
        r = io_replace_file_at(dir, "manifest.json", d->manifest, d->manifest_length, 0600, false, e);
    if (r == 0 && d->config_length > 0)
        r = io_replace_file_at(dir, "config.json", d->config, d->config_length, 0600, false, e);
    if (r == 0)
        r = io_replace_file_at(dir, "record.json", record.data, record.length, 0600, true, e);
    if (r == 0 && utimensat(dir, "record.json", never, 0) < 0)
        r = err_errno(e, "set the time of the record");
    return r;
}

static bool layers_present(const struct store *s, const struct image *i)
{
    for (size_t n = 0; n < i->layer_count; n++)
        if (!layer_exists(s, &i->layers[n].blob))
            return false;
    return true;
}

/* The same configuration is the same image: one that is there and complete stays. */
static bool find_complete(const struct store *s, const struct image *i, struct image **ret_existing)
{
    _cleanup_image_ struct image *existing = NULL;
    struct err ignored = {0};
    if (image_record_read(s, i->id, &existing, &ignored) < 0 || !existing || !layers_present(s, existing))
        return false;
    *ret_existing = steal_ptr(existing);
    return true;
}

/* The staged directory becomes images/<id>. Others may be at the same: readers see one or the other, always whole. What was
 * there and is not complete changes places with ours. */
static int put_in_place(const struct store *s, const char *name, const struct image *i,
                        struct image **ret_existing, struct err *e)
{
    for (int tries = 0; tries < PLACE_TRIES; tries++) {
        if (renameat(s->staging, name, s->images, i->id) == 0)
            return 0;
        if (errno != EEXIST && errno != ENOTEMPTY)
            return err_errno(e, "put the image in place");
        if (find_complete(s, i, ret_existing))
            return 0;
        if (renameat2(s->staging, name, s->images, i->id, RENAME_EXCHANGE) == 0)
            return 0;
        if (errno != ENOENT)
            return err_errno(e, "put the image in place");
    }
    return err_set(e, EBUSY, "put the image in place: it is removed again and again");
}

/* images/<id>/ as a whole. */
static int place_directory(const struct store *s, const struct image *i, const struct image_documents *d,
                           struct image **ret_existing, struct err *e)
{
    char name[STORE_STAGING_NAME_MAX];
    if (find_complete(s, i, ret_existing))
        return 0;
    _cleanup_close_ int dir = store_staging_make(s, name, e);
    if (dir < 0)
        return dir;
    int r = write_files(dir, i, d, e);
    if (r == 0)
        r = put_in_place(s, name, i, ret_existing, e);
    struct err lost = {0};
    (void)path_remove_tree_at(s->staging, name, &lost); /* nothing there after a rename */
    return r;
}

static int put_rows(struct index *x, const struct image *i, const struct str_list *names,
                    enum index_origin origin, struct err *e)
{
    struct index_image row = {.created = i->created, .pulled = clock_now()};
    struct index_layer layers[IMAGE_LAYERS_MAX];
    memcpy(row.id, i->id, sizeof(row.id));
    for (size_t n = 0; n < i->layer_count; n++) {
        digest_format_hex(&i->layers[n].blob, layers[n].layer);
        layers[n].size = i->layers[n].size;
    }
    int r = index_begin(x, e);
    if (r == 0)
        r = index_put_image(x, &row, layers, i->layer_count, e);
    for (size_t n = 0; r == 0 && n < names->count; n++)
        r = index_put_name(x, names->items[n], i->id, origin, e);
    return r < 0 ? r : index_commit(x, e);
}

int image_commit(const struct store *s, const struct image *i, const struct image_documents *documents,
                 const struct str_list *names, enum index_origin origin, struct err *e)
{
    _cleanup_image_ struct image *existing = NULL;
    _cleanup_index_ struct index *x = NULL;
    if (!layers_present(s, i))
        return err_set(e, EINVAL, "a layer of the image is missing");
    int r = place_directory(s, i, documents, &existing, e);
    if (r == 0)
        r = index_open(s, &x, e);
    if (r == 0)
        r = put_rows(x, existing ? existing : i, names, origin, e);
    return r < 0 ? err_wrap(e, "store image %.12s", i->id) : 0;
}
