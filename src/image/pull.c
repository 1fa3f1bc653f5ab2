/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pulling (pull.h). Resolve the name, the manifest for the platform, the configuration; then layers in parallel, each through a fetch and
 * an unpack worker of its own; at the end one commit makes the image visible.
 */
#include "image/pull.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/syscalls.h"
#include "image/documents.h"
#include "image/fetch.h"
#include "image/layers.h"

#define INDEX_NESTING_MAX 4

struct pull {
    const struct store *store;
    const struct reference *reference;
    const struct pull_options *options;
    struct digest top; /* what the name stands for */
    struct buf manifest;
    struct digest manifest_digest;
    struct buf config;
    struct image *image;
};

static void pull_clear(struct pull *p)
{
    buf_clear(&p->manifest);
    buf_clear(&p->config);
    image_free(p->image);
}

/* --- documents ----------------------------------------------------------------------------------------------------- */

/* Gets a manifest and makes sure of its digest: of the one that was asked for, else of the one that the registry says. */
static int get_manifest(struct pull *p, struct fetch *f, const char *name, const struct digest *wanted,
                        struct message_fetch_found *found, struct err *e)
{
    struct digest said;
    char text[DIGEST_TEXT_LENGTH + 1];
    p->manifest.length = 0;
    int r = fetch_manifest(f, name, DOCUMENTS_MANIFEST_MAX, &p->manifest, found, e);
    if (r < 0)
        return r;
    digest_of(p->manifest.data ? p->manifest.data : "", p->manifest.length, &p->manifest_digest);
    if (!wanted && found->digest[0] && (r = digest_parse(found->digest, &said, e)) == 0)
        wanted = &said;
    if (r < 0)
        return err_wrap(e, "digest of the manifest");
    if (!wanted || digest_equal(wanted, &p->manifest_digest))
        return 0;
    digest_format(&p->manifest_digest, text);
    return err_set(e, EBADMSG, "the registry sends a manifest with digest %s instead of the one asked for",
                   text);
}

static int parse_manifest(struct pull *p, struct documents *d, const char *media_type,
                          struct manifest_choice *choice, struct err *e)
{
    _cleanup_close_ int file =
        documents_memory_file(p->manifest.data ? p->manifest.data : "", p->manifest.length, e);
    return file < 0 ? file : documents_parse_manifest(d, file, media_type, &p->options->platform, choice, e);
}

/* From the name to the manifest for our platform, which is in p->manifest then. */
static int resolve(struct pull *p, struct fetch *f, struct documents *d, struct manifest_choice *choice,
                   struct err *e)
{
    const struct reference *ref = p->reference;
    struct message_fetch_found found;
    char
        name[DIGEST_TEXT_LENGTH + 1 > REFERENCE_TAG_MAX + 1 ? DIGEST_TEXT_LENGTH + 1 : REFERENCE_TAG_MAX + 1];
    if (ref->has_digest)
        digest_format(&ref->digest, name);
    else
        memcpy(name, ref->tag, sizeof(ref->tag));
    int r = get_manifest(p, f, name, ref->has_digest ? &ref->digest : NULL, &found, e);
    p->top = p->manifest_digest;
    for (int depth = 0; r == 0 && depth < INDEX_NESTING_MAX; depth++) {
        r = parse_manifest(p, d, found.media_type, choice, e);
        if (r < 0 || !choice->is_index)
            return r;
        const struct digest chosen = choice->chosen;
        digest_format(&chosen, name);
        r = get_manifest(p, f, name, &chosen, &found, e);
        if (r == 0 && p->manifest.length != choice->chosen_size)
            r = err_set(e, EBADMSG, "the manifest does not have the size that the index says");
    }
    return r < 0 ? r : err_set(e, EBADMSG, "the registry's index leads to an index again and again");
}

static int get_config(struct pull *p, struct fetch *f, struct documents *d, const struct manifest *m,
                      struct err *e)
{
    if (m->config_size > DOCUMENTS_CONFIG_MAX)
        return err_set(e, EFBIG, "the image configuration has %llu bytes (at most %u)",
                       (unsigned long long)m->config_size, DOCUMENTS_CONFIG_MAX);
    int r = fetch_blob(f, &m->config, m->config_size, &p->config, e);
    if (r < 0)
        return err_wrap(e, "image configuration");
    _cleanup_close_ int file =
        documents_memory_file(p->config.data ? p->config.data : "", p->config.length, e);
    r = file < 0 ? file : documents_parse_config(d, file, &p->options->platform, m, &p->image, e);
    if (r < 0)
        return r;
    digest_format_hex(&m->config, p->image->id);
    p->image->manifest = p->manifest_digest;
    p->image->size = 0;
    for (size_t i = 0; i < p->image->layer_count; i++)
        p->image->size += p->image->layers[i].size;
    return 0;
}

/* --- layers -------------------------------------------------------------------------------------------------------- */

struct crew {
    struct pull *pull;
    atomic_size_t next;
    pthread_mutex_t lock; /* of what follows, and of events */
    bool failed;
    struct err first; /* the first failure: the others follow from it */
    int pidfds[PULL_PARALLEL_MAX];
};

struct hand {
    struct crew *crew;
    unsigned number;
    size_t layer;
};

static void tell(struct hand *h, enum pull_event_kind kind, uint64_t done, uint64_t total)
{
    struct crew *c = h->crew;
    const struct pull_options *o = c->pull->options;
    const struct image *i = c->pull->image;
    if (!o->event)
        return;
    const struct pull_event event = {.kind = kind,
                                     .index = h->layer,
                                     .count = i->layer_count,
                                     .layer = i->layers[h->layer].blob,
                                     .done = done,
                                     .total = total};
    (void)pthread_mutex_lock(&c->lock);
    o->event(&event, o->context);
    (void)pthread_mutex_unlock(&c->lock);
}

static void tell_bytes(uint64_t done, uint64_t total, void *context)
{
    tell(context, done < total ? PULL_DOWNLOADING : PULL_UNPACKING, done, total);
}

/* The first failure stops the others: their fetch workers are ended, so whatever they wait for comes to its end. */
static void give_up(struct crew *c, const struct err *e)
{
    (void)pthread_mutex_lock(&c->lock);
    if (!c->failed) {
        c->failed = true;
        c->first = *e;
        for (size_t i = 0; i < PULL_PARALLEL_MAX; i++)
            if (c->pidfds[i] >= 0)
                (void)sys_pidfd_send_signal(c->pidfds[i], SIGKILL);
    }
    (void)pthread_mutex_unlock(&c->lock);
}

/* Makes the worker known to give_up; -ECANCELED when that has happened already. */
static int enlist(struct hand *h, int pidfd, struct err *e)
{
    struct crew *c = h->crew;
    (void)pthread_mutex_lock(&c->lock);
    bool failed = c->failed;
    c->pidfds[h->number] = failed ? -1 : pidfd;
    (void)pthread_mutex_unlock(&c->lock);
    return failed ? err_set(e, ECANCELED, "given up") : 0;
}

static int get_layer(struct hand *h, struct fetch *f, struct err *e)
{
    const struct image_layer *layer = &h->crew->pull->image->layers[h->layer];
    const struct layer_request request = {.blob = layer->blob,
                                          .size = layer->size,
                                          .diff_id = layer->diff_id,
                                          .compression = layer->compression};
    struct err said = {0};
    if (layer_exists(h->crew->pull->store, &layer->blob)) {
        tell(h, PULL_EXISTS, layer->size, layer->size);
        return 0;
    }
    tell(h, PULL_DOWNLOADING, 0, layer->size);
    _cleanup_close_ int from = fetch_begin(f, &layer->blob, layer->size, e);
    if (from < 0)
        return from;
    int r = layer_import(h->crew->pull->store, &request, from, tell_bytes, h, e);
    close_fd(&from);
    if (r ==
        1) { /* another command has brought it: what still comes is not needed, and the session is of no more use */
        fetch_close(f);
        tell(h, PULL_EXISTS, layer->size, layer->size);
        return 0;
    }
    if (r < 0 && r != -EBADMSG) { /* the fault is on our side; a registry that stalls would keep us waiting */
        fetch_close(f);
        return r;
    }
    int finished = fetch_finish(f, &said);
    if (r == -EBADMSG && finished < 0 &&
        said.code != EPIPE) /* it came to an end before its time: the worker knows why */
        *e = said;
    if (r == 0)
        tell(h, PULL_DONE, layer->size, layer->size);
    return r < 0 ? r : finished < 0 ? (*e = said, finished) : 0;
}

static int get_layers(struct hand *h, struct err *e)
{
    struct crew *c = h->crew;
    const struct pull *p = c->pull;
    _cleanup_fetch_ struct fetch f = FETCH_INIT;
    int r = 0;
    while (r == 0 && (h->layer = atomic_fetch_add(&c->next, 1)) < p->image->layer_count) {
        if (f.worker.pid < 0) {
            r = fetch_open(p->reference->host, p->reference->path, p->options, &f, e);
            if (r == 0)
                r = enlist(h, f.worker.pidfd, e);
        }
        if (r == 0)
            r = get_layer(h, &f, e);
    }
    struct err unused = {0};
    (void)enlist(h, -1, &unused);
    return r;
}

static void *run_hand(void *context)
{
    struct hand *h = context;
    struct err e = {0};
    if (get_layers(h, &e) < 0)
        give_up(h->crew, &e);
    return NULL;
}

static int get_all_layers(struct pull *p, struct err *e)
{
    struct crew c = {.pull = p, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct hand hands[PULL_PARALLEL_MAX];
    pthread_t threads[PULL_PARALLEL_MAX];
    unsigned wanted = p->options->parallel ? p->options->parallel : PULL_PARALLEL_DEFAULT;
    unsigned started = 0;
    wanted = wanted > PULL_PARALLEL_MAX ? PULL_PARALLEL_MAX : wanted;
    wanted = wanted > p->image->layer_count ? (unsigned)p->image->layer_count : wanted;
    for (size_t i = 0; i < PULL_PARALLEL_MAX; i++)
        c.pidfds[i] = -1;
    for (; started < wanted; started++) {
        hands[started] = (struct hand){.crew = &c, .number = started};
        if (pthread_create(&threads[started], NULL, run_hand, &hands[started]) != 0)
            break;
    }
    if (started == 0 && wanted > 0)
        return err_set(e, EAGAIN, "no thread can be started");
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    if (!c.failed)
        return 0;
    *e = c.first;
    return -e->code;
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static void tell_plain(const struct pull *p, enum pull_event_kind kind, size_t count)
{
    const struct pull_event event = {.kind = kind, .count = count};
    if (p->options->event)
        p->options->event(&event, p->options->context);
}

static int get_documents(struct pull *p, struct err *e)
{
    _cleanup_fetch_ struct fetch f = FETCH_INIT;
    _cleanup_documents_ struct documents d = DOCUMENTS_INIT;
    _cleanup_free_ struct manifest_choice *choice = calloc(1, sizeof(*choice));
    if (!choice)
        return err_oom(e);
    tell_plain(p, PULL_RESOLVING, 0);
    int r = fetch_open(p->reference->host, p->reference->path, p->options, &f, e);
    if (r == 0)
        r = documents_open(&d, e);
    if (r == 0)
        r = resolve(p, &f, &d, choice, e);
    if (r == 0 && p->options->admit)
        r = p->options->admit(p->reference, &p->manifest_digest, p->manifest.data, p->manifest.length,
                              p->options->context, e);
    return r < 0 ? r : get_config(p, &f, &d, &choice->manifest, e);
}

/* The names that the pull gives: the tag, when there is one, and the digest that it stood for. */
static int list_names(const struct pull *p, struct str_list *names, struct err *e)
{
    char text[REFERENCE_TEXT_MAX + 1];
    int r = 0;
    if (p->reference->tag[0] && !p->reference->has_digest) {
        reference_format_tagged(p->reference, text);
        r = str_list_add(names, text, e);
    }
    reference_format_digested(p->reference, &p->top, text);
    return r < 0 ? r : str_list_add(names, text, e);
}

/* Whether the name stands for this very image already. */
static bool is_known(const struct pull *p, const char *name)
{
    struct err ignored = {0};
    _cleanup_image_ struct image *before = NULL;
    return image_find(p->store, name, &before, &ignored) == 0 && str_equal(before->id, p->image->id);
}

static int run(struct pull *p, struct image **ret_image, struct pull_result *ret_result, struct err *e)
{
    _cleanup_str_list_ struct str_list names = {0};
    _cleanup_close_ int hold = image_hold(p->store, e);
    int r = hold < 0 ? hold : get_documents(p, e);
    if (r == 0)
        r = list_names(p, &names, e);
    if (r < 0 || names.count == 0)
        return r;
    bool known = is_known(p, names.items[0]);
    tell_plain(p, PULL_LAYERS, p->image->layer_count);
    r = get_all_layers(p, e);
    if (r < 0)
        return r;
    const struct image_documents documents = {.manifest = p->manifest.data,
                                              .manifest_length = p->manifest.length,
                                              .config = p->config.data,
                                              .config_length = p->config.length};
    r = image_commit(p->store, p->image, &documents, &names, INDEX_REGISTRY, e);
    if (r == 0)
        r = image_find(p->store, names.items[0], ret_image, e);
    if (r == 0)
        *ret_result = (struct pull_result){.digest = p->top, .changed = !known};
    return r;
}

int image_pull(const struct store *s, const struct reference *r, const struct pull_options *options,
               struct image **ret_image, struct pull_result *ret_result, struct err *e)
{
    struct pull p = {.store = s, .reference = r, .options = options};
    char name[REFERENCE_TEXT_MAX + 1];
    struct err ignored = {0};
    int result = run(&p, ret_image, ret_result, e);
    pull_clear(&p);
    (void)image_mend(s, &ignored); /* layers of what has failed, now or earlier */
    reference_format_familiar(r, name);
    return result < 0 ? err_wrap(e, "pull %s", name) : 0;
}

int image_check_login(const char *host, const struct pull_options *options, struct err *e)
{
    _cleanup_fetch_ struct fetch f = FETCH_INIT;
    int r = fetch_open(host, "", options, &f, e);
    if (r == 0)
        r = fetch_ping(&f, e);
    return r < 0 ? err_wrap(e, "log in to %s", host) : 0;
}
