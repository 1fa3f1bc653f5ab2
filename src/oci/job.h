/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the job of casemate-enter (base/enterproto.h), and opening that program so that nobody inside can change it. */
#pragma once

#include "base/enterproto.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/config.h"
#include "seccomp/tables.h"

struct oci_job {
    const struct oci_config *config;
    const struct oci_process *process;
    const struct filter *filter; /* NULL: none */
    bool listener;               /* the filter has one */
    const char *state;           /* JSON for startContainer hooks; NULL: the job has no hooks (exec) */
    const char *keyring;         /* name of a new session keyring; NULL: the caller's is kept */
    bool set_groups;             /* setgroups(2) is allowed where it runs */
    int sync, start;             /* descriptors of the process that will execute the program; start -1 */
    unsigned keep_fds;
    unsigned listen_fds; /* the first of them, that the program is told of (sd_listen_fds(3)) */
};

/* A sealed memory file. Unknown names of capabilities are added to *ret_unknown (may be NULL). */
int oci_job_write(const struct oci_job *j, struct str_list *ret_unknown, struct err *e);

/* casemate-enter, to be executed by descriptor: the installed file through a read-only mount of its own, or where the caller may make none a
 * sealed copy in memory. In a container /proc/PID/exe leads to neither a writable nor a nameable file (CVE-2019-5736). */
int oci_enter_open(struct err *e);
