/* SPDX-License-Identifier: Apache-2.0 */
/* features: what this runtime can do, as features.md of the specification writes it. From the tables that the rest works by. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/capname.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/oci/oci.h"
#include "config.h"
#include "oci/mount_options.h"

static const struct option_entry nothing[] = {{0}};

static int add_names(struct json_object *o, const char *key, const char *const *names, struct err *e)
{
    _cleanup_str_list_ struct str_list list = {0};
    int r = 0;
    for (size_t i = 0; names[i] && r == 0; i++)
        r = str_list_add(&list, names[i], e);
    return r == 0 ? json_add_strings(o, key, &list, e) : r;
}

static int add_choices(struct json_object *o, const char *key, const struct schema_choice *choices,
                       struct err *e)
{
    _cleanup_str_list_ struct str_list list = {0};
    int r = 0;
    for (const struct schema_choice *c = choices; c->name && r == 0; c++)
        r = str_list_add(&list, c->name, e);
    return r == 0 ? json_add_strings(o, key, &list, e) : r;
}

static int add_capabilities(struct json_object *o, struct err *e)
{
    _cleanup_str_list_ struct str_list list = {0};
    int r = 0;
    for (unsigned n = 0; n < CAP_NUMBERS && r == 0; n++)
        r = str_list_add(&list, cap_name(n), e);
    return r == 0 ? json_add_strings(o, "capabilities", &list, e) : r;
}

static int add_switches(struct json_object *o, const char *const *names, bool on, struct err *e)
{
    int r = 0;
    for (size_t i = 0; names[i] && r == 0; i++)
        r = json_add_bool(o, names[i], on, e);
    return r;
}

static int add_part(struct json_object *linux_part, const char *key, const char *const *on,
                    const char *const *off, struct err *e)
{
    struct json_object *o = json_object_new_object();
    int r = o ? add_switches(o, on, true, e) : err_oom(e);
    if (r == 0)
        r = add_switches(o, off, false, e);
    return json_add_object(linux_part, key, o, e) < 0 ? -ENOMEM : r;
}

static int add_seccomp(struct json_object *linux_part, struct err *e)
{
    static const char *const actions[] = {"SCMP_ACT_KILL",         "SCMP_ACT_KILL_THREAD",
                                          "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP",
                                          "SCMP_ACT_ERRNO",        "SCMP_ACT_TRACE",
                                          "SCMP_ACT_ALLOW",        "SCMP_ACT_LOG",
                                          "SCMP_ACT_NOTIFY",       NULL};
    static const char *const operators[] = {"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",        "SCMP_CMP_EQ",
                                            "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ", NULL};
#ifdef __aarch64__
    static const char *const archs[] = {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", NULL};
#else
    static const char *const archs[] = {"SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", NULL};
#endif
    struct json_object *o = json_object_new_object();
    int r = o ? json_add_bool(o, "enabled", true, e) : err_oom(e);
    if (r == 0)
        r = add_names(o, "actions", actions, e);
    if (r == 0)
        r = add_names(o, "operators", operators, e);
    if (r == 0)
        r = add_names(o, "archs", archs, e);
    if (r == 0)
        r = add_choices(o, "knownFlags", oci_seccomp_flags, e);
    if (r == 0)
        r = add_choices(o, "supportedFlags", oci_seccomp_flags, e);
    return json_add_object(linux_part, "seccomp", o, e) < 0 ? -ENOMEM : r;
}

static int add_linux(struct json_object *o, struct err *e)
{
    static const char *const none[] = {NULL};
    static const char *const enabled[] = {"enabled", NULL};
    static const char *const cgroup_on[] = {"v1", "v2", "systemd", "systemdUser", "rootless", NULL};
    static const char *const cgroup_off[] = {"rdma", NULL};
    struct json_object *l = json_object_new_object();
    struct json_object *extensions = json_object_new_object();
    int r = l && extensions ? add_choices(l, "namespaces", oci_namespace_types, e) : err_oom(e);
    if (r == 0)
        r = add_capabilities(l, e);
    if (r == 0)
        r = add_part(l, "cgroup", cgroup_on, cgroup_off, e);
    if (r == 0)
        r = add_seccomp(l, e);
    if (r == 0)
        r = add_part(l, "apparmor", enabled, none, e);
    if (r == 0)
        r = add_part(l, "selinux", enabled, none, e);
    if (r == 0)
        r = add_part(l, "intelRdt", none, enabled, e);
    if (r == 0)
        r = add_part(l, "netDevices", enabled, none, e);
    if (r == 0)
        r = add_part(extensions, "idmap", enabled, none, e);
    if (json_add_object(l, "mountExtensions", extensions, e) < 0 || json_add_object(o, "linux", l, e) < 0)
        return -ENOMEM;
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    static const char *const hooks[] = {
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", NULL};
    _cleanup_json_ struct json_object *o = json_object_new_object();
    struct json_object *annotations = json_object_new_object();
    (void)in;
    int r = o && annotations ? json_add_string(o, "ociVersionMin", "1.0.0", e) : err_oom(e);
    if (r == 0)
        r = json_add_string(o, "ociVersionMax", OCI_SPEC_VERSION, e);
    if (r == 0)
        r = add_names(o, "hooks", hooks, e);
    if (r == 0)
        r = add_names(o, "mountOptions", oci_mount_options_known(), e);
    if (r == 0)
        r = add_linux(o, e);
    if (r == 0)
        r = json_add_string(annotations, "casemate.version", CASEMATE_VERSION, e);
    if (json_add_object(o, "annotations", annotations, e) < 0)
        r = -ENOMEM;
    if (r == 0)
        printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                                             JSON_C_TO_STRING_NOSLASHESCAPE));
    return r;
}

const struct verb oci_verb_features = {
    .name = "oci features",
    .group = VERB_HIDDEN,
    .usage = "",
    .summary = "Print what this runtime can do, as JSON",
    .arguments_max = 0,
    .options = {nothing},
    .run = run,
};
