/* SPDX-License-Identifier: Apache-2.0 */
/* Image under plan (merge.h). The record was validated when the image came in. */
#include "engine/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int merge_command(struct plan *p, const struct image *image, struct err *e)
{
    int r = 0;
    bool image_entrypoint = p->entrypoint.count == 0 && !p->entrypoint_given;
    if (image_entrypoint)
        r = str_list_copy(&image->entrypoint, &p->entrypoint, e);
    /* A new entrypoint does not get the old one's arguments. */
    if (r == 0 && p->command.count == 0 && image_entrypoint)
        r = str_list_copy(&image->cmd, &p->command, e);
    if (r == 0 && p->command.count == 0 && p->entrypoint.count == 0)
        r = err_set(e, EINVAL, "no command specified: the image has none, so name one behind the image");
    return r;
}

/* A name without a value takes the variable away. */
static int set_variable(struct str_list *env, const char *entry, struct err *e)
{
    size_t n = strlen(entry), kept = 0;
    if (strchr(entry, '='))
        return str_list_set_env(env, entry, e);
    for (size_t i = 0; i < env->count; i++) {
        if (strncmp(env->items[i], entry, n) == 0 && env->items[i][n] == '=')
            free(env->items[i]);
        else
            env->items[kept++] = env->items[i];
    }
    if (env->items)
        env->items[kept] = NULL;
    env->count = kept;
    return 0;
}

/* Default path, then the image's variables, then the user's. */
static int merge_environment(struct plan *p, const struct image *image, struct err *e)
{
    _cleanup_str_list_ struct str_list env = {0};
    int r = str_list_add(&env, PATH_DEFAULT, e);
    for (size_t i = 0; i < image->env.count && r == 0; i++)
        r = str_list_set_env(&env, image->env.items[i], e);
    for (size_t i = 0; i < p->env.count && r == 0; i++)
        r = set_variable(&env, p->env.items[i], e);
    if (r < 0)
        return r;
    str_list_clear(&p->env);
    p->env = env;
    env = (struct str_list){0};
    return 0;
}

static int merge_labels(struct plan *p, const struct image *image, struct err *e)
{
    _cleanup_str_list_ struct str_list labels = {0};
    int r = str_list_copy(&image->labels, &labels, e);
    for (size_t i = 0; i < p->labels.count && r == 0; i++)
        r = str_list_set_env(&labels, p->labels.items[i], e);
    if (r < 0)
        return r;
    str_list_clear(&p->labels);
    p->labels = labels;
    labels = (struct str_list){0};
    return 0;
}

static bool has_target(const struct plan *p, const char *target)
{
    for (size_t i = 0; i < p->mount_count; i++)
        if (str_equal(p->mounts[i].target, target))
            return true;
    return false;
}

static int merge_volumes(struct plan *p, const struct image *image, struct err *e)
{
    for (size_t i = 0; i < image->volumes.count; i++) {
        if (has_target(p, image->volumes.items[i]))
            continue;
        struct plan_mount *m = plan_add_mount(p, PLAN_MOUNT_VOLUME, e);
        int r = m ? str_copy(image->volumes.items[i], &m->target, e) : -e->code;
        if (r < 0)
            return r;
    }
    return 0;
}

/* A number that neither has given is the engine's default (health.h). */
static void merge_number(uint64_t *value, uint64_t of_image)
{
    if (*value == PLAN_UNSET || *value == 0)
        *value = of_image ? of_image : PLAN_UNSET;
}

/* As Docker: a command of the user's own keeps the image's times where none are given. */
static int merge_health(struct plan *p, const struct image *image, struct err *e)
{
    const struct image_healthcheck *h = &image->healthcheck;
    int r = 0;
    if (p->health_test.count == 0)
        r = str_list_copy(&h->test, &p->health_test, e);
    if (r == 0)
        r = str_list_copy(&image->shell, &p->health_shell, e);
    merge_number(&p->health_interval, h->interval);
    merge_number(&p->health_timeout, h->timeout);
    merge_number(&p->health_start_period, h->start_period);
    merge_number(&p->health_start_interval, h->start_interval);
    merge_number(&p->health_retries, h->retries);
    return r;
}

int merge_image(struct plan *p, const struct image *image, struct err *e)
{
    int r = merge_command(p, image, e);
    if (r == 0)
        r = merge_environment(p, image, e);
    if (r == 0)
        r = merge_labels(p, image, e);
    if (r == 0)
        r = merge_volumes(p, image, e);
    if (r == 0)
        r = merge_health(p, image, e);
    if (r == 0 && !p->user)
        r = str_copy(image->user ? image->user : "", &p->user, e);
    if (r == 0 && !p->working_dir)
        r = str_copy(str_set(image->working_dir) ? image->working_dir : "/", &p->working_dir, e);
    if (r == 0 && !p->stop_signal && image->stop_signal)
        r = str_copy(image->stop_signal, &p->stop_signal, e);
    return r;
}
