/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create that hold one word (run_setters.h). */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/imagerules.h"
#include "base/io.h"
#include "base/path.h"
#include "cli/run_setters.h"
#include "plan/sysctl.h"

#define HOSTNAME_MAX 64 /* the kernel's __NEW_UTS_LEN */
#define PROFILE_FILE_MAX (1U << 20)
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

int run_set_name(void *target, const char *value, struct err *e)
{
    size_t n = strlen(value);
    if (n < 2 || n > PLAN_NAME_MAX || strspn(value, LETTERS "_.-") != n || strchr("_.-", value[0]))
        return err_set(e, EINVAL, "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed, 2 to %d characters",
                       PLAN_NAME_MAX);
    return str_replace(target, value, e);
}

int run_set_user(void *target, const char *value, struct err *e)
{
    int r = image_rule_user(value, e);
    return r < 0 ? r : str_replace(target, value, e);
}

int run_set_group(void *target, const char *value, struct err *e)
{
    if (!*value || strchr(value, ':'))
        return err_set(e, EINVAL, "a group is a name or a number");
    int r = image_rule_user(value, e);
    return r < 0 ? r : str_list_add(target, value, e);
}

int run_set_working_dir(void *target, const char *value, struct err *e)
{
    char clean[PATH_LENGTH_MAX + 1];
    if (value[0] != '/')
        return err_set(e, EINVAL, "it needs to be an absolute path");
    int r = image_rule_working_dir(value, clean, e);
    return r < 0 ? r : str_replace(target, clean, e);
}

int run_set_hostname(void *target, const char *value, struct err *e)
{
    size_t n = strlen(value);
    if (n == 0 || n > HOSTNAME_MAX || strspn(value, LETTERS "_.-") != n || strchr(".-", value[0]))
        return err_set(e, EINVAL, "a host name has letters, digits, '-' and '.', at most %d characters",
                       HOSTNAME_MAX);
    return str_replace(target, value, e);
}

int run_set_stop_signal(void *target, const char *value, struct err *e)
{
    char clean[IMAGE_RULE_SIGNAL_TEXT];
    int r = image_rule_signal(value, clean, e);
    return r < 0 ? r : str_replace(target, clean, e);
}

int run_set_sysctl(void *target, const char *value, struct err *e)
{
    int r = sysctl_check(value, e);
    return r < 0 ? r : str_list_add(target, value, e);
}

/* `host` and `none` are for the practices; the others need networks, which are not there. */
int run_set_network(void *target, const char *value, struct err *e)
{
    if (!str_equal(value, "none") && !str_equal(value, "host"))
        return err_set(e, ENOTSUP, "not supported yet: each container has --network none, loopback only");
    return str_replace(target, value, e);
}

int run_set_entrypoint(void *target, const char *value, struct err *e)
{
    struct run_options *o = target;
    str_list_clear(&o->plan.entrypoint);
    o->plan.entrypoint_given = true;
    return *value ? str_list_add(&o->plan.entrypoint, value, e) : 0;
}

int run_set_attach(void *target, const char *value, struct err *e)
{
    static const struct {
        const char *name;
        enum run_stream bit;
    } streams[] = {{"stdin", RUN_STDIN}, {"stdout", RUN_STDOUT}, {"stderr", RUN_STDERR}};
    for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
        if (strcasecmp(value, streams[i].name) == 0) {
            ((struct run_options *)target)->attach |= streams[i].bit;
            return 0;
        }
    }
    return err_set(e, EINVAL, "valid streams are stdin, stdout and stderr");
}

int run_set_pull(void *target, const char *value, struct err *e)
{
    static const char *const words[] = {
        [PLAN_PULL_MISSING] = "missing", [PLAN_PULL_ALWAYS] = "always", [PLAN_PULL_NEVER] = "never"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (str_equal(value, words[i])) {
            ((struct run_options *)target)->pull = (enum plan_pull)i;
            return 0;
        }
    }
    return err_set(e, EINVAL, "it is one of always, missing, never");
}

int run_set_profile(void *target, const char *value, struct err *e)
{
    static const enum plan_profile profiles[] = {PLAN_STANDARD, PLAN_STRICT, PLAN_COMPAT};
    for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
        if (str_equal(value, plan_profile_name(profiles[i]))) {
            ((struct run_options *)target)->plan.profile = profiles[i];
            ((struct run_options *)target)->plan.profile_given = true;
            return 0;
        }
    }
    return err_set(e, EINVAL, "it is one of standard, strict, compat");
}

/* seccomp=FILE: the file is read now, so that the plan does not depend on it later. What it says is judged by casemate-seccomp. */
static int read_profile(struct plan *p, const char *path, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = io_read_path(path, PROFILE_FILE_MAX, &text, e);
    if (r == 0 && (text.length == 0 || memchr(text.data, '\0', text.length)))
        r = err_set(e, EINVAL, "%s", text.length ? "it contains a NUL byte" : "it is empty");
    if (r < 0)
        return err_wrap(e, "system-call profile %s", path);
    return str_replace(&p->seccomp_profile, text.data, e);
}

int run_set_security(void *target, const char *value, struct err *e)
{
    struct run_options *o = target;
    const char *file = str_after(value, "seccomp=");
    if (!file)
        file = str_after(value, "seccomp:");
    if (file && !*file)
        return err_set(e, EINVAL, "seccomp= needs the name of a file, 'builtin' or 'unconfined'");
    bool named = file && !str_equal(file, "unconfined") && !str_equal(file, "builtin");
    int r = named ? read_profile(&o->plan, file, e) : 0;
    return r < 0 ? r : str_list_add(&o->plan.security_opt, value, e);
}

int run_set_privileged(void *target, const char *value, struct err *e)
{
    (void)target;
    if (str_equal(value, "false"))
        return 0;
    return err_refuse(e, 6, "refused: grant what is needed instead, such as --cap-add @switch-user");
}
