/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.json: written and read by the same table. The file is ours (0700 directories of root), yet reading is strict: it may
 * come from another version, or from a disk that has lost something. What is unset is left out.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/path.h"
#include "plan/plan.h"

#define LIST_MAX 65536U
#define TMPFS_MODE_MAX 07777U

enum field_kind {
    FIELD_TEXT, /* char *, NULL left out */
    FIELD_ID,   /* char[ID_LENGTH + 1], "" left out */
    FIELD_LIST, /* struct str_list, empty left out */
    FIELD_BOOL, /* false left out */
    FIELD_U64,  /* PLAN_UNSET left out */
    FIELD_U32,  /* 0 left out */
    FIELD_I64,
    FIELD_SCORE, /* int64_t, PLAN_SCORE_UNSET left out */
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
};

#define PLAN(member, kind)                           \
    {                                                \
#member, kind, offsetof(struct plan, member) \
    }
#define MOUNT(member, kind)                                \
    {                                                      \
#member, kind, offsetof(struct plan_mount, member) \
    }
#define GRANT(member, kind)                                \
    {                                                      \
#member, kind, offsetof(struct plan_grant, member) \
    }
#define ULIMIT(member, kind)                                \
    {                                                       \
#member, kind, offsetof(struct plan_ulimit, member) \
    }

static const struct field plan_fields[] = {
    PLAN(id, FIELD_ID),
    PLAN(name, FIELD_TEXT),
    PLAN(image_reference, FIELD_TEXT),
    PLAN(image_id, FIELD_ID),
    PLAN(created, FIELD_I64),
    PLAN(owner, FIELD_U64),
    PLAN(entrypoint, FIELD_LIST),
    PLAN(entrypoint_given, FIELD_BOOL),
    PLAN(command, FIELD_LIST),
    PLAN(env, FIELD_LIST),
    PLAN(user, FIELD_TEXT),
    PLAN(group_add, FIELD_LIST),
    PLAN(working_dir, FIELD_TEXT),
    PLAN(hostname, FIELD_TEXT),
    PLAN(domainname, FIELD_TEXT),
    PLAN(tty, FIELD_BOOL),
    PLAN(open_stdin, FIELD_BOOL),
    PLAN(init, FIELD_BOOL),
    PLAN(auto_remove, FIELD_BOOL),
    PLAN(stop_signal, FIELD_TEXT),
    PLAN(stop_timeout, FIELD_U64),
    PLAN(labels, FIELD_LIST),
    PLAN(restart, FIELD_TEXT),
    PLAN(health_test, FIELD_LIST),
    PLAN(health_shell, FIELD_LIST),
    PLAN(health_interval, FIELD_U64),
    PLAN(health_timeout, FIELD_U64),
    PLAN(health_start_period, FIELD_U64),
    PLAN(health_start_interval, FIELD_U64),
    PLAN(health_retries, FIELD_U64),
    PLAN(read_only, FIELD_BOOL),
    PLAN(volumes_from, FIELD_LIST),
    PLAN(shm_size, FIELD_U64),
    PLAN(storage_opt, FIELD_LIST),
    PLAN(disk, FIELD_U64),
    PLAN(disk_inodes, FIELD_U64),
    PLAN(memory_swappiness, FIELD_U64),
    PLAN(oom_score_adj, FIELD_SCORE),
    PLAN(read_bps, FIELD_U64),
    PLAN(write_bps, FIELD_U64),
    PLAN(read_iops, FIELD_U64),
    PLAN(write_iops, FIELD_U64),
    PLAN(io, FIELD_LIST),
    PLAN(log_driver, FIELD_TEXT),
    PLAN(log_options, FIELD_LIST),
    PLAN(log_size, FIELD_U64),
    PLAN(log_files, FIELD_U64),
    PLAN(log_forget, FIELD_BOOL),
    PLAN(cap_add, FIELD_LIST),
    PLAN(cap_drop, FIELD_LIST),
    PLAN(capabilities, FIELD_U64),
    PLAN(security_opt, FIELD_LIST),
    PLAN(seccomp_profile, FIELD_TEXT),
    PLAN(apparmor_profile, FIELD_TEXT),
    PLAN(sysctls, FIELD_LIST),
    PLAN(network, FIELD_TEXT),
    PLAN(devices, FIELD_LIST),
    PLAN(pid_mode, FIELD_TEXT),
    PLAN(ipc_mode, FIELD_TEXT),
    PLAN(hosts, FIELD_LIST),
    PLAN(dns, FIELD_LIST),
    PLAN(dns_search, FIELD_LIST),
    PLAN(dns_options, FIELD_LIST),
    PLAN(expose, FIELD_LIST),
    PLAN(annotations, FIELD_LIST),
    PLAN(notes, FIELD_LIST),
};
/* What `update` can change. */
static const struct field limit_fields[] = {
    PLAN(memory, FIELD_U64),        PLAN(memory_swap, FIELD_U64), PLAN(cpus_nano, FIELD_U64),
    PLAN(cpuset_cpus, FIELD_TEXT),  PLAN(pids, FIELD_U64),        PLAN(memory_reservation, FIELD_U64),
    PLAN(cpu_period_us, FIELD_U64), PLAN(cpu_shares, FIELD_U64),  PLAN(cpuset_mems, FIELD_TEXT),
    PLAN(blkio_weight, FIELD_U64),
};
/* Of limits that were changed: an object of its own. Documents without it leave what the plan has. */
#define DISK "disk"
static const struct field disk_fields[] = {
    {"size", FIELD_U64, offsetof(struct plan, disk)},
    {"inodes", FIELD_U64, offsetof(struct plan, disk_inodes)},
    {"options", FIELD_LIST, offsetof(struct plan, storage_opt)},
};
static const struct field mount_fields[] = {
    MOUNT(source, FIELD_TEXT),
    MOUNT(target, FIELD_TEXT),
    MOUNT(read_only, FIELD_BOOL),
    MOUNT(noexec, FIELD_BOOL),
    MOUNT(exec, FIELD_BOOL),
    MOUNT(no_copy, FIELD_BOOL),
    MOUNT(anonymous, FIELD_BOOL),
    MOUNT(make_source, FIELD_BOOL),
    MOUNT(size, FIELD_U64),
    MOUNT(mode, FIELD_U32),
    MOUNT(uid, FIELD_U32),
    MOUNT(gid, FIELD_U32),
    MOUNT(subpath, FIELD_TEXT),
    MOUNT(volume_options, FIELD_LIST),
    MOUNT(volume_labels, FIELD_LIST),
    MOUNT(relabel, FIELD_BOOL),
};
static const struct field grant_fields[] = {GRANT(what, FIELD_TEXT), GRANT(source, FIELD_TEXT),
                                            GRANT(record, FIELD_U64)};
static const struct field ulimit_fields[] = {ULIMIT(soft, FIELD_U64), ULIMIT(hard, FIELD_U64)};

static const char *const profile_names[] = {
    [PLAN_STANDARD] = "standard", [PLAN_STRICT] = "strict", [PLAN_COMPAT] = "compat"};
static const char *const mount_names[] = {
    [PLAN_MOUNT_BIND] = "bind", [PLAN_MOUNT_VOLUME] = "volume", [PLAN_MOUNT_TMPFS] = "tmpfs"};

/* Texts that are not UTF-8 would be refused when they are read back. */
static int check_text(const char *key, const char *text, struct err *e)
{
    return !text || str_is_utf8(text) ? 0 : err_set(e, EILSEQ, "'%s' is not UTF-8: %s", key, text);
}

static int write_list(struct json_object *o, const char *key, const struct str_list *list, struct err *e)
{
    for (size_t i = 0; i < list->count; i++) {
        int r = check_text(key, list->items[i], e);
        if (r < 0)
            return r;
    }
    return json_add_strings(o, key, list, e);
}

static int write_text(struct json_object *o, const char *key, const char *text, struct err *e)
{
    int r = check_text(key, text, e);
    return r < 0 ? r : json_add_string(o, key, text, e);
}

static int write_field(struct json_object *o, const struct field *f, const void *base, struct err *e)
{
    const void *at = (const char *)base + f->offset;
    switch (f->kind) {
    case FIELD_TEXT:
        return write_text(o, f->key, *(char *const *)at, e);
    case FIELD_ID:
        return *(const char *)at ? json_add_string(o, f->key, at, e) : 0;
    case FIELD_LIST:
        return write_list(o, f->key, at, e);
    case FIELD_BOOL:
        return *(const bool *)at ? json_add_bool(o, f->key, true, e) : 0;
    case FIELD_U64:
        return *(const uint64_t *)at == PLAN_UNSET ? 0 : json_add_u64(o, f->key, *(const uint64_t *)at, e);
    case FIELD_U32:
        return *(const uint32_t *)at ? json_add_u64(o, f->key, *(const uint32_t *)at, e) : 0;
    case FIELD_SCORE:
        if (*(const int64_t *)at == PLAN_SCORE_UNSET)
            return 0;
        return json_add_object(o, f->key, json_object_new_int64(*(const int64_t *)at), e);
    case FIELD_I64:
        return json_add_object(o, f->key, json_object_new_int64(*(const int64_t *)at), e);
    }
    return err_set(e, EINVAL, "field '%s' has no known kind", f->key);
}

static int read_text(struct json_object *o, const struct field *f, char **target, struct err *e)
{
    const char *text = NULL;
    int r = json_get_string(o, f->key, &text, e);
    return r > 0 ? str_replace(target, text, e) : r;
}

static int read_id(struct json_object *o, const struct field *f, char *target, struct err *e)
{
    const char *text = NULL;
    int r = json_get_string(o, f->key, &text, e);
    if (r <= 0)
        return r;
    return id_valid(text) ? str_put(target, ID_LENGTH + 1, text, e)
                          : err_set(e, EINVAL, "'%s' is not an id", f->key);
}

static int read_u32(struct json_object *o, const struct field *f, uint32_t *target, struct err *e)
{
    uint64_t value = 0;
    int r = json_get_u64(o, f->key, &value, e);
    if (r <= 0)
        return r;
    if (value > UINT32_MAX)
        return err_set(e, ERANGE, "'%s' is out of range", f->key);
    *target = (uint32_t)value;
    return 0;
}

static int read_field(struct json_object *o, const struct field *f, void *base, struct err *e)
{
    void *at = (char *)base + f->offset;
    switch (f->kind) {
    case FIELD_TEXT:
        return read_text(o, f, at, e);
    case FIELD_ID:
        return read_id(o, f, at, e);
    case FIELD_LIST:
        return json_get_strings(o, f->key, LIST_MAX, at, e);
    case FIELD_BOOL:
        return json_get_bool(o, f->key, at, e);
    case FIELD_U64:
        return json_get_u64(o, f->key, at, e);
    case FIELD_U32:
        return read_u32(o, f, at, e);
    case FIELD_SCORE:
    case FIELD_I64:
        return json_get_i64(o, f->key, at, e);
    }
    return err_set(e, EINVAL, "field '%s' has no known kind", f->key);
}

static int write_fields(struct json_object *o, const struct field *fields, size_t count, const void *base,
                        struct err *e)
{
    for (size_t i = 0; i < count; i++) {
        int r = write_field(o, &fields[i], base, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_fields(struct json_object *o, const struct field *fields, size_t count, void *base,
                       struct err *e)
{
    for (size_t i = 0; i < count; i++) {
        int r = read_field(o, &fields[i], base, e);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A new object at the end of the array. */
static struct json_object *append_object(struct json_object *array, struct err *e)
{
    struct json_object *o = json_object_new_object();
    if (o && json_object_array_add(array, o) == 0)
        return o;
    json_object_put(o);
    err_oom(e);
    return NULL;
}

/* A new array that is a member of o. */
static struct json_object *add_array(struct json_object *o, const char *key, struct err *e)
{
    struct json_object *array = json_object_new_array();
    if (!array) {
        err_oom(e);
        return NULL;
    }
    return json_add_object(o, key, array, e) < 0 ? NULL : array;
}

static int write_mounts(const struct plan *p, struct json_object *json, struct err *e)
{
    struct json_object *array = add_array(json, "mounts", e);
    for (size_t i = 0; array && i < p->mount_count; i++) {
        struct json_object *o = append_object(array, e);
        if (!o || json_add_string(o, "type", mount_names[p->mounts[i].type], e) < 0 ||
            write_fields(o, mount_fields, ARRAY_SIZE(mount_fields), &p->mounts[i], e) < 0)
            return -e->code;
    }
    return array ? 0 : -e->code;
}

static int write_ulimits(const struct plan *p, struct json_object *json, struct err *e)
{
    struct json_object *array = add_array(json, "ulimits", e);
    for (size_t i = 0; array && i < p->ulimit_count; i++) {
        struct json_object *o = append_object(array, e);
        if (!o || json_add_string(o, "name", p->ulimits[i].name, e) < 0 ||
            write_fields(o, ulimit_fields, ARRAY_SIZE(ulimit_fields), &p->ulimits[i], e) < 0)
            return -e->code;
    }
    return array ? 0 : -e->code;
}

static int write_grants(const struct plan *p, struct json_object *json, struct err *e)
{
    struct json_object *array = add_array(json, "grants", e);
    for (size_t i = 0; array && i < p->grant_count; i++) {
        struct json_object *o = append_object(array, e);
        if (!o || json_add_u64(o, "practice", (uint64_t)p->grants[i].practice, e) < 0 ||
            write_fields(o, grant_fields, ARRAY_SIZE(grant_fields), &p->grants[i], e) < 0)
            return -e->code;
    }
    return array ? 0 : -e->code;
}

int plan_to_json(const struct plan *p, struct json_object **ret_json, struct err *e)
{
    _cleanup_json_ struct json_object *json = json_object_new_object();
    if (!json)
        return err_oom(e);
    int r = json_add_u64(json, "version", PLAN_VERSION, e);
    if (r == 0)
        r = json_add_string(json, "profile", profile_names[p->profile], e);
    if (r == 0)
        r = write_fields(json, plan_fields, ARRAY_SIZE(plan_fields), p, e);
    if (r == 0)
        r = write_fields(json, limit_fields, ARRAY_SIZE(limit_fields), p, e);
    if (r == 0)
        r = write_mounts(p, json, e);
    if (r == 0)
        r = write_ulimits(p, json, e);
    if (r == 0)
        r = write_grants(p, json, e);
    if (r < 0)
        return r;
    *ret_json = steal_ptr(json);
    return 0;
}

/* Index of the member's text in names; it must be there. */
static int read_name(struct json_object *o, const char *key, const char *const *names, size_t count,
                     size_t *ret, struct err *e)
{
    const char *text = NULL;
    int r = json_get_string(o, key, &text, e);
    if (r < 0)
        return r;
    for (size_t i = 0; text && i < count; i++) {
        if (str_equal(text, names[i])) {
            *ret = i;
            return 0;
        }
    }
    return err_set(e, EINVAL, "'%s' is missing or not known", key);
}

/* Calls read for each object of the array `key`. */
static int read_objects(struct json_object *json, const char *key, size_t max, struct plan *p,
                        int (*read)(struct json_object *o, struct plan *p, struct err *e), struct err *e)
{
    struct json_object *array = NULL;
    int r = json_get_array(json, key, &array, e);
    if (r <= 0)
        return r;
    size_t count = json_object_array_length(array);
    if (count > max)
        return err_set(e, E2BIG, "'%s' has more than %zu entries", key, max);
    for (size_t i = 0; i < count; i++) {
        struct json_object *o = json_object_array_get_idx(array, i);
        if (!json_object_is_type(o, json_type_object))
            return err_set(e, EINVAL, "'%s' is not an array of objects", key);
        r = read(o, p, e);
        if (r < 0)
            return err_wrap(e, "%s", key);
    }
    return 0;
}

static int read_mount(struct json_object *o, struct plan *p, struct err *e)
{
    size_t type;
    int r = read_name(o, "type", mount_names, ARRAY_SIZE(mount_names), &type, e);
    if (r < 0)
        return r;
    struct plan_mount *m = plan_add_mount(p, (enum plan_mount_type)type, e);
    if (!m)
        return -e->code;
    r = read_fields(o, mount_fields, ARRAY_SIZE(mount_fields), m, e);
    if (r < 0)
        return r;
    if (!m->target || (m->type == PLAN_MOUNT_BIND && !m->source))
        return err_set(e, EINVAL, "a mount without source or target");
    if (m->mode > TMPFS_MODE_MAX)
        return err_set(e, ERANGE, "'mode' is out of range");
    return path_check_absolute(m->target, e);
}

static int read_ulimit(struct json_object *o, struct plan *p, struct err *e)
{
    const char *name = NULL;
    struct plan_ulimit u = {.soft = PLAN_UNLIMITED, .hard = PLAN_UNLIMITED};
    int r = json_get_string(o, "name", &name, e);
    if (r == 0)
        return err_set(e, EINVAL, "a limit without name");
    if (r > 0)
        r = str_put(u.name, sizeof(u.name), name, e);
    if (r == 0)
        r = read_fields(o, ulimit_fields, ARRAY_SIZE(ulimit_fields), &u, e);
    if (r < 0)
        return r;
    p->ulimits[p->ulimit_count++] = u;
    return 0;
}

static int read_grant(struct json_object *o, struct plan *p, struct err *e)
{
    uint64_t practice = 0;
    const char *what = NULL;
    const char *source = NULL;
    uint64_t record = 0;
    int r = json_get_u64(o, "practice", &practice, e);
    if (r >= 0)
        r = json_get_string(o, "what", &what, e);
    if (r >= 0)
        r = json_get_string(o, "source", &source, e);
    if (r >= 0)
        r = json_get_u64(o, "record", &record, e);
    if (r < 0)
        return r;
    if (practice < 1 || practice > PLAN_PRACTICES || !what || !source)
        return err_set(e, EINVAL, "a grant without practice, what or source");
    r = plan_add_grant(p, (int)practice, what, source, e);
    if (r == 0)
        p->grants[p->grant_count - 1].record = record;
    return r;
}

static int check_version(struct json_object *json, struct err *e)
{
    uint64_t version = 0;
    if (!json_object_is_type(json, json_type_object))
        return err_set(e, EINVAL, "not an object");
    int r = json_get_u64(json, "version", &version, e);
    if (r < 0)
        return r;
    if (version != PLAN_VERSION)
        return err_set(e, EPROTONOSUPPORT, "version %llu is not known (this Casemate knows %d)",
                       (unsigned long long)version, PLAN_VERSION);
    return 0;
}

static int read_document(struct json_object *json, struct plan *p, struct err *e)
{
    size_t profile;
    int r = check_version(json, e);
    if (r < 0)
        return r;
    r = read_name(json, "profile", profile_names, ARRAY_SIZE(profile_names), &profile, e);
    if (r < 0)
        return r;
    p->profile = (enum plan_profile)profile;
    r = read_fields(json, plan_fields, ARRAY_SIZE(plan_fields), p, e);
    if (r >= 0)
        r = read_fields(json, limit_fields, ARRAY_SIZE(limit_fields), p, e);
    if (r >= 0)
        r = read_objects(json, "mounts", PLAN_MOUNTS_MAX, p, read_mount, e);
    if (r >= 0)
        r = read_objects(json, "ulimits", PLAN_ULIMITS_MAX, p, read_ulimit, e);
    if (r >= 0)
        r = read_objects(json, "grants", LIST_MAX, p, read_grant, e);
    if (r >= 0 && !*p->id)
        return err_set(e, EINVAL, "there is no id");
    return r < 0 ? r : 0;
}

int plan_from_json(struct json_object *json, struct plan *ret_plan, struct err *e)
{
    _cleanup_plan_ struct plan p;
    plan_init(&p);
    if (read_document(json, &p, e) < 0)
        return err_wrap(e, "plan");
    *ret_plan = p;
    plan_init(&p);
    return 0;
}

static int write_disk(const struct plan *p, struct json_object *json, struct err *e)
{
    struct json_object *disk = json_object_new_object();
    int r = json_add_object(json, DISK, disk, e);
    return r < 0 ? r : write_fields(disk, disk_fields, ARRAY_SIZE(disk_fields), p, e);
}

static int read_disk(struct json_object *json, struct plan *p, struct err *e)
{
    struct json_object *disk;
    int r = json_get_object(json, DISK, &disk, e);
    if (r <= 0)
        return r;
    p->disk = p->disk_inodes = PLAN_UNSET;
    str_list_clear(&p->storage_opt);
    r = read_fields(disk, disk_fields, ARRAY_SIZE(disk_fields), p, e);
    return r < 0 ? r : 0;
}

int plan_limits_to_json(const struct plan *p, struct json_object **ret_json, struct err *e)
{
    _cleanup_json_ struct json_object *json = json_object_new_object();
    if (!json)
        return err_oom(e);
    int r = json_add_u64(json, "version", PLAN_VERSION, e);
    if (r == 0)
        r = write_fields(json, limit_fields, ARRAY_SIZE(limit_fields), p, e);
    if (r == 0)
        r = write_disk(p, json, e);
    if (r == 0)
        r = write_grants(p, json, e);
    if (r < 0)
        return r;
    *ret_json = steal_ptr(json);
    return 0;
}

/* What a document leaves out is not set. */
static void forget_limits(struct plan *p)
{
    for (size_t i = 0; i < ARRAY_SIZE(limit_fields); i++) {
        void *at = (char *)p + limit_fields[i].offset;
        if (limit_fields[i].kind == FIELD_U64) {
            *(uint64_t *)at = PLAN_UNSET;
            continue;
        }
        free(*(char **)at);
        *(char **)at = NULL;
    }
}

int plan_limits_from_json(struct json_object *json, struct plan *p, struct err *e)
{
    int r = check_version(json, e);
    if (r < 0)
        return r;
    forget_limits(p);
    plan_clear_grants(p);
    r = read_fields(json, limit_fields, ARRAY_SIZE(limit_fields), p, e);
    if (r >= 0)
        r = read_disk(json, p, e);
    if (r >= 0)
        r = read_objects(json, "grants", LIST_MAX, p, read_grant, e);
    return r < 0 ? r : 0;
}

const char *plan_profile_name(enum plan_profile profile)
{
    return profile_names[profile];
}
