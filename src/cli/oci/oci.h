/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `casemate oci ...`, and the whole program when it is called casemate-runtime: the command line of an OCI runtime, as runc has it, for
 * containerd, CRI-O, Docker and Podman. Its verbs are in the files of this folder, its work in src/oci.
 */
#pragma once

#include <stdbool.h>

#include "cli/verbs.h"
#include "oci/container.h"
#include "oci/notify.h"

#define OCI_PROGRAM "casemate-runtime"

/* Options in front of the verb. */
struct oci_globals {
    const char *root;
    const char *log;        /* file for errors and warnings; NULL: standard error alone */
    const char *log_format; /* "text" or "json" */
    bool debug, version;
    bool systemd_cgroup;  /* counts for containers that are made */
    const char *rootless; /* accepted and ignored: it is seen */
};
extern struct oci_globals oci_globals;

/* Runs words that stand behind `casemate oci`, or behind the name casemate-runtime. The exit status. */
int oci_main(char **words);

/* True when the program was called by a name of the runtime. */
bool oci_is_program(const char *name);

/* A line for the log, and standard error. level: "error", "warning". */
void oci_log(const char *level, const char *message);

/* The log alone. */
void oci_log_quietly(const char *level, const char *message);

/* The practices of the policy's [runtime] for a container before it is made (oci_create.review), and for a process that is executed in one. */
int oci_review(struct oci_container *c, struct err *e);
int oci_review_process(const struct oci_container *c, struct oci_process *process, struct err *e);

/* The container that the first argument names. */
int oci_open_argument(const struct invocation *in, bool lock, struct oci_container *ret, struct err *e);

/* The caller's side of a container's process in the foreground: its terminal (`master`, -1: the streams are shared) and signals. Meanwhile
 * the service manager is told when the container is ready (`notify`; NULL: nobody waits for that). The exit status. */
int oci_foreground(int pidfd, int master, struct oci_notify *notify, struct err *e);
