/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a spec (spec.h). */
#include "runtime/spec.h"

#include <errno.h>

void spec_process_init(struct spec_process *p)
{
    *p = (struct spec_process){.init = -1};
}

void spec_process_clear(struct spec_process *p)
{
    str_list_clear(&p->args);
    str_list_clear(&p->env);
    str_list_clear(&p->groups);
    free(p->cwd);
    free(p->user);
    free(p->apparmor);
    free(p->made_ceiling);
    free(p->own_filter);
    close_fd(&p->init);
    spec_process_init(p);
}

void spec_resources_init(struct spec_resources *r)
{
    *r = (struct spec_resources){.memory = SPEC_UNSET,
                                 .memory_swap = SPEC_UNSET,
                                 .cpu_quota_us = SPEC_UNSET,
                                 .cpu_period_us = SPEC_UNSET,
                                 .pids = SPEC_UNSET,
                                 .memory_reservation = SPEC_UNSET,
                                 .memory_swappiness = SPEC_UNSET,
                                 .cpu_shares = SPEC_UNSET,
                                 .blkio_weight = SPEC_UNSET};
}

void spec_resources_clear(struct spec_resources *r)
{
    free(r->cpuset_cpus);
    free(r->cpuset_mems);
    for (size_t i = 0; i < r->device_count; i++)
        free(r->devices[i].target);
    spec_resources_init(r);
}

void spec_init(struct spec *s)
{
    *s = (struct spec){.writable = -1, .join = -1};
    spec_process_init(&s->process);
    spec_resources_init(&s->resources);
}

void spec_clear(struct spec *s)
{
    for (size_t i = 0; i < s->layer_count; i++)
        close_fd(&s->layers[i]);
    close_fd(&s->writable);
    close_fd(&s->join);
    for (size_t i = 0; i < s->mount_count; i++) {
        free(s->mounts[i].target);
        close_fd(&s->mounts[i].source);
        close_fd(&s->mounts[i].filled);
    }
    free(s->mounts);
    for (size_t i = 0; i < s->text_count; i++) {
        free(s->texts[i].target);
        free(s->texts[i].content);
    }
    free(s->hostname);
    free(s->domainname);
    spec_resources_clear(&s->resources);
    str_list_clear(&s->sysctls);
    spec_process_clear(&s->process);
    spec_init(s);
}

bool spec_fills(const struct spec *s)
{
    for (size_t i = 0; i < s->mount_count; i++)
        if (s->mounts[i].filled >= 0)
            return true;
    return false;
}

int spec_add_text(struct spec *s, const char *target, const char *content, struct err *e)
{
    if (s->text_count == SPEC_TEXTS_MAX)
        return err_set(e, E2BIG, "more than %d files of the engine", SPEC_TEXTS_MAX);
    struct spec_text *t = &s->texts[s->text_count++]; /* a half-made one is freed with the spec */
    *t = (struct spec_text){0};
    int r = str_copy(target, &t->target, e);
    return r < 0 ? r : str_copy(content, &t->content, e);
}

struct spec_mount *spec_add_mount(struct spec *s, enum spec_mount_kind kind, const char *target,
                                  struct err *e)
{
    struct spec_mount *grown = reallocarray(s->mounts, s->mount_count + 1, sizeof(*grown));
    if (!grown) {
        err_oom(e);
        return NULL;
    }
    s->mounts = grown;
    struct spec_mount *m = &grown[s->mount_count];
    *m = (struct spec_mount){.kind = kind, .source = -1, .filled = -1};
    if (str_copy(target, &m->target, e) < 0)
        return NULL;
    s->mount_count++;
    return m;
}
