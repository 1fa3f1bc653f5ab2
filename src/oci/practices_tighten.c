/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the practices tighten of a bundle (practices_judge.h), in its document: what is read again from that, kept beside the container and
 * used by each `exec` is one and the same.
 */
#include <errno.h>
#include <linux/sched.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "oci/practices_judge.h"

/* The object below `key`, made when it is missing. NULL when out of memory. */
static struct json_object *member(struct json_object *o, const char *key)
{
    struct json_object *m = o ? json_object_object_get(o, key) : NULL;
    if (m || !o)
        return m;
    m = json_object_new_object();
    if (m && json_object_object_add(o, key, m) < 0) {
        json_object_put(m);
        return NULL;
    }
    return m;
}

static int put(struct json_object *o, const char *key, struct json_object *value, struct err *e)
{
    if (o && value && json_object_object_add(o, key, value) == 0)
        return 0;
    json_object_put(value);
    return err_oom(e);
}

int judge_privileges(struct judge *j, struct err *e)
{
    if (!j->c->process.set || j->c->process.no_new_privileges ||
        !judge_tightens(j, 11, "new-privileges", "true", "set-id programs may gain privileges"))
        return 0;
    return put(json_object_object_get(j->c->document, "process"), "noNewPrivileges",
               json_object_new_boolean(true), e);
}

/* Those of the standard list that are missing in `have`: a list of the document, made when it is missing. */
static int add_paths(struct json_object *linux_part, const char *key, const struct schema_list *have,
                     const char *const *wanted, struct err *e)
{
    struct json_object *list = json_object_object_get(linux_part, key);
    if (!list && put(linux_part, key, list = json_object_new_array(), e) < 0)
        return -ENOMEM;
    for (size_t i = 0; wanted[i]; i++) {
        bool there = false;
        for (size_t k = 0; k < have->count; k++)
            there = there || str_equal(*OCI_ITEM(have, char *, k), wanted[i]);
        if (!there && json_object_array_add(list, json_object_new_string(wanted[i])) < 0)
            return err_oom(e);
    }
    return 0;
}

static bool lacks(const struct schema_list *have, const char *const *wanted)
{
    for (size_t i = 0; wanted[i]; i++) {
        bool there = false;
        for (size_t k = 0; k < have->count; k++)
            there = there || str_equal(*OCI_ITEM(have, char *, k), wanted[i]);
        if (!there)
            return true;
    }
    return false;
}

int judge_paths(struct judge *j, struct err *e)
{
    static const char *const masked[] = {"/proc/acpi",          "/proc/kcore",      "/proc/keys",
                                         "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug",
                                         "/proc/scsi",          "/sys/firmware",    NULL};
    static const char *const read_only[] = {"/proc/bus",           "/proc/fs", "/proc/irq", "/proc/sys",
                                            "/proc/sysrq-trigger", NULL};
    const struct oci_linux *l = &j->c->linux_part;
    if (!oci_config_namespace(j->c, CLONE_NEWNS) ||
        (!lacks(&l->masked_paths, masked) && !lacks(&l->readonly_paths, read_only)))
        return 0;
    if (!judge_tightens(j, 5, "paths", "unmasked",
                        "files of /proc and /sys that tell of the host or act on it are open"))
        return 0;
    struct json_object *linux_part = member(j->c->document, "linux");
    if (!linux_part)
        return err_oom(e);
    int r = add_paths(linux_part, "maskedPaths", &l->masked_paths, masked, e);
    return r == 0 ? add_paths(linux_part, "readonlyPaths", &l->readonly_paths, read_only, e) : r;
}

static bool is_limited(const struct schema_number *n)
{
    return n->set && n->value > 0;
}

/* An ordinary user's groups may have no such controller. */
int judge_limits(struct judge *j, struct err *e)
{
    const struct oci_resources *res = &j->c->linux_part.resources;
    const struct policy *p = j->policy;
    int r = 0;
    if (geteuid() != 0)
        return 0;
    if (!is_limited(&res->pids.limit) &&
        judge_tightens(j, 4, "limits", "pids", "it may have any number of processes"))
        r = put(member(member(member(j->c->document, "linux"), "resources"), "pids"), "limit",
                json_object_new_int64((int64_t)p->pids), e);
    if (r < 0 || is_limited(&res->memory.limit) ||
        !judge_tightens(j, 4, "limits", "memory", "it may use all memory of the machine"))
        return r;
    uint64_t memory = policy_share_of(&p->memory, p->machine.memory);
    memory = memory < p->memory_min ? p->memory_min : memory;
    return put(member(member(member(j->c->document, "linux"), "resources"), "memory"), "limit",
               json_object_new_int64((int64_t)memory), e);
}

int judge_filter(struct judge *j, struct err *e)
{
    if (j->c->linux_part.seccomp_json || oci_wants_own_filter(j->c) ||
        !judge_tightens(j, 7, "seccomp", "unconfined", "every system call is open to it"))
        return 0;
    return put(member(j->c->document, "annotations"), OCI_ANNOTATION_SECCOMP,
               json_object_new_string(OCI_SECCOMP_DEFAULT), e);
}

int judge_read_only(struct judge *j, struct err *e)
{
    if (!j->policy->read_only || j->c->root.readonly ||
        !judge_tightens(j, 13, "paths", "writable-root", "its root file system can be written to"))
        return 0;
    return put(member(j->c->document, "root"), "readonly", json_object_new_boolean(true), e);
}

int judge_drop_capability(struct judge *j, const char *name, struct err *e)
{
    (void)e;
    struct json_object *sets =
        json_object_object_get(json_object_object_get(j->c->document, "process"), "capabilities");
    if (!sets)
        return 0;
    json_object_object_foreach(sets, key, list)
    {
        (void)key;
        for (size_t i = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
             i-- > 0;) {
            const char *has = json_object_get_string(json_object_array_get_idx(list, i));
            if (has && str_equal(has, name))
                (void)json_object_array_del_idx(list, i, 1);
        }
    }
    return 0;
}
