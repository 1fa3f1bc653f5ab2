/* SPDX-License-Identifier: Apache-2.0 */
/* A container as Docker's API describes it (inspect.h). */
#include "cli/inspect.h"

#include <stdio.h>

#include "base/digest.h"
#include "base/dirs.h"
#include "base/json.h"
#include "base/shimproto.h"
#include "cli/denials_tell.h"
#include "cli/inspect_docker.h"
#include "cli/inspect_health.h"
#include "cli/inspect_json.h"
#include "cli/inspect_resources.h"
#include "engine/audit_record.h"
#include "engine/health.h"
#include "engine/volume.h"
#include "plan/secret_text.h"

#define DRIVER "overlay"
#define STOP_TIMEOUT_DEFAULT 10

/* PLAN_UNSET and PLAN_UNLIMITED in Docker's numbers. */
static int64_t limit_number(uint64_t value, int64_t unlimited)
{
    return value == PLAN_UNSET ? 0 : value == PLAN_UNLIMITED ? unlimited : (int64_t)value;
}

static void add_state(struct members *top, const struct container *c)
{
    bool running = c->status == CONTAINER_RUNNING;
    bool restarting = c->status == CONTAINER_RESTARTING; /* Docker counts it as running */
    struct members m = members_object(top, "State");
    members_text(&m, "Status", container_state_name(c));
    members_bool(&m, "Running", running || restarting);
    members_bool(&m, "Paused", c->paused);
    members_bool(&m, "Restarting", restarting);
    members_bool(&m, "OOMKilled", c->oom_killed);
    members_bool(&m, "Dead", c->status == CONTAINER_DEAD);
    members_number(&m, "Pid", running ? c->start.pid : 0);
    members_number(&m, "ExitCode", c->exit_code);
    members_text(&m, "Error", c->error);
    members_time(&m, "StartedAt", c->start.time);
    members_time(&m, "FinishedAt", c->finished);
    denials_inspect(&m, c);
    if (health_wanted(&c->plan))
        inspect_health(&m, c);
    members_join(top, &m);
}

/* Who has not made the container sees no secrets of it (practice 12). One that does not say who made it is everybody's. */
static bool is_owner(const struct plan *p)
{
    return p->owner == PLAN_UNSET || p->owner == audit_user_self();
}

static void add_words(struct members *m, const char *key, const struct plan *p, const struct str_list *words,
                      bool null_when_empty)
{
    struct err e = {0};
    _cleanup_str_list_ struct str_list hidden = {0};
    if (!is_owner(p))
        m->failed = m->failed || secret_hide_words(words, &hidden, &e) < 0;
    members_list(m, key, is_owner(p) ? words : &hidden, null_when_empty);
}

static void add_environment(struct members *m, const struct plan *p)
{
    struct err e = {0};
    _cleanup_str_list_ struct str_list hidden = {0};
    if (!is_owner(p))
        m->failed = m->failed || secret_hide_entries(&p->env, false, &hidden, &e) < 0;
    members_list(m, "Env", is_owner(p) ? &p->env : &hidden, false);
}

static void add_config(struct members *top, const struct plan *p, const char *id)
{
    char hostname[ID_SHORT_LENGTH + 1];
    (void)snprintf(hostname, sizeof(hostname), "%.*s", ID_SHORT_LENGTH, id);
    struct members m = members_object(top, "Config");
    members_text(&m, "Hostname", p->hostname ? p->hostname : hostname);
    members_text(&m, "Domainname", p->domainname);
    members_text(&m, "User", p->user);
    members_bool(&m, "AttachStdin", p->open_stdin);
    members_bool(&m, "AttachStdout", true);
    members_bool(&m, "AttachStderr", true);
    members_bool(&m, "Tty", p->tty);
    members_bool(&m, "OpenStdin", p->open_stdin);
    members_bool(&m, "StdinOnce", p->open_stdin);
    add_environment(&m, p);
    add_words(&m, "Cmd", p, &p->command, true);
    members_text(&m, "Image", p->image_reference);
    members_null_map(&m, "Volumes");
    members_text(&m, "WorkingDir", p->working_dir);
    add_words(&m, "Entrypoint", p, &p->entrypoint, true);
    members_map(&m, "Labels", &p->labels);
    inspect_add_ports(&m, p);
    inspect_health_config(&m, p);
    members_text(&m, "StopSignal", p->stop_signal ? p->stop_signal : "SIGTERM");
    members_number(&m, "StopTimeout",
                   p->stop_timeout == PLAN_UNSET ? STOP_TIMEOUT_DEFAULT : (int64_t)p->stop_timeout);
    members_join(top, &m);
}

static void add_ulimits(struct members *host, const struct plan *p)
{
    struct members array = members_array(host, "Ulimits");
    for (size_t i = 0; i < p->ulimit_count; i++) {
        struct members m = members_item(&array);
        members_text(&m, "Name", p->ulimits[i].name);
        members_number(&m, "Hard", limit_number(p->ulimits[i].hard, -1));
        members_number(&m, "Soft", limit_number(p->ulimits[i].soft, -1));
        members_join(&array, &m);
    }
    members_join(host, &array);
}

static void add_binds(struct members *host, const struct plan *p)
{
    struct err e = {0};
    _cleanup_str_list_ struct str_list binds = {0};
    _cleanup_str_list_ struct str_list tmpfs = {0};
    for (size_t i = 0; i < p->mount_count; i++) {
        const struct plan_mount *m = &p->mounts[i];
        int r;
        if (m->type == PLAN_MOUNT_TMPFS)
            r = str_list_addf(&tmpfs, &e, "%s=%s", m->target, m->read_only ? "ro" : "");
        else
            r = str_list_addf(&binds, &e, "%s:%s%s", m->source ? m->source : "", m->target,
                              m->read_only ? ":ro" : "");
        host->failed = host->failed || r < 0;
    }
    members_list(host, "Binds", &binds, true);
    members_map(host, "Tmpfs", &tmpfs);
}

static void add_log_config(struct members *top, const struct plan *p)
{
    struct members m = members_object(top, "LogConfig");
    members_text(&m, "Type", p->log_driver ? p->log_driver : "json-file");
    members_map(&m, "Config", &p->log_options);
    members_join(top, &m);
}

static void add_host_config(struct members *top, const struct container *c)
{
    const struct plan *p = &c->plan;
    struct members m = members_object(top, "HostConfig");
    add_binds(&m, p);
    members_text(&m, "NetworkMode", p->network ? p->network : "none");
    struct members restart = members_object(&m, "RestartPolicy");
    members_text(&restart, "Name", restart_kind_name(c->live.restart.kind));
    members_number(&restart, "MaximumRetryCount", (int64_t)c->live.restart.max);
    members_join(&m, &restart);
    members_bool(&m, "AutoRemove", p->auto_remove);
    add_log_config(&m, p);
    members_list(&m, "CapAdd", &p->cap_add, true);
    members_list(&m, "CapDrop", &p->cap_drop, true);
    members_text(&m, "CgroupnsMode", "private");
    members_list(&m, "GroupAdd", &p->group_add, true);
    members_text(&m, "IpcMode", p->ipc_mode ? p->ipc_mode : "private");
    members_text(&m, "PidMode", p->pid_mode);
    members_bool(&m, "Privileged", false);
    members_bool(&m, "ReadonlyRootfs", p->read_only);
    members_list(&m, "SecurityOpt", &p->security_opt, true);
    members_number(&m, "ShmSize", limit_number(p->shm_size, 0));
    if (p->storage_opt.count > 0)
        members_map(&m, "StorageOpt", &p->storage_opt);
    else
        members_null(&m, "StorageOpt");
    members_map(&m, "Sysctls", &p->sysctls);
    members_text(&m, "Runtime", "casemate");
    members_number(&m, "Memory", limit_number(p->memory, 0));
    members_number(&m, "MemorySwap", limit_number(p->memory_swap, -1));
    members_number(&m, "NanoCpus", limit_number(p->cpus_nano, 0));
    members_text(&m, "CpusetCpus", p->cpuset_cpus);
    members_text(&m, "CpusetMems", p->cpuset_mems);
    members_number(&m, "PidsLimit", limit_number(p->pids, -1));
    inspect_add_resources(&m, p);
    members_bool(&m, "Init", p->init);
    add_ulimits(&m, p);
    inspect_add_masks(&m);
    inspect_add_unused(&m, p);
    members_join(top, &m);
}

static void add_volume_source(struct members *m, const struct plan_mount *mount)
{
    struct err e = {0};
    _cleanup_free_ char *path = NULL;
    if (str_format(&path, &e, "%s/volumes/%s/data", dirs_data_root(), mount->source ? mount->source : "") < 0)
        m->failed = true;
    members_text(m, "Name", mount->source);
    members_text(m, "Source", path);
    members_text(m, "Driver", "local");
}

static void add_mounts(struct members *top, const struct plan *p)
{
    static const char *const types[] = {
        [PLAN_MOUNT_BIND] = "bind", [PLAN_MOUNT_VOLUME] = "volume", [PLAN_MOUNT_TMPFS] = "tmpfs"};
    struct members array = members_array(top, "Mounts");
    for (size_t i = 0; i < p->mount_count; i++) {
        const struct plan_mount *mount = &p->mounts[i];
        struct members m = members_item(&array);
        members_text(&m, "Type", types[mount->type]);
        if (mount->type == PLAN_MOUNT_VOLUME)
            add_volume_source(&m, mount);
        else
            members_text(&m, "Source", mount->source);
        members_text(&m, "Destination", mount->target);
        members_text(&m, "Mode", mount->noexec ? "noexec" : "");
        members_bool(&m, "RW", !mount->read_only);
        members_text(&m, "Propagation", mount->type == PLAN_MOUNT_BIND ? "rprivate" : "");
        members_join(&array, &m);
    }
    members_join(top, &array);
}

/* The container's own network namespace with loopback and nothing else. */
static void add_network(struct members *top)
{
    struct members m = members_object(top, "NetworkSettings");
    struct members ports = members_new_map(&m, "Ports");
    struct members networks = members_new_map(&m, "Networks");
    struct members none = members_object(&networks, "none");
    members_text(&none, "IPAddress", "");
    members_text(&none, "MacAddress", "");
    members_text(&none, "Gateway", "");
    members_join(&networks, &none);
    members_join(&m, &networks);
    members_join(&m, &ports);
    members_text(&m, "IPAddress", "");
    members_join(top, &m);
}

static void add_casemate(struct members *top, const struct plan *p)
{
    struct members m = members_object(top, "Casemate");
    members_text(&m, "Profile", plan_profile_name(p->profile));
    if (p->seccomp_profile) {
        char text[DIGEST_TEXT_LENGTH + 1];
        struct digest digest;
        digest_of(p->seccomp_profile, strlen(p->seccomp_profile), &digest);
        digest_format(&digest, text);
        members_text(&m, "SeccompProfile", text);
    }
    struct members grants = members_array(&m, "Grants");
    for (size_t i = 0; i < p->grant_count; i++) {
        struct members grant = members_item(&grants);
        members_number(&grant, "Practice", p->grants[i].practice);
        members_text(&grant, "What", p->grants[i].what);
        members_text(&grant, "Source", p->grants[i].source);
        members_join(&grants, &grant);
    }
    members_join(&m, &grants);
    members_list(&m, "Notes", &p->notes, false);
    members_join(top, &m);
}

/* What runs first, in front of its arguments. */
static void add_path(struct members *top, const struct plan *p)
{
    struct err e = {0};
    _cleanup_str_list_ struct str_list words = {0};
    const struct str_list *lists[] = {&p->entrypoint, &p->command};
    const char *path = NULL;
    for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            if (!path)
                path = lists[l]->items[i];
            else if (str_list_add(&words, lists[l]->items[i], &e) < 0)
                top->failed = true;
        }
    }
    members_text(top, "Path", path);
    add_words(top, "Args", p, &words, false);
}

static void add_files(struct members *top, const struct container *c)
{
    struct err e = {0};
    _cleanup_free_ char *log = NULL;
    _cleanup_free_ char *name = NULL;
    _cleanup_free_ char *image = NULL;
    if (str_format(&log, &e, "%s/containers/%s/shim/" SHIM_LOG_DIR "/" SHIM_LOG_FILE, dirs_data_root(),
                   c->id) < 0 ||
        str_format(&name, &e, "/%s", c->plan.name) < 0 ||
        str_format(&image, &e, "sha256:%s", c->plan.image_id) < 0)
        top->failed = true;
    members_text(top, "Image", image);
    members_text(top, "LogPath", log);
    members_text(top, "Name", name);
    members_number(top, "RestartCount", (int64_t)c->live.restart_count);
    members_text(top, "Driver", DRIVER);
    members_text(top, "Platform", "linux");
    members_text(top, "AppArmorProfile", c->plan.apparmor_profile);
}

int inspect_container(const struct container *c, struct json_object **ret_json, struct err *e)
{
    _cleanup_json_ struct json_object *json = json_object_new_object();
    if (!json)
        return err_oom(e);
    struct members m = {.object = json};
    members_text(&m, "Id", c->id);
    members_time(&m, "Created", c->plan.created);
    add_path(&m, &c->plan);
    add_state(&m, c);
    add_files(&m, c);
    add_host_config(&m, c);
    add_mounts(&m, &c->plan);
    add_config(&m, &c->plan, c->id);
    add_network(&m);
    add_casemate(&m, &c->plan);
    if (m.failed)
        return err_oom(e);
    *ret_json = steal_ptr(json);
    return 0;
}
