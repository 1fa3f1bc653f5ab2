/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of run and create as Docker spells them, into a plan. What is checked here is the grammar of each value; what a container may
 * have is for the practices to judge. A flag of Docker that Casemate does not have is in the table too, and its error says so.
 */
#pragma once

#include "cli/options.h"
#include "plan/plan.h"

enum run_stream { /* -a; the same bits as enum shim_hello_flags */
                  RUN_STDIN = 1,
                  RUN_STDOUT = 2,
                  RUN_STDERR = 4,
};

struct run_options {
    struct plan plan;
    bool detach;
    bool quiet;
    bool sig_proxy;
    unsigned attach; /* enum run_stream; 0: -a was not given */
    enum plan_pull pull;
    const char *platform;    /* NULL: the machine's */
    const char *detach_keys; /* NULL: the default */
    const char *health_cmd;  /* NULL: the image's */
    bool no_healthcheck;
    const char *cid_file; /* NULL: none */
    /* As given; in the plan after run_options_read. */
    struct str_list env, env_files, labels, label_files, annotations, unset_env;
    int64_t cpu_quota_us; /* 0: not given */
};

#define _cleanup_run_options_ _cleanup_(run_options_clear)
void run_options_clear(struct run_options *o);

/* For struct verb: what run and create share, what only run has, what Docker has. */
extern const struct option_entry run_shared_options[];
extern const struct option_entry run_resource_options[];
extern const struct option_entry run_host_options[];
extern const struct option_entry run_only_options[];
extern const struct option_entry run_unsupported_options[];

/* The whole command line: options, image and command. The files that it names are read here. */
int run_options_read(const struct invocation *in, struct run_options *ret_options, struct err *e);
