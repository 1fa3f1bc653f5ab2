/* SPDX-License-Identifier: Apache-2.0 */
/* The practices on a bundle's configuration (practices.h): grants, findings, and the order of judgement. */
#include "oci/practices.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/dirs.h"
#include "base/str.h"
#include "oci/practices_judge.h"

#define GRANT "casemate.grant."
#define GRANT_NAME_MAX 320

void judge_find(struct judge *j, enum oci_finding_kind kind, int practice, const char *source,
                const char *what)
{
    struct oci_findings *all = j->found;
    if (all->count == OCI_FINDINGS_MAX)
        return;
    struct oci_finding *f = &all->list[all->count++];
    f->kind = kind;
    f->practice = practice;
    (void)snprintf(f->what, sizeof(f->what), "%s", what);
    (void)snprintf(f->source, sizeof(f->source), "%s", source ? source : "");
}

/* Whether a list with commas has the word. */
static bool lists(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; at;) {
        const char *end = strchrnul(at, ',');
        if ((size_t)(end - at) == n && strncmp(at, word, n) == 0)
            return true;
        at = *end ? end + 1 : NULL;
    }
    return false;
}

int judge_granted(struct judge *j, int practice, const char *grant, const char *value, const char *what)
{
    char name[GRANT_NAME_MAX];
    (void)snprintf(name, sizeof(name), GRANT "%s", grant);
    const char *annotation = oci_config_annotation(j->c, name);
    if (!annotation || !lists(annotation, value))
        return 0;
    const struct policy_right *right = policy_rights_find(&j->policy->rights, POLICY_ALLOW_ANNOTATION, name);
    if (!right) {
        (void)snprintf(name, sizeof(name), GRANT "%s=%s", grant, value);
        right = policy_rights_find(&j->policy->rights, POLICY_ALLOW_ANNOTATION, name);
    }
    if (!right)
        return 0;
    if (j->enforce)
        judge_find(j, OCI_GRANTED, practice, right->source, what);
    return 1;
}

bool judge_has_right(struct judge *j, int practice, enum policy_right_kind kind, const char *value,
                     const char *what)
{
    const struct policy_right *right = policy_rights_find(&j->policy->rights, kind, value);
    if (right && j->enforce)
        judge_find(j, OCI_GRANTED, practice, right->source, what);
    return right != NULL;
}

int judge_refuse(struct judge *j, int practice, const char *grant, const char *value, const char *what,
                 struct err *e)
{
    if (judge_granted(j, practice, grant, value, what))
        return 0;
    if (j->enforce)
        return err_refuse(e, practice,
                          "%s; to allow it, put 'allow-annotation = " GRANT
                          "%s=%s' under [runtime] in %s and give "
                          "the container the annotation " GRANT "%s=%s",
                          what, grant, value, dirs_own_conf(), grant, value);
    judge_find(j, OCI_WOULD_REFUSE, practice, NULL, what);
    return 0;
}

bool judge_tightens(struct judge *j, int practice, const char *grant, const char *value, const char *what)
{
    if (judge_granted(j, practice, grant, value, what))
        return false;
    judge_find(j, j->enforce ? OCI_TIGHTENED : OCI_WOULD_TIGHTEN, practice, NULL, what);
    j->changed = j->changed || j->enforce;
    return j->enforce;
}

int oci_practices_judge(struct oci_config *c, const struct policy *policy, struct oci_findings *ret,
                        bool *ret_changed, struct err *e)
{
    int (*const parts[])(struct judge *, struct err *) = {
        judge_namespaces, judge_capabilities, judge_devices, judge_mounts, judge_root,
        judge_privileges, judge_paths,        judge_limits,  judge_filter, judge_read_only};
    struct judge j = {.c = c,
                      .policy = policy,
                      .found = ret,
                      .enforce = policy->runtime.practices == POLICY_RUNTIME_ENFORCE};
    ret->count = 0;
    *ret_changed = false;
    if (policy->runtime.practices == POLICY_RUNTIME_OFF)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        int r = parts[i](&j, e);
        if (r < 0)
            return r;
    }
    *ret_changed = j.changed;
    return 0;
}

static bool has_name(const struct schema_list *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_equal(*OCI_ITEM(names, char *, i), name))
            return true;
    return false;
}

int oci_practices_judge_process(struct oci_process *process, const struct oci_config *c,
                                const struct policy *policy, struct oci_findings *ret, struct err *e)
{
    struct judge j = {
        .policy = policy, .found = ret, .enforce = policy->runtime.practices == POLICY_RUNTIME_ENFORCE};
    const struct schema_list *more = &process->capabilities.bounding;
    ret->count = 0;
    if (policy->runtime.practices == POLICY_RUNTIME_OFF)
        return 0;
    for (size_t i = 0; i < more->count; i++) {
        char what[OCI_FINDING_TEXT];
        const char *name = *OCI_ITEM(more, char *, i);
        if (has_name(&c->process.capabilities.bounding, name))
            continue;
        (void)snprintf(what, sizeof(what), "the process asks for %s, which its container does not have",
                       name);
        if (j.enforce)
            return err_refuse(e, 6, "%s", what);
        judge_find(&j, OCI_WOULD_REFUSE, 6, NULL, what);
    }
    if (c->process.no_new_privileges && !process->no_new_privileges) {
        judge_find(&j, j.enforce ? OCI_TIGHTENED : OCI_WOULD_TIGHTEN, 11, NULL,
                   "the process may gain privileges, which its container may not");
        process->no_new_privileges = j.enforce;
    }
    return 0;
}

bool oci_wants_own_filter(const struct oci_config *c)
{
    const char *annotation = oci_config_annotation(c, OCI_ANNOTATION_SECCOMP);
    return annotation && str_equal(annotation, OCI_SECCOMP_DEFAULT);
}

const char *oci_finding_word(enum oci_finding_kind kind)
{
    static const char *const words[] = {[OCI_WOULD_TIGHTEN] = "would tighten",
                                        [OCI_WOULD_REFUSE] = "would refuse",
                                        [OCI_TIGHTENED] = "tightened",
                                        [OCI_GRANTED] = "granted"};
    return words[kind];
}
