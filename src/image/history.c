/* SPDX-License-Identifier: Apache-2.0 */
/* Histories (history.h): the answer of casemate-parse, read strictly. */
#include "image/history.h"

#include <errno.h>

#include "base/clock.h"
#include "base/imagerules.h"
#include "base/io.h"
#include "base/json.h"
#include "base/path.h"

void image_history_clear(struct image_history *h)
{
    for (size_t i = 0; i < h->count; i++) {
        free(h->items[i].created_by);
        free(h->items[i].comment);
        free(h->items[i].author);
    }
    free(h->items);
    *h = (struct image_history){0};
}

struct image_history_entry *image_history_add(struct image_history *h, struct err *e)
{
    if (h->count == IMAGE_RULE_HISTORY_MAX) {
        (void)err_set(e, E2BIG, "history has more than %d entries", IMAGE_RULE_HISTORY_MAX);
        return NULL;
    }
    struct image_history_entry *grown = reallocarray(h->items, h->count + 1, sizeof(*grown));
    if (!grown) {
        (void)err_oom(e);
        return NULL;
    }
    h->items = grown;
    h->items[h->count] = (struct image_history_entry){0};
    return &h->items[h->count++];
}

static int read_text(struct json_object *o, const char *key, char **ret, struct err *e)
{
    const char *text = NULL;
    int r = json_get_string(o, key, &text, e);
    if (r > 0)
        r = str_copy(text, ret, e);
    if (r >= 0 && *ret)
        str_neutralize(*ret);
    return r < 0 ? r : 0;
}

static int read_entry(struct json_object *o, struct image_history *h, struct err *e)
{
    const char *created = NULL;
    struct image_history_entry *x = image_history_add(h, e);
    if (!x)
        return -e->code;
    if (!json_object_is_type(o, json_type_object))
        return err_set(e, EBADMSG, "malformed answer of casemate-parse");
    int r = json_get_string(o, "created", &created, e);
    if (r > 0)
        r = clock_parse(created, &x->created, e);
    if (r >= 0)
        r = read_text(o, "createdBy", &x->created_by, e);
    if (r >= 0)
        r = read_text(o, "comment", &x->comment, e);
    if (r >= 0)
        r = read_text(o, "author", &x->author, e);
    if (r >= 0)
        r = json_get_bool(o, "emptyLayer", &x->empty_layer, e);
    return r < 0 ? r : 0;
}

int image_config_read(const struct store *s, const struct image *i, struct buf *ret_text, struct err *e)
{
    struct digest d;
    char hex[DIGEST_HEX_LENGTH + 1];
    _cleanup_close_ int dir = path_open_dir_at(s->images, i->id, e);
    if (dir < 0)
        return dir;
    int r = io_read_file_at(dir, "config.json", DOCUMENTS_CONFIG_MAX, ret_text, e);
    if (r < 0)
        return err_wrap(e, "configuration of image %.12s", i->id);
    digest_of(ret_text->data ? ret_text->data : "", ret_text->length, &d);
    digest_format_hex(&d, hex);
    return str_equal(hex, i->id) ? 0
                                 : err_set(e, EBADMSG, "the configuration of image %.12s is damaged", i->id);
}

int image_history_read(const struct store *s, const struct image *i, struct documents *d,
                       struct image_history *ret_history, struct err *e)
{
    _cleanup_buf_ struct buf config = {0};
    _cleanup_buf_ struct buf answer = {0};
    _cleanup_json_ struct json_object *o = NULL;
    _cleanup_image_history_ struct image_history h = {0};
    int r = image_config_read(s, i, &config, e);
    if (r == 0)
        r = documents_parse_history(d, config.data, config.length, &answer, e);
    if (r == 0)
        r = json_parse(answer.data, answer.length, &o, e);
    if (r == 0 && !json_object_is_type(o, json_type_array))
        r = err_set(e, EBADMSG, "malformed answer of casemate-parse");
    for (size_t n = 0; r == 0 && n < json_object_array_length(o); n++)
        r = read_entry(json_object_array_get_idx(o, n), &h, e);
    if (r < 0)
        return err_wrap(e, "history");
    *ret_history = h;
    h = (struct image_history){0};
    return 0;
}
