/* SPDX-License-Identifier: Apache-2.0 */
/* exec. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/json.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/oci/oci.h"
#include "oci/exec.h"

#define GIDS_MAX 1024
#define EXEC_FAILED 255 /* as runc: so that it is not taken for the program's own */

struct exec_options {
    const char *process, *cwd, *user, *pid_file, *console_socket, *apparmor, *label, *cgroup;
    struct str_list env, gids, capabilities;
    uint64_t preserve_fds;
    bool tty, detach, no_new_privs, ignore_paused;
};

#define AT(member) offsetof(struct exec_options, member)

static const struct option_entry table[] = {
    {"process", 'p', OPTION_STRING, "FILE", "The process as JSON, instead of options and arguments",
     AT(process), .complete = "files"},
    {"cwd", 0, OPTION_STRING, "DIR", "Working directory in the container", AT(cwd)},
    {"env", 'e', OPTION_LIST, "NAME=VALUE", "Add to the environment", AT(env)},
    {"user", 'u', OPTION_STRING, "UID[:GID]", "User to run as", AT(user)},
    {"additional-gids", 'g', OPTION_LIST, "GID", "Additional groups", AT(gids)},
    {"tty", 't', OPTION_BOOL, NULL, "Give it a terminal", AT(tty)},
    {"detach", 'd', OPTION_BOOL, NULL, "Return when the program runs", AT(detach)},
    {"pid-file", 0, OPTION_STRING, "FILE", "Write the process id to FILE", AT(pid_file), .complete = "files"},
    {"console-socket", 0, OPTION_STRING, "PATH", "Send the terminal's master to this socket",
     AT(console_socket), .complete = "files"},
    {"cap", 'c', OPTION_LIST, "CAP", "Add a capability", AT(capabilities)},
    {"no-new-privs", 0, OPTION_BOOL, NULL, "Set no_new_privs", AT(no_new_privs)},
    {"apparmor", 0, OPTION_STRING, "PROFILE", "AppArmor profile", AT(apparmor)},
    {"process-label", 0, OPTION_STRING, "LABEL", "SELinux label", AT(label)},
    {"preserve-fds", 0, OPTION_U64, "N", "Give N descriptors from 3 on to the process", AT(preserve_fds)},
    {"cgroup", 0, OPTION_STRING, "PATH", "Control group below the container's own", AT(cgroup)},
    {"ignore-paused", 0, OPTION_BOOL, NULL, "Accepted; a paused container is not entered", AT(ignore_paused)},
    {0},
};

static void options_clear(struct exec_options *o)
{
    str_list_clear(&o->env);
    str_list_clear(&o->gids);
    str_list_clear(&o->capabilities);
}

/* What lives as long as the process that is put together. */
struct composed {
    struct oci_process process;
    struct json_object *document; /* of --process */
    struct str_list env, capabilities;
    int64_t gids[GIDS_MAX];
};

static void composed_clear(struct composed *c)
{
    if (c->document) /* else the lists are the container's, or the command line's */
        oci_process_clear(&c->process);
    json_object_put(c->document);
    str_list_clear(&c->env);
    str_list_clear(&c->capabilities);
}

static int parse_id(const char *text, size_t length, struct schema_number *ret, struct err *e)
{
    char number[16];
    uint64_t value;
    if (length >= sizeof(number))
        return err_set(e, EINVAL, "user %.32s: is not a number", text);
    memcpy(number, text, length);
    number[length] = '\0';
    int r = num_parse_u64(number, UINT32_MAX - 1, &value, e);
    *ret = (struct schema_number){r == 0, r == 0 ? (int64_t)value : 0};
    return r < 0 ? err_wrap(e, "user %s", text) : 0;
}

static int set_user(const char *user, struct oci_user *u, struct err *e)
{
    const char *colon = strchrnul(user, ':');
    int r = parse_id(user, (size_t)(colon - user), &u->uid, e);
    return r == 0 && *colon ? parse_id(colon + 1, strlen(colon + 1), &u->gid, e) : r;
}

static int set_groups(const struct str_list *words, struct composed *c, struct err *e)
{
    if (words->count > GIDS_MAX)
        return err_set(e, E2BIG, "more than %d additional groups", GIDS_MAX);
    for (size_t i = 0; i < words->count; i++) {
        struct schema_number gid;
        int r = parse_id(words->items[i], strlen(words->items[i]), &gid, e);
        if (r < 0)
            return r;
        c->gids[i] = gid.value;
    }
    c->process.user.additional_gids = (struct schema_list){words->count, c->gids};
    return 0;
}

static int add_strings(const struct schema_list *before, const struct str_list *more, struct str_list *ret,
                       struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < before->count && r == 0; i++)
        r = str_list_add(ret, *OCI_ITEM(before, char *, i), e);
    for (size_t i = 0; i < more->count && r == 0; i++)
        r = str_list_add(ret, more->items[i], e);
    return r;
}

static struct schema_list as_list(const struct str_list *l)
{
    return (struct schema_list){l->count, l->items};
}

/* Given capabilities are had: bounding, permitted, effective; the others of the container stay as they are. */
static int add_capabilities(const struct str_list *more, struct composed *c, struct err *e)
{
    struct oci_capabilities *had = &c->process.capabilities;
    if (more->count == 0)
        return 0;
    int r = add_strings(&had->bounding, more, &c->capabilities, e);
    had->bounding = had->permitted = had->effective = as_list(&c->capabilities);
    return r;
}

static int compose(const struct oci_container *container, const struct exec_options *o, char **words,
                   size_t count, struct composed *c, struct err *e)
{
    const struct oci_process *base = &container->config.process;
    c->process = *base;
    c->process.args = (struct schema_list){count, words};
    c->process.terminal = o->tty;
    c->process.console_size = (struct oci_box){0};
    c->process.user.additional_gids = (struct schema_list){0};
    if (o->cwd)
        c->process.cwd = o->cwd;
    if (o->apparmor)
        c->process.apparmor_profile = o->apparmor;
    if (o->label)
        c->process.selinux_label = o->label;
    c->process.no_new_privileges = c->process.no_new_privileges || o->no_new_privs;
    if (count == 0)
        return err_set(e, EINVAL, "process args cannot be empty");
    if (*c->process.cwd != '/')
        return err_set(e, EINVAL, "--cwd %s: must be an absolute path", c->process.cwd);
    int r = o->user ? set_user(o->user, &c->process.user, e) : 0;
    if (r == 0)
        r = set_groups(&o->gids, c, e);
    if (r == 0)
        r = add_strings(&base->env, &o->env, &c->env, e);
    c->process.env = as_list(&c->env);
    return r == 0 ? add_capabilities(&o->capabilities, c, e) : r;
}

static int read_process(const char *path, struct composed *c, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = io_read_path(path, OCI_CONFIG_MAX, &text, e);
    if (r == 0)
        r = oci_process_read(text.data ? text.data : "", text.length, &c->process, &c->document, e);
    return r < 0 ? err_wrap(e, "--process %s", path) : 0;
}

static int execute(const struct invocation *in, const struct exec_options *o, struct err *e)
{
    _cleanup_oci_container_ struct oci_container container = OCI_CONTAINER_INIT;
    _cleanup_(composed_clear) struct composed c = {0};
    struct oci_executed done = {.pidfd = -1, .terminal = -1};
    int status = EXEC_FAILED;
    int r = oci_open_argument(in, true, &container, e);
    if (r == 0)
        r = o->process ? read_process(o->process, &c, e)
                       : compose(&container, o, in->arguments + 1, in->argument_count - 1, &c, e);
    if (r == 0)
        r = oci_review_process(&container, &c.process, e);
    if (r < 0)
        return r;
    /* A document that says nothing of capabilities leaves the process those of the container: runc's reading. */
    struct oci_process process = c.process;
    if (!process.capabilities.set)
        process.capabilities = container.config.process.capabilities;
    const struct oci_exec x = {.process = &process,
                               .console_socket = o->console_socket,
                               .pid_file = o->pid_file,
                               .preserve_fds = (unsigned)o->preserve_fds,
                               .needs_console = o->detach,
                               .sub_group = o->cgroup};
    r = oci_exec(&container, &x, &done, &status, e);
    if (r < 0) {
        oci_log("error", e->text);
        return status;
    }
    (void)flock(container.dir, LOCK_UN);
    r = o->detach ? 0 : oci_foreground(done.pidfd, done.terminal, NULL, e);
    close_fd(&done.pidfd);
    close_fd(&done.terminal);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    _cleanup_(options_clear) struct exec_options o = {0};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = execute(in, &o, e);
    if (r >= 0)
        return r;
    oci_log("error", e->text);
    return EXEC_FAILED;
}

const struct verb oci_verb_exec = {
    .name = "oci exec",
    .flags = VERB_STOPS,
    .group = VERB_HIDDEN,
    .usage = "CONTAINER [COMMAND [ARG...]]",
    .summary = "Run another process in a container",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .options = {table},
    .run = run,
};
