/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a container: making, growing and clearing (plan.h). Its JSON form: plan_json.c. */
#include "plan/plan.h"

#include <errno.h>
#include <stdlib.h>

#include "base/num.h"

void plan_init(struct plan *p)
{
    *p = (struct plan){
        .stop_timeout = PLAN_UNSET,
        .health_interval = PLAN_UNSET,
        .owner = PLAN_UNSET,
        .health_timeout = PLAN_UNSET,
        .health_start_period = PLAN_UNSET,
        .health_start_interval = PLAN_UNSET,
        .health_retries = PLAN_UNSET,
        .log_size = PLAN_UNSET,
        .log_files = PLAN_UNSET,
        .memory = PLAN_UNSET,
        .memory_swap = PLAN_UNSET,
        .cpus_nano = PLAN_UNSET,
        .pids = PLAN_UNSET,
        .shm_size = PLAN_UNSET,
        .disk = PLAN_UNSET,
        .disk_inodes = PLAN_UNSET,
        .memory_reservation = PLAN_UNSET,
        .memory_swappiness = PLAN_UNSET,
        .cpu_period_us = PLAN_UNSET,
        .cpu_shares = PLAN_UNSET,
        .oom_score_adj = PLAN_SCORE_UNSET,
        .blkio_weight = PLAN_UNSET,
        .read_bps = PLAN_UNSET,
        .write_bps = PLAN_UNSET,
        .read_iops = PLAN_UNSET,
        .write_iops = PLAN_UNSET,
    };
}

static void clear_strings(struct plan *p)
{
    char **const strings[] = {
        &p->name,       &p->image_reference, &p->user,        &p->working_dir,     &p->hostname,
        &p->domainname, &p->stop_signal,     &p->cpuset_cpus, &p->seccomp_profile, &p->apparmor_profile,
        &p->network,    &p->cpuset_mems,     &p->pid_mode,    &p->ipc_mode,        &p->restart,
        &p->log_driver,
    };
    for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
        free(*strings[i]);
}

static void clear_lists(struct plan *p)
{
    struct str_list *const lists[] = {
        &p->entrypoint,   &p->command,      &p->env,          &p->group_add, &p->labels,
        &p->cap_add,      &p->cap_drop,     &p->security_opt, &p->sysctls,   &p->notes,
        &p->io,           &p->devices,      &p->hosts,        &p->dns,       &p->dns_search,
        &p->health_test,  &p->health_shell, &p->dns_options,  &p->expose,    &p->annotations,
        &p->volumes_from, &p->storage_opt,  &p->log_options,
    };
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        str_list_clear(lists[i]);
}

void plan_clear_grants(struct plan *p)
{
    for (size_t i = 0; i < p->grant_count; i++) {
        free(p->grants[i].what);
        free(p->grants[i].source);
    }
    free(p->grants);
    p->grants = NULL;
    p->grant_count = 0;
}

void plan_clear(struct plan *p)
{
    clear_strings(p);
    clear_lists(p);
    for (size_t i = 0; i < p->mount_count; i++) {
        free(p->mounts[i].source);
        free(p->mounts[i].target);
        free(p->mounts[i].subpath);
        str_list_clear(&p->mounts[i].volume_options);
        str_list_clear(&p->mounts[i].volume_labels);
    }
    plan_clear_grants(p);
    free(p->mounts);
    plan_init(p);
}

struct plan_mount *plan_add_mount(struct plan *p, enum plan_mount_type type, struct err *e)
{
    if (p->mount_count == PLAN_MOUNTS_MAX) {
        err_set(e, E2BIG, "more than %d mounts", PLAN_MOUNTS_MAX);
        return NULL;
    }
    struct plan_mount *grown = reallocarray(p->mounts, p->mount_count + 1, sizeof(*grown));
    if (!grown) {
        err_oom(e);
        return NULL;
    }
    p->mounts = grown;
    struct plan_mount *m = &p->mounts[p->mount_count++];
    *m = (struct plan_mount){.type = type, .size = PLAN_UNSET};
    return m;
}

int plan_add_grant(struct plan *p, int practice, const char *what, const char *source, struct err *e)
{
    _cleanup_free_ char *what_copy = NULL;
    _cleanup_free_ char *source_copy = NULL;
    int r = str_copy(what, &what_copy, e);
    if (r == 0)
        r = str_copy(source, &source_copy, e);
    if (r < 0)
        return r;
    struct plan_grant *grown = reallocarray(p->grants, p->grant_count + 1, sizeof(*grown));
    if (!grown)
        return err_oom(e);
    p->grants = grown;
    p->grants[p->grant_count++] =
        (struct plan_grant){practice, steal_ptr(what_copy), steal_ptr(source_copy), 0};
    return 0;
}

bool plan_user_numbers(const struct plan *p, uint32_t *ret_uid, uint32_t *ret_gid)
{
    char text[32];
    struct err ignored = {0};
    uint64_t uid = 0, gid = 0;
    if (!p->user || str_put(text, sizeof(text), p->user, &ignored) < 0)
        return false;
    char *group = strchr(text, ':');
    if (group)
        *group++ = '\0';
    if (num_parse_u64(text, UINT32_MAX - 1, &uid, &ignored) < 0)
        return false;
    *ret_uid = (uint32_t)uid;
    *ret_gid = (uint32_t)-1;
    if (group && num_parse_u64(group, UINT32_MAX - 1, &gid, &ignored) == 0)
        *ret_gid = (uint32_t)gid;
    return true;
}
