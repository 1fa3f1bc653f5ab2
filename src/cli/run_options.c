/* SPDX-License-Identifier: Apache-2.0 */
/* The options of run and create (run_options.h): the table, and what is checked when all are known. */
#include "cli/run_options.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/imagerules.h"
#include "cli/run_setters.h"

#define AT(member) offsetof(struct run_options, member)

const struct option_entry run_shared_options[] = {
    {"attach", 'a', OPTION_CUSTOM, "STREAM", "Attach to stdin, stdout or stderr", 0, run_set_attach,
     "stdin stdout stderr"},
    {"cap-add", 0, OPTION_LIST, "CAPABILITY", "Grant a Linux capability, or the set @switch-user",
     AT(plan.cap_add)},
    {"cap-drop", 0, OPTION_LIST, "CAPABILITY", "Take a Linux capability away", AT(plan.cap_drop)},
    {"cidfile", 0, OPTION_STRING, "FILE", "Write the container's id to a new file", AT(cid_file),
     .complete = "files"},
    {"cpus", 0, OPTION_CUSTOM, "NUMBER", "Processors that may be used (1.5)", AT(plan.cpus_nano),
     run_set_cpus},
    {"cpuset-cpus", 0, OPTION_CUSTOM, "LIST", "Processors to run on (0-3, 0,1)", AT(plan.cpuset_cpus),
     run_set_cpuset},
    {"domainname", 0, OPTION_CUSTOM, "NAME", "NIS domain name", AT(plan.domainname), run_set_hostname},
    {"entrypoint", 0, OPTION_CUSTOM, "COMMAND", "Use instead of the image's ENTRYPOINT; \"\" clears it", 0,
     run_set_entrypoint},
    {"env", 'e', OPTION_LIST, "NAME[=VALUE]", "Set a variable; without a value, from the environment",
     AT(env)},
    {"env-file", 0, OPTION_LIST, "FILE", "Read variables from a file", AT(env_files), .complete = "files"},
    {"group-add", 0, OPTION_CUSTOM, "GROUP", "Add a supplementary group", AT(plan.group_add), run_set_group},
    {"health-cmd", 0, OPTION_STRING, "COMMAND", "Command whose success says that the container is healthy",
     AT(health_cmd)},
    {"health-interval", 0, OPTION_DURATION, "TIME", "Time between two checks (default 30s)",
     AT(plan.health_interval)},
    {"health-retries", 0, OPTION_CUSTOM, "N", "Failures in a row that make it unhealthy (default 3)",
     AT(plan.health_retries), run_set_health_retries},
    {"health-start-interval", 0, OPTION_DURATION, "TIME", "The same in the start period (default 5s)",
     AT(plan.health_start_interval)},
    {"health-start-period", 0, OPTION_DURATION, "TIME", "Time to start, in which failures do not count",
     AT(plan.health_start_period)},
    {"health-timeout", 0, OPTION_DURATION, "TIME", "Time that one check may take (default 30s)",
     AT(plan.health_timeout)},
    {"hostname", 'h', OPTION_CUSTOM, "NAME", "Host name of the container", AT(plan.hostname),
     run_set_hostname},
    {"init", 0, OPTION_BOOL, NULL, "Run a small init that reaps processes and forwards signals",
     AT(plan.init)},
    {"interactive", 'i', OPTION_BOOL, NULL, "Keep stdin open", AT(plan.open_stdin)},
    {"label", 'l', OPTION_LIST, "KEY[=VALUE]", "Set a label", AT(labels)},
    {"label-file", 0, OPTION_LIST, "FILE", "Read labels from a file", AT(label_files), .complete = "files"},
    {"log-driver", 0, OPTION_CUSTOM, "DRIVER",
     "Where output is logged: json-file, local, journald, syslog, none", AT(plan.log_driver),
     run_set_log_driver, "json-file local journald syslog none"},
    {"log-opt", 0, OPTION_LIST, "KEY=VALUE", "How: max-size, max-file, mode, tag, labels, env …",
     AT(plan.log_options)},
    {"memory", 'm', OPTION_SIZE, "SIZE", "Memory limit (512m, 2g)", AT(plan.memory)},
    {"memory-swap", 0, OPTION_CUSTOM, "SIZE", "Limit of memory and swap together; -1: unlimited swap",
     AT(plan.memory_swap), run_set_swap},
    {"mount", 0, OPTION_CUSTOM, "MOUNT", "Attach a mount: type=bind|volume|tmpfs,source=…,target=…", 0,
     run_set_mount},
    {"name", 0, OPTION_CUSTOM, "NAME", "Name of the container", AT(plan.name), run_set_name},
    {"network", 0, OPTION_CUSTOM, "NETWORK", "Network: none is what there is so far", AT(plan.network),
     run_set_network, "none"},
    {"net", 0, OPTION_CUSTOM, "NETWORK", "The same as --network", AT(plan.network), run_set_network, "none"},
    {"no-healthcheck", 0, OPTION_BOOL, NULL, "Do not run the image's health check", AT(no_healthcheck)},
    {"pids-limit", 0, OPTION_CUSTOM, "NUMBER", "Limit of processes and threads; -1: unlimited", AT(plan.pids),
     run_set_limit},
    {"platform", 0, OPTION_STRING, "PLATFORM", "Platform of an image that is pulled (linux/arm64)",
     AT(platform)},
    {"profile", 0, OPTION_CUSTOM, "PROFILE", "Practices applied: standard, strict or compat", 0,
     run_set_profile, "standard strict compat"},
    {"pull", 0, OPTION_CUSTOM, "POLICY", "Pull the image: missing, always or never", 0, run_set_pull,
     "missing always never"},
    {"quiet", 'q', OPTION_BOOL, NULL, "No progress of a pull", AT(quiet)},
    {"read-only", 0, OPTION_BOOL, NULL, "Mount the root file system read-only", AT(plan.read_only)},
    {"restart", 0, OPTION_CUSTOM, "POLICY", "When it ends: no, on-failure[:N], always or unless-stopped",
     AT(plan.restart), run_set_restart, "no on-failure always unless-stopped"},
    {"rm", 0, OPTION_BOOL, NULL, "Remove the container when it ends", AT(plan.auto_remove)},
    {"security-opt", 0, OPTION_CUSTOM, "OPTION", "seccomp=FILE, apparmor=PROFILE, no-new-privileges", 0,
     run_set_security},
    {"shm-size", 0, OPTION_SIZE, "SIZE", "Size of /dev/shm", AT(plan.shm_size)},
    {"stop-signal", 0, OPTION_CUSTOM, "SIGNAL", "Signal that asks the container to end", AT(plan.stop_signal),
     run_set_stop_signal},
    {"stop-timeout", 0, OPTION_CUSTOM, "SECONDS", "Time to end before it is killed; -1: any",
     AT(plan.stop_timeout), run_set_stop_timeout},
    {"storage-opt", 0, OPTION_CUSTOM, "KEY=VALUE",
     "Limit what it may write to its root: size=10g, inodes=100000", AT(plan), run_set_storage_opt},
    {"sysctl", 0, OPTION_CUSTOM, "NAME=VALUE", "Set a kernel parameter of the container's namespaces",
     AT(plan.sysctls), run_set_sysctl},
    {"tmpfs", 0, OPTION_CUSTOM, "PATH[:OPTIONS]", "Mount a tmpfs (size=, mode=, uid=, gid=, exec, ro)", 0,
     run_set_tmpfs},
    {"tty", 't', OPTION_BOOL, NULL, "Give the container a terminal", AT(plan.tty)},
    {"ulimit", 0, OPTION_CUSTOM, "NAME=SOFT[:HARD]", "Set a resource limit (nofile=1024:2048)", 0,
     run_set_ulimit},
    {"user", 'u', OPTION_CUSTOM, "USER[:GROUP]", "User to run as: name or number", AT(plan.user),
     run_set_user},
    {"volume", 'v', OPTION_CUSTOM, "[SOURCE:]PATH[:MODE]", "Bind a directory of the host, or a volume", 0,
     run_set_volume},
    {"volumes-from", 0, OPTION_CUSTOM, "CONTAINER[:MODE]",
     "Mount what another container has mounted (ro: read-only)", AT(plan.volumes_from), run_set_volumes_from,
     "containers"},
    {"workdir", 'w', OPTION_CUSTOM, "DIRECTORY", "Working directory", AT(plan.working_dir),
     run_set_working_dir},
    {0},
};

const struct option_entry run_only_options[] = {
    {"detach", 'd', OPTION_BOOL, NULL, "Run in the background and print the container's id", AT(detach)},
    {"detach-keys", 0, OPTION_STRING, "KEYS", "Keys that leave the container running (ctrl-p,ctrl-q)",
     AT(detach_keys)},
    {"sig-proxy", 0, OPTION_BOOL, NULL, "Pass signals on to the container (default true)", AT(sig_proxy)},
    {0},
};

void run_options_clear(struct run_options *o)
{
    plan_clear(&o->plan);
    str_list_clear(&o->env);
    str_list_clear(&o->annotations);
    str_list_clear(&o->unset_env);
    str_list_clear(&o->env_files);
    str_list_clear(&o->labels);
    str_list_clear(&o->label_files);
}

/* IMAGE [COMMAND] [ARG...] */
static int read_command(const struct invocation *in, struct plan *p, struct err *e)
{
    if (!*in->arguments[0])
        return err_set(e, EINVAL, "the name of the image is empty");
    int r = str_copy(in->arguments[0], &p->image_reference, e);
    for (size_t i = 1; i < in->argument_count && r == 0; i++) {
        r = image_rule_argument(in->arguments[i], e);
        if (r == 0)
            r = str_list_add(&p->command, in->arguments[i], e);
    }
    return r;
}

static int check(struct run_options *o, struct err *e)
{
    if (o->detach && o->attach)
        return err_set(e, EINVAL, "--detach and --attach exclude each other");
    int r = run_check_mounts(&o->plan, e);
    if (r == 0)
        r = run_check_living(o, e);
    if (r == 0)
        r = run_check_logs(&o->plan, e);
    return r < 0 ? r : run_check_limits(o, e);
}

/* Everything that the plan keeps must be UTF-8: so it is JSON. */
static int check_text(const struct invocation *in, struct err *e)
{
    for (size_t i = 0; i < in->setting_count; i++)
        if (!str_is_utf8(in->settings[i].value))
            return err_set(e, EILSEQ, "the value of --%s is not UTF-8", in->settings[i].option->name);
    for (size_t i = 0; i < in->argument_count; i++)
        if (!str_is_utf8(in->arguments[i]))
            return err_set(e, EILSEQ, "argument %zu is not UTF-8", i + 1);
    return 0;
}

int run_options_read(const struct invocation *in, struct run_options *ret_options, struct err *e)
{
    _cleanup_run_options_ struct run_options o = {.sig_proxy = true, .pull = PLAN_PULL_MISSING};
    plan_init(&o.plan);
    int r = check_text(in, e);
    if (r == 0)
        r = options_apply(in, &o, e);
    if (r == 0)
        r = check(&o, e);
    if (r == 0)
        r = run_read_env(&o, e);
    if (r == 0)
        r = run_read_labels(&o, e);
    if (r == 0)
        r = run_read_annotations(&o, e);
    if (r == 0)
        r = run_settle_hosts(&o, e);
    if (r == 0)
        r = read_command(in, &o.plan, e);
    if (r < 0)
        return r;
    *ret_options = o;
    o = (struct run_options){0};
    return 0;
}
