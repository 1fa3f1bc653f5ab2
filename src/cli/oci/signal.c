/* SPDX-License-Identifier: Apache-2.0 */
/* kill, pause, resume, delete. */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/imagerules.h"
#include "base/path.h"
#include "base/str.h"
#include "base/syscalls.h"
#include "cli/oci/oci.h"
#include "oci/create.h"

struct kill_options {
    bool all;
};

static const struct option_entry kill_table[] = {
    {"all", 'a', OPTION_BOOL, NULL, "Signal every process of the container",
     offsetof(struct kill_options, all)},
    {0},
};

static int signal_all(const struct oci_container *c, int sig, struct err *e)
{
    _cleanup_oci_cgroup_ struct oci_cgroup g = {0};
    int r = oci_cgroup_open(&c->cgroup, &g, e);
    return r == 0 ? oci_cgroup_signal(&g, sig, e) : r;
}

/* Without a process namespace of its own nothing ends the others when the first one does. */
static bool shares_processes(const struct oci_container *c)
{
    const struct oci_namespace *n = oci_config_namespace(&c->config, CLONE_NEWPID);
    return !n || str_set(n->path);
}

static int run_kill(const struct invocation *in, struct err *e)
{
    struct kill_options o = {0};
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    const char *word = in->argument_count > 1 ? in->arguments[1] : "SIGTERM";
    int sig = image_rule_signal_number(word);
    int r = options_apply(in, &o, e);
    if (r == 0 && sig == 0)
        r = err_set(e, EINVAL, "unknown signal \"%.32s\"", word);
    if (r == 0)
        r = oci_open_argument(in, true, &c, e);
    if (r < 0)
        return r;
    if (o.all || (sig == SIGKILL && shares_processes(&c)))
        return signal_all(&c, sig, e);
    _cleanup_close_ int process = oci_container_process(&c, e);
    if (process < 0)
        return process;
    if (sys_pidfd_send_signal(process, sig) < 0)
        return errno == ESRCH ? err_set(e, ESRCH, "container not running")
                              : err_errno(e, "signal the container's process");
    /* A stopped process takes its end only when it goes on. */
    _cleanup_oci_cgroup_ struct oci_cgroup g = {0};
    struct err ignored = {0};
    if (sig == SIGKILL && oci_cgroup_open(&c.cgroup, &g, &ignored) == 0 && oci_cgroup_is_frozen(&g))
        (void)oci_cgroup_freeze(&g, false, &ignored);
    return 0;
}

const struct verb oci_verb_kill = {
    .name = "oci kill",
    .group = VERB_HIDDEN,
    .usage = "CONTAINER [SIGNAL]",
    .summary = "Send a signal to a container's first process (TERM)",
    .arguments_min = 1,
    .arguments_max = 2,
    .options = {kill_table},
    .run = run_kill,
};

static const struct option_entry nothing[] = {{0}};

static int set_frozen(const struct invocation *in, bool frozen, struct err *e)
{
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    _cleanup_oci_cgroup_ struct oci_cgroup g = {0};
    int r = oci_open_argument(in, true, &c, e);
    if (r < 0)
        return r;
    enum oci_status status = oci_container_status(&c);
    if (frozen ? status != OCI_RUNNING && status != OCI_CREATED : status != OCI_PAUSED)
        return err_set(e, EINVAL,
                       frozen ? "container not running or created: %s" : "container not paused: %s",
                       oci_status_name(status));
    r = oci_cgroup_open(&c.cgroup, &g, e);
    return r == 0 ? oci_cgroup_freeze(&g, frozen, e) : r;
}

static int run_pause(const struct invocation *in, struct err *e)
{
    return set_frozen(in, true, e);
}

static int run_resume(const struct invocation *in, struct err *e)
{
    return set_frozen(in, false, e);
}

const struct verb oci_verb_pause = {
    .name = "oci pause",
    .group = VERB_HIDDEN,
    .usage = "CONTAINER",
    .summary = "Stop all processes of a container for a while",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {nothing},
    .run = run_pause,
};

const struct verb oci_verb_resume = {
    .name = "oci resume",
    .group = VERB_HIDDEN,
    .usage = "CONTAINER",
    .summary = "Let the processes of a paused container go on",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {nothing},
    .run = run_resume,
};

struct delete_options {
    bool force;
};

static const struct option_entry delete_table[] = {
    {"force", 'f', OPTION_BOOL, NULL, "Kill it when it runs; no error when it is not there",
     offsetof(struct delete_options, force)},
    {0},
};

/* What a `create` left that was killed before it had written a state: no process and no group belong to it. */
static int remove_remains(const char *id, struct err *e)
{
    _cleanup_close_ int root = oci_root_open(oci_globals.root, e);
    return root < 0 ? root : path_remove_tree_at(root, id, e);
}

static int run_delete(const struct invocation *in, struct err *e)
{
    struct delete_options o = {0};
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    _cleanup_str_list_ struct str_list warnings = {0};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = oci_open_argument(in, true, &c, e);
    if (r == -ENOENT && o.force) {
        err_clear(e);
        return oci_id_check(in->arguments[0], e) < 0 ? -EINVAL : remove_remains(in->arguments[0], e);
    }
    if (r == 0)
        r = oci_delete(&c, o.force, &warnings, e);
    for (size_t i = 0; i < warnings.count; i++)
        oci_log("warning", warnings.items[i]);
    return r;
}

const struct verb oci_verb_delete = {
    .name = "oci delete",
    .group = VERB_HIDDEN,
    .usage = "CONTAINER",
    .summary = "Remove a container and everything that it had",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {delete_table},
    .run = run_delete,
};
