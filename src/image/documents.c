/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's side of casemate-parse (documents.h). Trusted: what the worker answers is checked like a stranger's word. */
#include "image/documents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/ids.h"
#include "base/io.h"
#include "base/json.h"
#include "base/messages.h"
#include "base/path.h"
#include "image/record.h"
#include "image/reference.h"

#define ANSWER_MAX (16U << 20)
#define LAYER_SIZE_MAX (1ULL << 40)

static const struct worker_profile profile = {
    .program = "casemate-parse",
    .uid = IDS_WORKER_PARSE,
    .memory_max = 1ULL << 30,
    .cpu_seconds = 30,
    .files_max = 16,
    .file_size_max = ANSWER_MAX,
};

int documents_open(struct documents *ret_documents, struct err *e)
{
    struct documents d = DOCUMENTS_INIT;
    int r = worker_start(&profile, &d.worker, e);
    if (r == 0)
        *ret_documents = d;
    return r;
}

void documents_close(struct documents *d)
{
    worker_stop(&d->worker);
}

int documents_memory_file(const void *data, size_t length, struct err *e)
{
    _cleanup_close_ int fd = memfd_create("document", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_errno(e, "memfd_create");
    int r = io_write_all(fd, data, length, e);
    if (r < 0)
        return r;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0 ||
        lseek(fd, 0, SEEK_SET) < 0)
        return err_errno(e, "seal a memory file");
    return steal_fd(&fd);
}

/* Sends a request and receives the answer. ret_out (may be NULL): the memory file into which a text answer was written. */
static int ask(struct documents *d, int fd, enum message_parse_kind kind, const char *media_type,
               const struct platform *p, struct ipc_message *m, int *ret_out, struct err *e)
{
    struct message_parse_request request = {.kind = kind};
    int r = str_put(request.media_type, sizeof(request.media_type), media_type, e);
    if (r == 0 && p)
        r = str_put(request.os, sizeof(request.os), p->os, e);
    if (r == 0 && p)
        r = str_put(request.architecture, sizeof(request.architecture), p->architecture, e);
    if (r == 0 && p)
        r = str_put(request.variant, sizeof(request.variant), p->variant, e);
    if (r < 0)
        return r;
    _cleanup_close_ int out = memfd_create("answer", MFD_CLOEXEC);
    if (out < 0)
        return err_errno(e, "memfd_create");
    const int fds[2] = {fd, out};
    r = ipc_send(d->worker.socket, MESSAGE_PARSE_REQUEST, &request, sizeof(request), fds, 2, e);
    if (r == 0)
        r = worker_receive(&d->worker, m, NULL, NULL, e);
    if (r < 0)
        return r;
    if (ret_out)
        *ret_out = steal_fd(&out);
    return 0;
}

static struct ipc_message *new_message(struct err *e)
{
    struct ipc_message *m = calloc(1, sizeof(*m));
    if (!m)
        (void)err_oom(e);
    return m;
}

static void message_free(struct ipc_message *m)
{
    ipc_message_clear(m);
    free(m);
}
DEFINE_CLEANUP(struct ipc_message *, message_free);
#define _cleanup_message_ _cleanup_(message_freep)

static int take_chosen(const struct ipc_message *m, struct manifest_choice *c, struct err *e)
{
    struct message_parse_chosen chosen;
    int r = ipc_expect(m, MESSAGE_PARSE_CHOSEN, sizeof(chosen), 0, e);
    if (r < 0)
        return r;
    memcpy(&chosen, m->payload, sizeof(chosen));
    if (!message_text_ok(chosen.media_type, sizeof(chosen.media_type)) || chosen.size == 0 ||
        chosen.size > DOCUMENTS_MANIFEST_MAX)
        return err_set(e, EBADMSG, "malformed answer of casemate-parse");
    c->is_index = true;
    memcpy(c->chosen.bytes, chosen.digest, sizeof(c->chosen.bytes));
    c->chosen_size = chosen.size;
    return str_put(c->chosen_media_type, sizeof(c->chosen_media_type), chosen.media_type, e);
}

static int take_manifest(const struct ipc_message *m, struct manifest *ret_manifest, struct err *e)
{
    struct message_parse_manifest answer;
    int r = ipc_expect(m, MESSAGE_PARSE_MANIFEST, sizeof(answer), 0, e);
    if (r < 0)
        return r;
    memcpy(&answer, m->payload, sizeof(answer));
    if (answer.layer_count == 0 || answer.layer_count > IMAGE_LAYERS_MAX || answer.config_size == 0 ||
        answer.config_size > DOCUMENTS_CONFIG_MAX)
        return err_set(e, EBADMSG, "malformed answer of casemate-parse");
    ret_manifest->config_size = answer.config_size;
    ret_manifest->layer_count = answer.layer_count;
    memcpy(ret_manifest->config.bytes, answer.config, sizeof(ret_manifest->config.bytes));
    for (size_t i = 0; i < answer.layer_count; i++) {
        const struct message_parse_layer *l = &answer.layers[i];
        if (l->size == 0 || l->size > LAYER_SIZE_MAX || l->compression < LAYER_PLAIN ||
            l->compression > LAYER_ZSTD)
            return err_set(e, EBADMSG, "malformed answer of casemate-parse");
        ret_manifest->layers[i].size = l->size;
        ret_manifest->layers[i].compression = (enum layer_compression)l->compression;
        memcpy(ret_manifest->layers[i].blob.bytes, l->digest, sizeof(l->digest));
    }
    return 0;
}

int documents_parse_manifest(struct documents *d, int fd, const char *media_type, const struct platform *p,
                             struct manifest_choice *ret_choice, struct err *e)
{
    _cleanup_message_ struct ipc_message *m = new_message(e);
    struct manifest_choice choice = {0};
    if (!m)
        return -ENOMEM;
    int r = ask(d, fd, PARSE_IMAGE_MANIFEST, media_type, p, m, NULL, e);
    if (r == 0 && m->type == MESSAGE_PARSE_CHOSEN)
        r = take_chosen(m, &choice, e);
    else if (r == 0)
        r = take_manifest(m, &choice.manifest, e);
    if (r < 0)
        return err_wrap(e, "manifest");
    *ret_choice = choice;
    return 0;
}

/* Asks for a text and reads it into memory of our own before anything looks at it. */
static int ask_text(struct documents *d, int fd, enum message_parse_kind kind, const struct platform *p,
                    struct buf *text, struct err *e)
{
    _cleanup_message_ struct ipc_message *m = new_message(e);
    _cleanup_close_ int out = -1;
    struct message_parse_text answer;
    if (!m)
        return -ENOMEM;
    int r = ask(d, fd, kind, "", p, m, &out, e);
    if (r == 0)
        r = ipc_expect(m, MESSAGE_PARSE_TEXT, sizeof(answer), 0, e);
    if (r < 0)
        return r;
    memcpy(&answer, m->payload, sizeof(answer));
    if (lseek(out, 0, SEEK_SET) < 0)
        return err_errno(e, "seek");
    r = io_read_to_end(out, ANSWER_MAX, text, e);
    if (r == 0 && (text->length == 0 || text->length != answer.length))
        r = err_set(e, EBADMSG, "malformed answer of casemate-parse");
    return r;
}

int documents_parse_config(struct documents *d, int fd, const struct platform *p, const struct manifest *m,
                           struct image **ret_image, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_image_ struct image *i = NULL;
    int r = ask_text(d, fd, PARSE_IMAGE_CONFIG, p, &text, e);
    if (r < 0)
        return err_wrap(e, "image configuration");
    r = image_record_parse_config(text.data, text.length, &i, e);
    if (r < 0)
        return r;
    if (!str_equal(i->os, p->os) || !str_equal(i->architecture, p->architecture))
        return err_set(e, EINVAL, "image configuration: it is for another platform");
    if (m && m->layer_count != i->layer_count)
        return err_set(e, EINVAL, "image configuration: it has %zu layers, the manifest %zu", i->layer_count,
                       m->layer_count);
    for (size_t n = 0; m && n < m->layer_count; n++) {
        i->layers[n].blob = m->layers[n].blob;
        i->layers[n].size = m->layers[n].size;
        i->layers[n].compression = m->layers[n].compression;
        i->size += m->layers[n].size;
    }
    *ret_image = steal_ptr(i);
    return 0;
}

int documents_parse_history(struct documents *d, const void *config, size_t length, struct buf *ret_answer,
                            struct err *e)
{
    _cleanup_close_ int fd = documents_memory_file(config, length, e);
    return fd < 0 ? fd : ask_text(d, fd, PARSE_IMAGE_HISTORY, NULL, ret_answer, e);
}

void archive_images_clear(struct archive_images *a)
{
    for (size_t i = 0; i < a->count; i++) {
        free(a->items[i].config);
        str_list_clear(&a->items[i].tags);
        str_list_clear(&a->items[i].layers);
    }
    free(a->items);
    *a = (struct archive_images){0};
}

/* The name of a member of an archive that we look up by comparison only; the shape is checked all the same. */
static int check_member(const char *name, struct err *e)
{
    size_t n = strlen(name);
    if (n == 0 || n > PATH_LENGTH_MAX || name[0] == '/' || strstr(name, ".."))
        return err_set(e, EINVAL, "'%.100s' is not the name of a member", name);
    return 0;
}

static int read_tags(struct json_object *o, struct archive_image *a, struct err *e)
{
    _cleanup_str_list_ struct str_list tags = {0};
    int r = json_get_strings(o, "tags", DOCUMENTS_ARCHIVE_IMAGES_MAX, &tags, e);
    for (size_t i = 0; r >= 0 && i < tags.count; i++) {
        struct reference reference;
        char full[REFERENCE_TEXT_MAX + 1];
        r = reference_parse(tags.items[i], &reference, e);
        if (r == 0 && !reference.tag[0])
            r = err_set(e, EINVAL, "'%s' has no tag", tags.items[i]);
        if (r < 0)
            return r;
        reference_format_tagged(&reference, full);
        r = str_list_add(&a->tags, full, e);
    }
    return r < 0 ? r : 0;
}

static int read_docker_image(struct json_object *o, struct archive_image *a, struct err *e)
{
    const char *config = NULL;
    int r = json_get_string(o, "config", &config, e);
    if (r == 0)
        r = err_set(e, EBADMSG, "malformed answer of casemate-parse");
    if (r > 0)
        r = check_member(config, e);
    if (r >= 0)
        r = str_replace(&a->config, config, e);
    if (r >= 0)
        r = json_get_strings(o, "layers", IMAGE_LAYERS_MAX, &a->layers, e);
    for (size_t i = 0; r >= 0 && i < a->layers.count; i++)
        r = check_member(a->layers.items[i], e);
    if (r >= 0 && a->layers.count == 0)
        r = err_set(e, EBADMSG, "malformed answer of casemate-parse");
    return r < 0 ? r : read_tags(o, a, e);
}

static int read_layout_image(struct json_object *o, struct archive_image *a, struct err *e)
{
    const char *digest = "";
    const char *media_type = "";
    int r = json_get_string(o, "digest", &digest, e);
    if (r >= 0)
        r = digest_parse(digest, &a->manifest, e);
    if (r >= 0)
        r = json_get_u64(o, "size", &a->manifest_size, e);
    if (r >= 0 && (a->manifest_size == 0 || a->manifest_size > DOCUMENTS_MANIFEST_MAX))
        r = err_set(e, EBADMSG, "malformed answer of casemate-parse");
    if (r >= 0)
        r = json_get_string(o, "mediaType", &media_type, e);
    if (r >= 0)
        r = str_put(a->media_type, sizeof(a->media_type), media_type, e);
    return r < 0 ? r : read_tags(o, a, e);
}

static int parse_archive(struct documents *d, int fd, enum message_parse_kind kind,
                         int (*read)(struct json_object *, struct archive_image *, struct err *),
                         struct archive_images *ret_images, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_json_ struct json_object *o = NULL;
    _cleanup_archive_images_ struct archive_images images = {0};
    int r = ask_text(d, fd, kind, NULL, &text, e);
    if (r == 0)
        r = json_parse(text.data, text.length, &o, e);
    if (r < 0)
        return r;
    size_t count = json_object_is_type(o, json_type_array) ? json_object_array_length(o) : 0;
    if (count == 0 || count > DOCUMENTS_ARCHIVE_IMAGES_MAX)
        return err_set(e, EBADMSG, "malformed answer of casemate-parse");
    images.items = calloc(count, sizeof(*images.items));
    if (!images.items)
        return err_oom(e);
    images.count = count;
    for (size_t i = 0; i < count; i++) {
        struct json_object *item = json_object_array_get_idx(o, i);
        if (!json_object_is_type(item, json_type_object))
            return err_set(e, EBADMSG, "malformed answer of casemate-parse");
        r = read(item, &images.items[i], e);
        if (r < 0)
            return r;
    }
    *ret_images = images;
    images = (struct archive_images){0};
    return 0;
}

int documents_parse_docker_archive(struct documents *d, int fd, struct archive_images *ret_images,
                                   struct err *e)
{
    int r = parse_archive(d, fd, PARSE_DOCKER_ARCHIVE, read_docker_image, ret_images, e);
    return r < 0 ? err_wrap(e, "manifest.json") : 0;
}

int documents_parse_oci_layout(struct documents *d, int fd, struct archive_images *ret_images, struct err *e)
{
    int r = parse_archive(d, fd, PARSE_OCI_LAYOUT, read_layout_image, ret_images, e);
    return r < 0 ? err_wrap(e, "index.json") : 0;
}
