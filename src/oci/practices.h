/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The practices for containers that others schedule: what a configuration asks for beyond them, and what becomes of it by the policy's
 * [runtime] (casemate.conf(5)). Says only what it found; who calls records it.
 */
#pragma once

#include "oci/config.h"
#include "plan/policy.h"

#define OCI_FINDINGS_MAX 96
#define OCI_FINDING_TEXT 192

/* A configuration with this annotation and without linux.seccomp gets Casemate's own filter: what `enforce` writes. */
#define OCI_ANNOTATION_SECCOMP "casemate.seccomp"
#define OCI_SECCOMP_DEFAULT "default"

enum oci_finding_kind {
    OCI_WOULD_TIGHTEN, /* as it was asked for, since the policy only warns */
    OCI_WOULD_REFUSE,
    OCI_TIGHTENED,
    OCI_GRANTED, /* by a line of the policy */
};

struct oci_finding {
    enum oci_finding_kind kind;
    int practice;
    char what[OCI_FINDING_TEXT];
    char source[OCI_FINDING_TEXT]; /* of OCI_GRANTED: the policy's line, and the annotation */
};

struct oci_findings {
    size_t count;
    struct oci_finding list[OCI_FINDINGS_MAX];
};

/*
 * Judges a configuration. Under POLICY_RUNTIME_ENFORCE c->document is changed where it can be tightened, and *ret_changed tells that it has
 * to be read again; what remains is refused with -EPERM, naming practice and line.
 */
int oci_practices_judge(struct oci_config *c, const struct policy *policy, struct oci_findings *ret,
                        bool *ret_changed, struct err *e);

/* The same for a process that is executed in a container of that configuration; `process` is changed itself. */
int oci_practices_judge_process(struct oci_process *process, const struct oci_config *c,
                                const struct policy *policy, struct oci_findings *ret, struct err *e);

/* Whether a configuration has OCI_ANNOTATION_SECCOMP so. */
bool oci_wants_own_filter(const struct oci_config *c);

/* "would refuse" and so on. */
const char *oci_finding_word(enum oci_finding_kind kind);
