/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Practice 7, system calls: a default-deny filter on every process, smaller than Docker's. A profile of the user's is a second filter
 * on top, so it can only narrow; there is no way to run without the first. AppArmor is on top where the kernel has it.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/num.h"
#include "practices/refuse.h"
#include "practices/registry.h"

/* What follows NAME= or NAME: (Docker takes both); NULL when it is another option. */
static const char *value_of(const char *option, const char *name)
{
    const char *rest = str_after(option, name);
    return rest && (*rest == '=' || *rest == ':') ? rest + 1 : NULL;
}

static int apply_seccomp(const char *value, struct err *e)
{
    if (str_equal(value, "unconfined"))
        return err_refuse(e, 7,
                          "--security-opt seccomp=unconfined is refused: no container runs without the "
                          "filter; --cap-add opens the "
                          "calls that belong to a capability");
    return 0; /* "builtin", or a file whose text is in the plan */
}

static int apply_apparmor(struct practice_run *run, const char *name, struct err *e)
{
    char line[ERR_TEXT_MAX];
    if (!*name)
        return err_set(e, EINVAL, "--security-opt apparmor= needs the name of a profile");
    const struct policy_right *right = run_right(run, POLICY_ALLOW_APPARMOR, name);
    if (!right) {
        (void)snprintf(line, sizeof(line), "allow-apparmor = %s", name);
        return refuse_by_policy(
            e, 7, line, "--security-opt apparmor=%s is refused: it replaces Casemate's own profile", name);
    }
    int r = run_grant(run, 7, right->source, e, "AppArmor profile %s", name);
    return r < 0 ? r : str_replace(&run->plan->apparmor_profile, name, e);
}

/* A label of SELinux where there is none to set: nothing is labelled here, and label=disable asks for that. */
static bool is_idle_label(const char *option)
{
    const char *label = value_of(option, "label");
    return label && (str_equal(label, "disable") || access("/sys/fs/selinux/enforce", F_OK) < 0);
}

static int apply(struct practice_run *run, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < run->plan->security_opt.count && r == 0; i++) {
        const char *option = run->plan->security_opt.items[i];
        const char *value = value_of(option, "seccomp");
        if (value)
            r = apply_seccomp(value, e);
        else if ((value = value_of(option, "apparmor")))
            r = apply_apparmor(run, value, e);
        else if (!str_after(option, "no-new-privileges") /* practice 11 */ && !is_idle_label(option))
            r = err_set(e, ENOTSUP,
                        "--security-opt %s is not supported (seccomp=, apparmor= and no-new-privileges are)",
                        option);
    }
    return r;
}

#define LABEL_MAX 4096

static int explain_filters(const struct subject *s, struct evidence *ret, struct err *e)
{
    char mode[8];
    char filters[16];
    char source[SUBJECT_SOURCE];
    int r = subject_status(s, "Seccomp", mode, sizeof(mode), e);
    if (r == 0)
        r = subject_status(s, "Seccomp_filters", filters, sizeof(filters), e);
    if (r < 0)
        return r;
    bool on = str_equal(mode, "2"); /* SECCOMP_MODE_FILTER */
    return evidence_add(ret, 7, on ? EVIDENCE_HOLDS : EVIDENCE_BROKEN, "system-call filter",
                        subject_source(s, "status", source), e, on ? "on, %s filter(s)" : "off (mode %s)",
                        on ? filters : mode);
}

/* The user's profile: which text it was, and that the kernel has a filter for it. */
static int explain_own_profile(const struct subject *s, struct evidence *ret, struct err *e)
{
    char filters[16];
    char digest_text[DIGEST_TEXT_LENGTH + 1];
    char source[SUBJECT_SOURCE];
    struct digest digest;
    const char *text = s->plan->seccomp_profile;
    uint64_t count = 0;
    if (!text)
        return 0;
    int r = subject_status(s, "Seccomp_filters", filters, sizeof(filters), e);
    if (r == 0)
        r = num_parse_u64(filters, UINT32_MAX, &count, e);
    if (r < 0)
        return r;
    digest_of(text, strlen(text), &digest);
    digest_format(&digest, digest_text);
    return evidence_add(ret, 7, count > 1 ? EVIDENCE_HOLDS : EVIDENCE_BROKEN, "own profile",
                        subject_source(s, "status", source), e, "%s%s", digest_text,
                        count > 1 ? ", on top" : " is not installed");
}

static int explain_apparmor(const struct subject *s, struct evidence *ret, struct err *e)
{
    _cleanup_buf_ struct buf label = {0};
    struct err absent = {0};
    char source[SUBJECT_SOURCE];
    if (subject_read(s, "attr/apparmor/current", LABEL_MAX, &label, &absent) < 0 || !str_set(label.data))
        return evidence_add(ret, 7, EVIDENCE_UNKNOWN, "AppArmor", "", e,
                            "this kernel does not have it, or it is off");
    label.data[strcspn(label.data, "\n")] = '\0';
    bool granted = s->plan->apparmor_profile != NULL;
    enum evidence_state state = granted ? EVIDENCE_GRANTED : EVIDENCE_HOLDS;
    if (!granted && str_equal(label.data, "unconfined"))
        state = EVIDENCE_UNKNOWN; /* the shipped profile is not loaded */
    return evidence_add(ret, 7, state, "AppArmor", subject_source(s, "attr/apparmor/current", source), e,
                        "%s", label.data);
}

static int explain(const struct subject *s, struct evidence *ret, struct err *e)
{
    int r = explain_filters(s, ret, e);
    if (r == 0)
        r = explain_own_profile(s, ret, e);
    return r < 0 ? r : explain_apparmor(s, ret, e);
}

const struct practice practice_syscalls = {
    .number = 7,
    .id = "syscalls",
    .title = "system calls",
    .what = "lets through the system calls that programs need and no others",
    .apply = apply,
    .explain = explain,
};
