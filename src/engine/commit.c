/* SPDX-License-Identifier: Apache-2.0 */
/* Committing a container (commit.h). The writable layer is packed by casemate-files and unpacked by casemate-unpack, as any foreign layer. */
#include "engine/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/files.h"
#include "engine/pause.h"
#include "image/make.h"
#include "plan/secret_text.h"

/* A process that lets the container go on when the caller has packed it, or has died. */
struct guard {
    const struct store *store;
    struct container *container;
    pid_t pid;
    int alive; /* closed: go on */
};

/* A guard that was killed has let nothing go on: then it is for us. */
static void guard_close(struct guard *g)
{
    int status = 0;
    struct err ignored = {0};
    close_fd(&g->alive);
    if (g->pid > 0) {
        while (waitpid(g->pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (WIFSIGNALED(status))
            (void)unpause_container(g->store, g->container, &ignored);
    }
    g->pid = -1;
}
#define _cleanup_guard_ _cleanup_(guard_close)

static int guard_start(const struct store *s, struct container *c, struct guard *ret, struct err *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    pid_t pid = fork();
    if (pid == 0) {
        char byte;
        struct err ignored = {0};
        (void)close(ends[1]);
        (void)setsid(); /* an interrupt of the command is not for us */
        while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
            ;
        _exit(unpause_container(s, c, &ignored) < 0);
    }
    (void)close(ends[0]);
    if (pid < 0) {
        (void)close(ends[1]);
        return err_errno(e, "fork");
    }
    *ret = (struct guard){s, c, pid, ends[1]};
    return 0;
}

/* The guard is there first: no moment in which nobody would let the container go on. Without a control group nothing can stop it, and it runs. */
static int hold_still(const struct store *s, struct container *c, struct guard *g, struct err *e)
{
    int r = container_refresh(c, e);
    if (r < 0 || c->status != CONTAINER_RUNNING || c->paused)
        return r;
    r = guard_start(s, c, g, e);
    if (r == 0)
        r = pause_container(s, c, e);
    return r == -ESRCH || r == -EALREADY || r == -ENOSYS ? (err_clear(e), 0) : r;
}

static int pack(struct files *f, const struct store *s, struct make_spool *spool, struct err *e)
{
    int ends[2];
    struct message_files_counts counts;
    struct err failed = {0};
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    _cleanup_close_ int stream = ends[0];
    int r = files_pack(f, ".", "", FILES_PACK_LAYER | FILES_PACK_CONTENT, ends[1], e);
    (void)close(ends[1]);
    if (r == 0)
        r = make_spool_take(s, stream, NULL, NULL, spool, e);
    if (r == 0 && files_wait(f, NULL, NULL, &counts, &failed) < 0) {
        *e = failed;
        r = -failed.code;
    }
    return r;
}

static int make_top_layer(const struct store *s, struct container *c, bool pause, struct image_layer *ret,
                          struct err *e)
{
    _cleanup_guard_ struct guard guard = {s, c, -1, -1};
    _cleanup_files_ struct files f = FILES_INIT;
    struct make_spool spool = MAKE_SPOOL_INIT;
    int r = pause ? hold_still(s, c, &guard, e) : 0;
    if (r == 0)
        r = files_open_writable(s, c, &f, e);
    if (r == 0)
        r = pack(&f, s, &spool, e);
    guard_close(&guard);
    if (r == 0)
        r = make_layer(s, &spool, ret, e);
    make_spool_close(s, &spool);
    return r;
}

static int replace_list(struct str_list *list, const struct str_list *by, struct err *e)
{
    str_list_clear(list);
    return str_list_copy(by, list, e);
}

/* Who runs the image would get what was given to this container alone. */
static int take_environment(struct image *i, const struct str_list *env, struct str_list *left_out,
                            struct err *e)
{
    _cleanup_str_list_ struct str_list kept = {0};
    int r = 0;
    for (size_t n = 0; n < env->count && r == 0; n++) {
        const char *entry = env->items[n];
        if (secret_entry(entry) && !str_list_has(&i->env, entry))
            r = str_list_addf(left_out, e, "%.*s", (int)strcspn(entry, "="), entry);
        else
            r = str_list_add(&kept, entry, e);
    }
    return r < 0 ? r : replace_list(&i->env, &kept, e);
}

/* What runs in the container is what the image will run. */
static int take_plan(struct image *i, const struct plan *p, struct str_list *left_out, struct err *e)
{
    int r = replace_list(&i->entrypoint, &p->entrypoint, e);
    if (r == 0)
        r = replace_list(&i->cmd, &p->command, e);
    if (r == 0)
        r = take_environment(i, &p->env, left_out, e);
    if (r == 0)
        r = replace_list(&i->labels, &p->labels, e);
    if (r == 0 && p->user)
        r = str_replace(&i->user, p->user, e);
    if (r == 0 && p->working_dir)
        r = str_replace(&i->working_dir, str_equal(p->working_dir, "/") ? "" : p->working_dir, e);
    if (r == 0 && p->stop_signal)
        r = str_replace(&i->stop_signal, p->stop_signal, e);
    return r;
}

static int add_history(struct image_history *h, const struct image *i, const struct commit_request *q,
                       struct err *e)
{
    struct image_history_entry *x = image_history_add(h, e);
    _cleanup_buf_ struct buf words = {0};
    if (!x)
        return -e->code;
    x->created = i->created;
    int r = 0;
    for (size_t n = 0; n < i->cmd.count && r == 0; n++)
        r = buf_printf(&words, 4096, e, "%s%.400s", n ? " " : "", i->cmd.items[n]);
    if (r == -EFBIG) { /* a long command is told by its beginning */
        err_clear(e);
        r = 0;
    }
    if (r == 0 && words.length)
        r = secret_hide(words.data, &x->created_by, e);
    if (r == 0)
        r = str_copy(q->author, &x->author, e);
    return r < 0 ? r : str_copy(q->message, &x->comment, e);
}

static int configure(struct image *i, const struct container *c, const struct image_layer *top,
                     const struct commit_request *q, struct image_history *h, struct err *e)
{
    if (i->layer_count == IMAGE_LAYERS_MAX)
        return err_set(e, E2BIG, "the image has %d layers already, and no image may have more",
                       IMAGE_LAYERS_MAX);
    i->layers[i->layer_count++] = *top;
    i->created = clock_now();
    int r = str_replace(&i->author, q->author, e);
    if (r == 0)
        r = take_plan(i, &c->plan, q->left_out, e);
    if (r == 0 && q->change)
        r = q->change(i, q->context, e);
    return r < 0 ? r : add_history(h, i, q, e);
}

int commit_container(const struct store *s, struct container *c, const struct commit_request *request,
                     char *ret_id, struct err *e)
{
    struct image_layer top;
    struct documents d = DOCUMENTS_INIT;
    _cleanup_image_ struct image *i = NULL;
    _cleanup_image_history_ struct image_history h = {0};
    struct err unmended = {0};
    int hold = image_hold(s, e);
    int r = hold < 0 ? hold : image_find(s, c->plan.image_id, &i, e);
    if (r == 0)
        r = documents_open(&d, e);
    if (r == 0)
        r = image_history_read(s, i, &d, &h, e);
    if (r == 0)
        r = make_top_layer(s, c, request->pause, &top, e);
    if (r == 0)
        r = configure(i, c, &top, request, &h, e);
    if (r == 0)
        r = make_image(s, &d, i, &h, request->name, ret_id, e);
    documents_close(&d);
    close_fd(&hold);
    (void)image_mend(s, &unmended); /* a layer that got no image */
    return r;
}
