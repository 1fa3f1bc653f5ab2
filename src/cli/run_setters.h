/* SPDX-License-Identifier: Apache-2.0 */
/* The setters behind the table of run_options.c; each is given the member of struct run_options that it fills. */
#pragma once

#include "cli/run_options.h"

/* run_mounts.c: struct run_options */
int run_set_volume(void *target, const char *value, struct err *e);
int run_set_mount(void *target, const char *value, struct err *e);
int run_set_tmpfs(void *target, const char *value, struct err *e);
/* No two mounts at one place. */
int run_check_mounts(const struct plan *p, struct err *e);
/* A field of --mount: KEY=VALUE or a key alone. */
struct run_field {
    const char *key;
    char *value; /* NULL: the key alone */
};
int run_field_switch(const struct run_field *f, bool *ret, struct err *e);
int run_field_wrong_type(const struct run_field *f, const char *type, struct err *e);
int run_volume_name(struct plan_mount *m, const char *name, struct err *e);

/* run_volumes.c: a field volume-… of --mount */
int run_set_volume_field(struct plan_mount *m, const struct run_field *f, struct err *e);
/* the member of the plan */
int run_set_volumes_from(void *target, const char *value, struct err *e);
/* run_volumes.c: the plan */
int run_set_storage_opt(void *target, const char *value, struct err *e);
int run_set_volume_driver(void *target, const char *value, struct err *e);

/* run_limits.c: the member of the plan, but for ulimit (struct run_options) */
int run_set_limit(void *target, const char *value, struct err *e); /* a number, -1: unlimited */
int run_set_swap(void *target, const char *value, struct err *e);  /* bytes, -1: unlimited */
int run_set_cpus(void *target, const char *value, struct err *e);
int run_set_cpuset(void *target, const char *value, struct err *e);
int run_set_stop_timeout(void *target, const char *value, struct err *e);
int run_set_ulimit(void *target, const char *value, struct err *e);
/* --memory-swap against --memory, and --cpu-quota against --cpus. */
int run_check_limits(struct run_options *o, struct err *e);

/* run_resources.c: the member of the plan, but for the quota (int64_t; 0: not given). update has them too. */
int run_set_cpu_period(void *target, const char *value, struct err *e);
int run_set_cpu_quota(void *target, const char *value, struct err *e);
int run_set_cpu_shares(void *target, const char *value, struct err *e);
int run_set_blkio_weight(void *target, const char *value, struct err *e);
/* Quota and period (PLAN_UNSET: the default) as processors. */
int run_cpus_of_quota(int64_t quota_us, uint64_t period_us, uint64_t *ret_nano, struct err *e);
int run_check_cpus(struct run_options *o, struct err *e);

/* run_hosts.c: --add-host NAME:host-gateway, when the network is known. */
int run_settle_hosts(struct run_options *o, struct err *e);
/* run_hosts.c: annotations, as given, into the plan. */
int run_read_annotations(struct run_options *o, struct err *e);

/* run_logs.c: the member of the plan */
int run_set_log_driver(void *target, const char *value, struct err *e);
int run_check_logs(const struct plan *p, struct err *e);

/* run_living.c: the member of the plan */
int run_set_restart(void *target, const char *value, struct err *e);
int run_set_health_retries(void *target, const char *value, struct err *e);
/* --restart against --rm; --health-cmd and --no-healthcheck into the plan. */
int run_check_living(struct run_options *o, struct err *e);

/* run_env.c: environment and labels, from files first, then from the options. */
int run_read_env(struct run_options *o, struct err *e);
int run_read_labels(struct run_options *o, struct err *e);

/* run_values.c: the member of the plan, but for entrypoint, attach, pull, profile (struct run_options) */
int run_set_name(void *target, const char *value, struct err *e);
int run_set_user(void *target, const char *value, struct err *e);
int run_set_group(void *target, const char *value, struct err *e);
int run_set_working_dir(void *target, const char *value, struct err *e);
int run_set_hostname(void *target, const char *value, struct err *e);
int run_set_stop_signal(void *target, const char *value, struct err *e);
int run_set_sysctl(void *target, const char *value, struct err *e);
int run_set_network(void *target, const char *value, struct err *e);
int run_set_entrypoint(void *target, const char *value, struct err *e);
int run_set_attach(void *target, const char *value, struct err *e);
int run_set_pull(void *target, const char *value, struct err *e);
int run_set_profile(void *target, const char *value, struct err *e);
int run_set_security(void *target, const char *value, struct err *e);
/* Flags of which only the value that changes nothing is supported. */
int run_set_privileged(void *target, const char *value, struct err *e);
