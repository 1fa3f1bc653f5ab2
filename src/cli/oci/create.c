/* SPDX-License-Identifier: Apache-2.0 */
/* create, start, run. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/oci/oci.h"
#include "oci/create.h"

struct create_options {
    struct oci_create create;
    uint64_t preserve_fds;
    bool detach, keep, no_subreaper;
};

#define AT(member) offsetof(struct create_options, member)

static const struct option_entry create_table[] = {
    {"bundle", 'b', OPTION_STRING, "DIR", "The bundle: a directory with config.json (the current one)",
     AT(create.bundle), .complete = "files"},
    {"console-socket", 0, OPTION_STRING, "PATH", "Send the terminal's master to this socket",
     AT(create.console_socket), .complete = "files"},
    {"pid-file", 0, OPTION_STRING, "FILE", "Write the process id to FILE", AT(create.pid_file),
     .complete = "files"},
    {"no-pivot", 0, OPTION_BOOL, NULL, "Do not use pivot_root: for a root in RAM", AT(create.no_pivot)},
    {"no-new-keyring", 0, OPTION_BOOL, NULL, "Keep the caller's session keyring", AT(create.no_new_keyring)},
    {"preserve-fds", 0, OPTION_U64, "N", "Give N descriptors from 3 on to the container", AT(preserve_fds)},
    {0},
};

static const struct option_entry run_table[] = {
    {"detach", 'd', OPTION_BOOL, NULL, "Return when the program runs", AT(detach)},
    {"keep", 0, OPTION_BOOL, NULL, "Keep the container when it has ended", AT(keep)},
    {"no-subreaper", 0, OPTION_BOOL, NULL, "Ignored: there is no subreaper", AT(no_subreaper)},
    {0},
};

#define PRESERVE_MAX 1000

/* Sockets of a service manager, from descriptor 3 on, when they are for this process (sd_listen_fds(3)). They come before --preserve-fds. */
static uint64_t listening_sockets(void)
{
    const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
    uint64_t sockets = 0, ours = 0;
    struct err none = {0};
    if (!str_set(count) || !str_set(pid) || num_parse_u64(pid, INT32_MAX, &ours, &none) < 0 ||
        ours != (uint64_t)getpid() || num_parse_u64(count, UINT32_MAX, &sockets, &none) < 0)
        return 0;
    return sockets;
}

/* The socket of a service manager that waits until the container is ready (sd_notify(3)); NULL: nobody waits. */
static const char *manager_socket(void)
{
    const char *address = getenv("NOTIFY_SOCKET");
    return str_set(address) ? address : NULL;
}

static int read_options(const struct invocation *in, struct create_options *o, struct err *e)
{
    *o = (struct create_options){.create = {.bundle = "."}};
    int r = options_apply(in, o, e);
    if (r < 0)
        return r;
    uint64_t listening = listening_sockets();
    if (o->preserve_fds > PRESERVE_MAX || listening > PRESERVE_MAX)
        return err_set(e, EINVAL, "--preserve-fds: at most %d", PRESERVE_MAX);
    for (uint64_t i = 0; i < o->preserve_fds + listening; i++)
        if (fcntl(3 + (int)i, F_GETFD) < 0)
            return err_set(e, EBADF, "%s %llu: descriptor %d is not open",
                           i < listening ? "LISTEN_FDS" : "--preserve-fds",
                           (unsigned long long)(i < listening ? listening : o->preserve_fds), 3 + (int)i);
    o->create.preserve_fds = (unsigned)(o->preserve_fds + listening);
    o->create.listen_fds = (unsigned)listening;
    o->create.id = in->arguments[0];
    o->create.review = oci_review;
    o->create.systemd = oci_globals.systemd_cgroup;
    o->create.notify = manager_socket() != NULL;
    return o->create.notify ? oci_notify_check(manager_socket(), e) : 0;
}

/* The command line, and the directory of all containers, which is returned. */
static int begin(const struct invocation *in, struct create_options *o, struct err *e)
{
    int r = read_options(in, o, e);
    return r < 0 ? r : oci_root_open(oci_globals.root, e);
}

static int run_create(const struct invocation *in, struct err *e)
{
    struct create_options o;
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    _cleanup_close_ int terminal = -1;
    _cleanup_close_ int root = begin(in, &o, e);
    if (root < 0)
        return root;
    o.create.needs_console = true;
    return oci_create(root, &o.create, &c, &terminal, e);
}

const struct verb oci_verb_create = {
    .name = "oci create",
    .group = VERB_HIDDEN,
    .usage = "CONTAINER",
    .summary = "Make a container from a bundle, up to a process that waits for `start`",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {create_table},
    .run = run_create,
};

/* Lets the program run. The manager hears of readiness from who stays (`stays`: the command does, else it waits for that). */
static int start(struct oci_container *c, int process, bool stays, struct oci_notify *notify, struct err *e)
{
    int status = 1;
    /* Of one that runs, another command waits at the socket. */
    bool tell = manager_socket() && oci_container_status(c) == OCI_CREATED;
    int r = tell ? oci_notify_open(c, manager_socket(), notify, e) : 0;
    if (r == 0)
        r = oci_start(c, &status, e);
    if (r < 0)
        return r;
    /* Others may exec into it meanwhile, or kill it. */
    (void)flock(c->dir, LOCK_UN);
    notify->main_id = stays ? 0 : c->pid;
    return !stays && notify->socket >= 0 ? oci_notify_await(notify, process, e) : 0;
}

static int run_start(const struct invocation *in, struct err *e)
{
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    _cleanup_oci_notify_ struct oci_notify notify = OCI_NOTIFY_INIT;
    struct err gone = {0};
    int r = oci_open_argument(in, true, &c, e);
    if (r < 0)
        return r;
    _cleanup_close_ int process = oci_container_process(&c, &gone);
    return start(&c, process, false, &notify, e);
}

static const struct option_entry nothing[] = {{0}};

const struct verb oci_verb_start = {
    .name = "oci start",
    .group = VERB_HIDDEN,
    .usage = "CONTAINER",
    .summary = "Run the program of a container that was created",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {nothing},
    .run = run_start,
};

/* Says what went wrong while a container was removed that nobody needs any more. */
static void remove_quietly(struct oci_container *c)
{
    struct err e = {0};
    _cleanup_str_list_ struct str_list warnings = {0};
    if (oci_delete(c, true, &warnings, &e) < 0)
        oci_log("warning", e.text);
    for (size_t i = 0; i < warnings.count; i++)
        oci_log("warning", warnings.items[i]);
}

static int run_run(const struct invocation *in, struct err *e)
{
    struct create_options o;
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    _cleanup_close_ int terminal = -1;
    _cleanup_close_ int root = begin(in, &o, e);
    if (root < 0)
        return root;
    o.create.needs_console = o.detach;
    int r = oci_create(root, &o.create, &c, &terminal, e);
    if (r < 0)
        return r;
    _cleanup_oci_notify_ struct oci_notify notify = OCI_NOTIFY_INIT;
    _cleanup_close_ int process = oci_container_process(&c, e);
    r = process < 0 ? process : start(&c, process, !o.detach, &notify, e);
    if (r == 0 && !o.detach)
        r = oci_foreground(process, terminal, &notify, e);
    if (r < 0 || (!o.detach && !o.keep))
        remove_quietly(&c);
    return r;
}

const struct verb oci_verb_run = {
    .name = "oci run",
    .group = VERB_HIDDEN,
    .usage = "CONTAINER",
    .summary = "Make a container, run its program, wait for it and remove it",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {create_table, run_table},
    .run = run_run,
};
