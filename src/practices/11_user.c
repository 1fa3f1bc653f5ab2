/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Practice 11, least-privileged user: uid 0 in a container is nobody on the host and no_new_privs is always set. The strict profile
 * refuses uid 0 inside as well; a name cannot be judged before the image's own files are read, so it asks for a number then.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/identity.h"
#include "base/ids.h"
#include "base/num.h"
#include "practices/refuse.h"
#include "practices/registry.h"

static int check_new_privileges(const struct plan *plan, struct err *e)
{
    for (size_t i = 0; i < plan->security_opt.count; i++) {
        const char *rest = str_after(plan->security_opt.items[i], "no-new-privileges");
        if (!rest || !*rest || str_equal(rest, "=true") || str_equal(rest, ":true"))
            continue;
        if (str_equal(rest, "=false") || str_equal(rest, ":false"))
            return err_refuse(e, 11,
                              "--security-opt no-new-privileges%s is refused: set-id programs never gain "
                              "anything in a container; "
                              "start as the right user with --user",
                              rest);
        return err_set(e, EINVAL, "--security-opt %s: the value is true", plan->security_opt.items[i]);
    }
    return 0;
}

/* Why uid 0 is not wanted, or NULL when it may be. */
static const char *root_refused_by(const struct practice_run *run)
{
    if (run->plan->profile == PLAN_STRICT)
        return "profile strict";
    if (run->policy->allow_root)
        return NULL;
    return run->policy->allow_root_source ? run->policy->allow_root_source : "policy";
}

static int check_root(const struct practice_run *run, struct err *e)
{
    const char *why = root_refused_by(run);
    const char *user = run->plan->user ? run->plan->user : "";
    char name[256];
    uint64_t uid = 0;
    struct err ignored = {0};
    if (!why)
        return 0;
    size_t n = strcspn(user, ":");
    if (n >= sizeof(name))
        return err_set(e, EINVAL, "the user's name is too long");
    memcpy(name, user, n);
    name[n] = '\0';
    if (!*name || str_equal(name, "root"))
        return err_refuse(
            e, 11, "uid 0 in the container is refused (%s): give another user, such as --user 1000", why);
    if (num_parse_u64(name, UINT32_MAX, &uid, &ignored) < 0)
        return err_refuse(e, 11,
                          "user '%s' is refused (%s): the image decides which uid a name has, and it could "
                          "be 0: give the number "
                          "with --user",
                          name, why);
    if (uid == 0)
        return err_refuse(
            e, 11, "uid 0 in the container is refused (%s): give another user, such as --user 1000", why);
    return 0;
}

static int apply(struct practice_run *run, struct err *e)
{
    int r = check_new_privileges(run->plan, e);
    return r < 0 ? r : check_root(run, e);
}

#define MAP_MAX 65536
#define MAP_LINES 8

/* Lines "INSIDE OUTSIDE COUNT" of user_namespaces(7); they have few, and more are cut off, which makes ids unknown. */
static int read_map(const struct subject *s, const char *name, struct id_map ret[MAP_LINES],
                    size_t *ret_count, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    size_t n = 0;
    int r = subject_read(s, name, MAP_MAX, &text, e);
    char *rest = text.data;
    char *line;
    while (r == 0 && n < MAP_LINES && (line = strsep(&rest, "\n")))
        if (sscanf(line, "%u %u %u", &ret[n].inside, &ret[n].outside, &ret[n].count) == 3)
            n++;
    *ret_count = n;
    return r == 0 && (n == 0 || ret[0].inside != 0)
               ? err_set(e, ENOENT, "id 0 of the container has no id on the host")
               : r;
}

/* As the host has it: in the user namespace of an ordinary user's engine /proc shows the ids of that namespace. */
static uint32_t host_id(const char *map, uint32_t id)
{
    return str_equal(map, "gid_map") ? identity_host_gid(id) : identity_host_uid(id);
}

static int explain_map(const struct subject *s, const char *name, const char *what, struct evidence *ret,
                       struct err *e)
{
    struct id_map map[MAP_LINES] = {0};
    size_t lines = 0;
    uint64_t count = 0;
    char source[SUBJECT_SOURCE];
    int r = read_map(s, name, map, &lines, e);
    if (r < 0)
        return r;
    for (size_t i = 0; i < lines; i++)
        count += map[i].count;
    const char *shared = identity_maps_mounts() ? "" : ", which all containers of this user share";
    return evidence_add(ret, 11, map[0].outside >= IDS_POOL_FIRST ? EVIDENCE_HOLDS : EVIDENCE_BROKEN, what,
                        subject_source(s, name, source), e, "host id %u (%llu ids%s)",
                        host_id(name, map[0].outside), (unsigned long long)count, shared);
}

/* The line that an id of the host is in, or NULL. */
static const struct id_map *line_of(const struct id_map *map, size_t lines, uint32_t id)
{
    for (size_t i = 0; i < lines; i++)
        if (id >= map[i].outside && id - map[i].outside < map[i].count)
            return &map[i];
    return NULL;
}

/* Real, effective, saved and file system uid of the first process, as the host sees them. */
static int explain_uid(const struct subject *s, struct evidence *ret, struct err *e)
{
    struct id_map map[MAP_LINES] = {0};
    size_t lines = 0;
    unsigned ids[4];
    char text[64], source[SUBJECT_SOURCE];
    int r = read_map(s, "uid_map", map, &lines, e);
    if (r == 0)
        r = subject_status(s, "Uid", text, sizeof(text), e);
    if (r < 0)
        return r;
    if (sscanf(text, "%u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) != 4)
        return err_set(e, EINVAL, "Uid of the container is '%s'", text);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        if (!line_of(map, lines, ids[i]))
            return evidence_add(ret, 11, EVIDENCE_BROKEN, "user", subject_source(s, "status", source), e,
                                "host id %u, outside of the container's ids", host_id("uid_map", ids[i]));
    const struct id_map *in = line_of(map, lines, ids[1]);
    bool caller =
        identity_rootless() && ids[1] == geteuid(); /* the owner of a bind: practice 5 has granted it */
    return evidence_add(ret, 11, caller ? EVIDENCE_GRANTED : EVIDENCE_HOLDS, "user",
                        subject_source(s, "status", source), e, "uid %u, host id %u%s",
                        ids[1] - in->outside + in->inside, host_id("uid_map", ids[1]),
                        caller ? ", yours" : "");
}

static int explain(const struct subject *s, struct evidence *ret, struct err *e)
{
    char value[8], source[SUBJECT_SOURCE];
    int r = explain_map(s, "uid_map", "uid 0 in the container", ret, e);
    if (r == 0)
        r = explain_map(s, "gid_map", "gid 0 in the container", ret, e);
    if (r == 0)
        r = explain_uid(s, ret, e);
    if (r == 0)
        r = subject_status(s, "NoNewPrivs", value, sizeof(value), e);
    if (r < 0)
        return r;
    bool on = str_equal(value, "1");
    return evidence_add(ret, 11, on ? EVIDENCE_HOLDS : EVIDENCE_BROKEN, "no_new_privs",
                        subject_source(s, "status", source), e, "%s", on ? "set" : "not set");
}

const struct practice practice_user = {
    .number = 11,
    .id = "user",
    .title = "least-privileged user",
    .what = "makes uid 0 in a container nobody on the host, without a way to gain privileges",
    .apply = apply,
    .explain = explain,
};
