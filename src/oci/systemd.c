/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes of systemd (systemd.h): names, starting, stopping. */
#include "oci/systemd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/str.h"

#define MANAGER "org.freedesktop.systemd1"
#define PREFIX "casemate"
#define ANNOTATION "org.systemd.property."
#define JOB_MS 30000
#define NS_PER_MS 1000000
#define OWN_GROUPS_MAX (64U << 10)
#define ERROR_NAME_MAX 128
#define UNIT_EXISTS MANAGER ".UnitExists"
#define NO_SUCH_UNIT MANAGER ".NoSuchUnit"

/* ---- names ---- */

/* Characters that the name of a unit can have (systemd.unit(5)). */
static bool may_be_in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr(":-_.\\@", c));
}

static int add_escaped(char *to, size_t size, const char *text, size_t length, struct err *e)
{
    size_t n = strlen(to);
    for (size_t i = 0; i < length; i++) {
        char one[5] = {text[i], '\0'};
        if (!may_be_in_name(text[i]))
            (void)snprintf(one, sizeof(one), "\\x%02x", (unsigned)(unsigned char)text[i]);
        if (n + strlen(one) + 1 > size)
            return err_set(e, ENAMETOOLONG, "linux.cgroupsPath: the unit's name has more than %d characters",
                           OCI_UNIT_MAX);
        memcpy(to + n, one, strlen(one) + 1);
        n += strlen(one);
    }
    return 0;
}

static int check_slice(const char *slice, struct err *e)
{
    bool allowed = str_ends_with(slice, ".slice") && !strchr(slice, '/') && *slice != '.';
    for (const char *c = slice; *c && allowed; c++)
        allowed = may_be_in_name(*c);
    return allowed ? 0 : err_set(e, EINVAL, "linux.cgroupsPath: \"%.64s\" is no name of a slice", slice);
}

int oci_unit_name(const char *cgroups_path, const char *id, bool user, struct oci_unit *ret, struct err *e)
{
    struct oci_unit u = {0};
    const char *path = str_set(cgroups_path) ? cgroups_path : "::";
    const char *first = strchr(path, ':');
    const char *second = first ? strchr(first + 1, ':') : NULL;
    if (!second || strchr(second + 1, ':'))
        return err_set(
            e, EINVAL,
            "linux.cgroupsPath: expected to be of the form \"slice:prefix:name\" with --systemd-cgroup, "
            "got \"%.200s\"",
            path);
    size_t slice_length = (size_t)(first - path);
    size_t prefix_length = (size_t)(second - first - 1);
    const char *name = second[1] ? second + 1 : id;
    if (str_ends_with(name, ".slice"))
        return err_set(e, ENOTSUP, "linux.cgroupsPath: \"%.64s\": a container is a scope, not a slice", name);
    if (slice_length > OCI_UNIT_MAX)
        return err_set(e, ENAMETOOLONG, "linux.cgroupsPath: the slice's name has more than %d characters",
                       OCI_UNIT_MAX);
    if (slice_length > 0)
        memcpy(u.slice, path, slice_length);
    else
        (void)snprintf(u.slice, sizeof(u.slice), "%s", user ? "user.slice" : "system.slice");
    int r = check_slice(u.slice, e);
    if (r == 0)
        r = str_set(cgroups_path) ? add_escaped(u.scope, sizeof(u.scope), first + 1, prefix_length, e)
                                  : add_escaped(u.scope, sizeof(u.scope), PREFIX, strlen(PREFIX), e);
    if (r == 0 && *u.scope)
        r = add_escaped(u.scope, sizeof(u.scope), "-", 1, e);
    if (r == 0)
        r = add_escaped(u.scope, sizeof(u.scope), name, strlen(name), e);
    if (r == 0)
        r = add_escaped(u.scope, sizeof(u.scope), ".scope", strlen(".scope"), e);
    if (r == 0)
        *ret = u;
    return r;
}

/* ---- talking to the manager ---- */

struct dbus_call oci_manager_call(const char *member, const char *signature, const struct dbus_writer *body)
{
    return (struct dbus_call){.destination = MANAGER,
                              .path = "/org/freedesktop/systemd1",
                              .interface = MANAGER ".Manager",
                              .member = member,
                              .signature = signature,
                              .body = body};
}

/* Signals are sent to who has subscribed, and passed on by the bus to who has asked it to. */
static int subscribe(struct dbus *b, struct err *e)
{
    _cleanup_dbus_writer_ struct dbus_writer rule = {.e = e};
    dbus_put_string(&rule, "type='signal',sender='" MANAGER "',interface='" MANAGER
                           ".Manager',member='JobRemoved',path='/org/freedesktop/systemd1'");
    struct dbus_call match = {.destination = "org.freedesktop.DBus",
                              .path = "/org/freedesktop/DBus",
                              .interface = "org.freedesktop.DBus",
                              .member = "AddMatch",
                              .signature = "s",
                              .body = &rule};
    struct dbus_call call = oci_manager_call("Subscribe", NULL, NULL);
    int r = dbus_ask(b, &match, NULL, NULL, 0, e);
    return r == 0 ? dbus_ask(b, &call, NULL, NULL, 0, e) : r;
}

/* Waits for a job's end: JobRemoved has its number, its path, the unit and the result. The ends of other jobs give it no more time. */
static int await_job(struct dbus *b, const char *job, struct err *e)
{
    int64_t end = clock_monotonic() + (int64_t)JOB_MS * NS_PER_MS;
    for (;;) {
        struct dbus_message m;
        uint32_t number;
        const char *path = "", *unit = "", *result = "";
        int r = dbus_await(b, "JobRemoved", (int)((end - clock_monotonic()) / NS_PER_MS), &m, e);
        struct dbus_reader reader = {.bytes = m.body, .length = m.body_length};
        if (r == 0)
            r = dbus_get_u32(&reader, &number, e);
        if (r == 0)
            r = dbus_get_string(&reader, &path, e);
        if (r == 0)
            r = dbus_get_string(&reader, &unit, e);
        if (r == 0)
            r = dbus_get_string(&reader, &result, e);
        if (r < 0)
            return r;
        if (str_equal(path, job))
            return str_equal(result, "done")
                       ? 0
                       : err_set(e, EREMOTEIO, "systemd's job ended with \"%.32s\"", result);
    }
}

/* Calls a method that answers with a job, and waits for that one. */
static int do_job(struct dbus *b, struct dbus_call *c, char *ret_error, struct err *e)
{
    struct dbus_message m;
    const char *path = "";
    char job[256];
    int r = dbus_ask(b, c, &m, ret_error, ERROR_NAME_MAX, e);
    struct dbus_reader reader = {.bytes = r < 0 ? NULL : m.body, .length = r < 0 ? 0 : m.body_length};
    if (r == 0)
        r = dbus_get_string(&reader, &path, e);
    if (r == 0)
        r = str_put(job, sizeof(job), path, e);
    return r == 0 ? await_job(b, job, e) : r;
}

static int forget_failed(struct dbus *b, const char *scope, struct err *e)
{
    _cleanup_dbus_writer_ struct dbus_writer body = {.e = e};
    dbus_put_string(&body, scope);
    struct dbus_call call = oci_manager_call("ResetFailedUnit", "s", &body);
    return dbus_ask(b, &call, NULL, NULL, 0, e);
}

/* ---- starting ---- */

static int add_annotations(struct dbus_writer *w, const struct oci_config *c, struct err *e)
{
    for (size_t i = 0; i < c->annotations.count; i++) {
        const struct oci_pair *p = OCI_ITEM(&c->annotations, struct oci_pair, i);
        const char *name = str_after(p->key, ANNOTATION);
        int r = name ? oci_property_parse(w, name, p->value, e) : 0;
        if (r < 0)
            return err_wrap(e, "annotations: %.200s", p->key);
    }
    return 0;
}

static int write_start(struct dbus_writer *w, const struct oci_unit *u, pid_t holder,
                       const struct oci_config *c, struct err *e)
{
    dbus_put_string(w, u->scope);
    dbus_put_string(w, "replace");
    size_t properties = dbus_open_array(w, 8);
    oci_property_string(w, "Description", "Container of casemate-runtime");
    oci_property_string(w, "Slice", u->slice);
    oci_property_bool(w, "Delegate", true);
    oci_property_bool(w, "DefaultDependencies", false);
    oci_property_string(w, "CollectMode", "inactive-or-failed");
    static const char *const accounting[] = {"CPUAccounting", "MemoryAccounting", "IOAccounting",
                                             "TasksAccounting"};
    for (size_t i = 0; i < ARRAY_SIZE(accounting); i++)
        oci_property_bool(w, accounting[i], true);
    dbus_open_struct(w);
    dbus_put_string(w, "PIDs");
    dbus_put_signature(w, "au");
    size_t pids = dbus_open_array(w, sizeof(uint32_t));
    dbus_put_u32(w, (uint32_t)holder);
    dbus_close_array(w, pids, sizeof(uint32_t));
    int r = add_annotations(w, c, e);
    dbus_close_array(w, properties, 8);
    size_t auxiliary = dbus_open_array(w, 8);
    dbus_close_array(w, auxiliary, 8);
    return r;
}

/* Does nothing until it is ended; also when the command ends before that. */
static pid_t make_holder(struct err *e)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return err_errno(e, "fork");
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (getppid() == parent)
            pause();
        _exit(0);
    }
    return pid;
}

void oci_scope_close(struct oci_scope *s)
{
    if (s->holder > 0) {
        (void)kill(s->holder, SIGKILL);
        while (waitpid(s->holder, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    dbus_close(&s->bus);
    *s = (struct oci_scope)OCI_SCOPE_INIT;
}

int oci_scope_start(const struct oci_unit *u, bool user, const struct oci_config *c, struct oci_scope *ret,
                    struct err *e)
{
    _cleanup_(oci_scope_close) struct oci_scope s = OCI_SCOPE_INIT;
    _cleanup_dbus_writer_ struct dbus_writer body = {.e = e};
    char error[ERROR_NAME_MAX];
    int r = dbus_open(user, &s.bus, e);
    if (r == 0)
        r = subscribe(&s.bus, e);
    if (r == 0)
        r = (s.holder = make_holder(e)) < 0 ? s.holder : 0;
    if (r == 0)
        r = write_start(&body, u, s.holder, c, e);
    if (r < 0)
        return err_wrap(e, "start %s", u->scope);
    struct dbus_call call = oci_manager_call("StartTransientUnit", "ssa(sv)a(sa(sv))", &body);
    r = do_job(&s.bus, &call, error, e);
    if (r < 0 && str_equal(error, UNIT_EXISTS) && forget_failed(&s.bus, u->scope, e) == 0) {
        err_clear(e);
        r = do_job(&s.bus, &call, error, e);
    }
    if (r < 0)
        return err_wrap(e, "start %s", u->scope);
    *ret = s;
    s = (struct oci_scope)OCI_SCOPE_INIT;
    return 0;
}

/* v1's own hierarchy of systemd where there is one; else, and on v2, the unified one. */
static const char *find_path(const char *text)
{
    const char *named = strstr(text, ":name=systemd:/");
    const char *unified = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
    return named ? strchr(named, '/') : unified ? strchr(unified, '/') : NULL;
}

int oci_scope_path(const struct oci_scope *s, char **ret, struct err *e)
{
    char file[40];
    _cleanup_buf_ struct buf text = {0};
    (void)snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)s->holder);
    int r = io_read_path(file, OWN_GROUPS_MAX, &text, e);
    if (r < 0)
        return r;
    const char *path = text.data ? find_path(text.data) : NULL;
    if (!path)
        return err_set(e, ENOENT, "systemd has no control groups here");
    return str_copy_n(path, strcspn(path, "\n"), ret, e);
}

int oci_scope_attach(const char *scope, const char *below, bool user, pid_t pid, struct err *e)
{
    _cleanup_dbus_ struct dbus bus = DBUS_INIT;
    _cleanup_dbus_writer_ struct dbus_writer body = {.e = e};
    _cleanup_free_ char *path = NULL;
    int r = str_format(&path, e, "%s%s", below ? "/" : "", below ? below : "");
    if (r == 0)
        r = dbus_open(user, &bus, e);
    if (r < 0)
        return r;
    dbus_put_string(&body, scope);
    dbus_put_string(&body, path);
    size_t pids = dbus_open_array(&body, sizeof(uint32_t));
    dbus_put_u32(&body, (uint32_t)pid);
    dbus_close_array(&body, pids, sizeof(uint32_t));
    struct dbus_call call = oci_manager_call("AttachProcessesToUnit", "ssau", &body);
    r = dbus_ask(&bus, &call, NULL, NULL, 0, e);
    return r < 0 ? err_wrap(e, "move a process to %s", scope) : 0;
}

/* ---- stopping ---- */

int oci_scope_stop(const char *scope, bool user, struct err *e)
{
    _cleanup_dbus_ struct dbus bus = DBUS_INIT;
    _cleanup_dbus_writer_ struct dbus_writer body = {.e = e};
    struct err ignored = {0};
    char error[ERROR_NAME_MAX] = "";
    int r = dbus_open(user, &bus, e);
    if (r == 0)
        r = subscribe(&bus, e);
    dbus_put_string(&body, scope);
    dbus_put_string(&body, "replace");
    struct dbus_call call = oci_manager_call("StopUnit", "ss", &body);
    if (r == 0)
        r = do_job(&bus, &call, error, e);
    if (r < 0 && str_equal(error, NO_SUCH_UNIT)) {
        err_clear(e);
        return 0;
    }
    if (r == 0)
        (void)forget_failed(&bus, scope, &ignored);
    return r < 0 ? err_wrap(e, "stop %s", scope) : 0;
}
