/* SPDX-License-Identifier: Apache-2.0 */
/* The job of casemate-enter (job.h). */
#include "oci/job.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/capname.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/program.h"
#include "base/str.h"
#include "runtime/fsmount.h"

#define ENTER_PROGRAM "casemate-enter"
#define PROGRAM_MAX (16U << 20)
#define IO_CLASS_SHIFT 13 /* linux/ioprio.h */
#define ALIGNMENT 8
#define HOOKS_MAX 64 /* of startContainer */

/* The file as it grows. Errors are kept until the end: nothing is lost by writing on. */
struct writer {
    struct buf bytes;
    struct err *e;
    int result;
};

static uint32_t put(struct writer *w, const void *data, size_t size)
{
    static const char zeros[ALIGNMENT];
    size_t pad = (ALIGNMENT - w->bytes.length % ALIGNMENT) % ALIGNMENT;
    if (w->result == 0)
        w->result = buf_add(&w->bytes, zeros, pad, ENTER_JOB_MAX, w->e);
    uint32_t at = (uint32_t)w->bytes.length;
    if (w->result == 0)
        w->result = buf_add(&w->bytes, data, size, ENTER_JOB_MAX, w->e);
    return at;
}

static uint32_t put_text(struct writer *w, const char *text)
{
    return text ? put(w, text, strlen(text) + 1) : 0;
}

static struct enter_strings put_strings(struct writer *w, const struct schema_list *list)
{
    struct enter_strings s = {.offset = put(w, "", 0), .count = (uint32_t)list->count};
    for (size_t i = 0; i < list->count && w->result == 0; i++) {
        const char *text = *OCI_ITEM(list, char *, i);
        w->result = buf_add(&w->bytes, text, strlen(text) + 1, ENTER_JOB_MAX, w->e);
    }
    return s;
}

/* The environment; with sockets that were handed over, what sd_listen_fds(3) looks for in the container's first process. */
static struct enter_strings put_env(struct writer *w, const struct schema_list *env, unsigned listen_fds)
{
    struct enter_strings s = {.offset = put(w, "", 0)};
    char count[32];
    (void)snprintf(count, sizeof(count), "LISTEN_FDS=%u", listen_fds);
    const char *const told[] = {count, "LISTEN_PID=1"};
    for (size_t i = 0; i < env->count && w->result == 0; i++) {
        const char *text = *OCI_ITEM(env, char *, i);
        if (listen_fds > 0 && (str_after(text, "LISTEN_FDS=") || str_after(text, "LISTEN_PID=")))
            continue;
        w->result = buf_add(&w->bytes, text, strlen(text) + 1, ENTER_JOB_MAX, w->e);
        s.count++;
    }
    for (size_t i = 0; i < ARRAY_SIZE(told) && listen_fds > 0 && w->result == 0; i++) {
        w->result = buf_add(&w->bytes, told[i], strlen(told[i]) + 1, ENTER_JOB_MAX, w->e);
        s.count++;
    }
    return s;
}

static uint64_t capability_set(const struct schema_list *names, struct str_list *unknown, struct err *e)
{
    uint64_t set = 0;
    for (size_t i = 0; i < names->count; i++) {
        const char *name = *OCI_ITEM(names, char *, i);
        int n = cap_number(name, strlen(name));
        if (n >= 0)
            set |= CAP_BIT(n);
        else if (unknown && !str_list_has(unknown, name))
            (void)str_list_add(unknown, name, e);
    }
    return set;
}

static void put_capabilities(struct enter_job *job, const struct oci_capabilities *c,
                             struct str_list *unknown, struct err *e)
{
    job->flags |= ENTER_CAPABILITIES;
    job->bounding = capability_set(&c->bounding, unknown, e);
    job->effective = capability_set(&c->effective, unknown, e);
    job->permitted = capability_set(&c->permitted, unknown, e);
    job->inheritable = capability_set(&c->inheritable, unknown, e);
    job->ambient = capability_set(&c->ambient, unknown, e);
}

static void put_rlimits(struct writer *w, struct enter_job *job, const struct schema_list *rlimits)
{
    job->rlimit_count = (uint32_t)rlimits->count;
    job->rlimit_offset = put(w, "", 0);
    for (size_t i = 0; i < rlimits->count; i++) {
        const struct oci_rlimit *l = OCI_ITEM(rlimits, struct oci_rlimit, i);
        const struct enter_rlimit limit = {
            .resource = (uint32_t)l->type,
            .soft = l->soft.value == INT64_MAX ? UINT64_MAX : (uint64_t)l->soft.value,
            .hard = l->hard.value == INT64_MAX ? UINT64_MAX : (uint64_t)l->hard.value,
        };
        (void)put(w, &limit, sizeof(limit));
    }
}

static void put_ids(struct writer *w, struct enter_job *job, const struct oci_job *j)
{
    const struct oci_user *u = &j->process->user;
    job->uid = (uint32_t)u->uid.value;
    job->gid = (uint32_t)u->gid.value;
    job->umask = (uint32_t)u->umask.value;
    job->flags |= (u->umask.set ? ENTER_UMASK : 0) | (j->set_groups ? ENTER_SET_GROUPS : 0);
    job->group_count = (uint32_t)u->additional_gids.count;
    job->group_offset = put(w, "", 0);
    for (size_t i = 0; i < u->additional_gids.count && w->result == 0; i++) {
        uint32_t gid = (uint32_t)*OCI_ITEM(&u->additional_gids, int64_t, i);
        w->result = buf_add(&w->bytes, &gid, sizeof(gid), ENTER_JOB_MAX, w->e);
    }
}

static void put_scheduling(struct enter_job *job, const struct oci_job *j)
{
    const struct oci_scheduler *s = &j->process->scheduler;
    const struct oci_io_priority *io = &j->process->io_priority;
    const struct oci_personality *p = &j->config->linux_part.personality;
    if (s->set) {
        job->flags |= ENTER_SCHEDULER;
        job->scheduler = (struct enter_scheduler){
            .size = sizeof(job->scheduler),
            .policy = (uint32_t)s->policy,
            .flags = s->flags,
            .nice = (int32_t)s->nice.value,
            .priority = (uint32_t)s->priority.value,
            .runtime = (uint64_t)s->runtime.value,
            .deadline = (uint64_t)s->deadline.value,
            .period = (uint64_t)s->period.value,
        };
    }
    if (io->set) {
        job->flags |= ENTER_IO_PRIORITY;
        job->io_priority = (uint32_t)(io->class << IO_CLASS_SHIFT | (int)io->priority.value);
    }
    if (p->set) {
        job->flags |= ENTER_PERSONALITY;
        job->personality = (uint64_t)p->domain;
    }
}

/* "0-3,7" as a set of processors. */
static int put_affinity(struct writer *w, struct enter_job *job, const char *text, struct err *e)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const char *at = text; *at;) {
        char *end;
        unsigned long first = strtoul(at, &end, 10);
        unsigned long last = first;
        bool number = end != at && *at >= '0' && *at <= '9';
        if (number && *end == '-') {
            at = end + 1;
            last = strtoul(at, &end, 10);
            number = end != at && *at >= '0' && *at <= '9';
        }
        if (!number || last < first || last >= CPU_SETSIZE || (*end && *end != ','))
            return err_set(e, EINVAL, "process.execCPUAffinity: \"%.64s\" is no list of processors", text);
        for (unsigned long cpu = first; cpu <= last; cpu++)
            CPU_SET(cpu, &set);
        at = *end ? end + 1 : end;
    }
    job->flags |= ENTER_AFFINITY;
    job->affinity_offset = put(w, &set, sizeof(set));
    job->affinity_size = sizeof(set);
    return 0;
}

/* The process id is known to the process itself alone: it is in the namespace that the hooks are in. */
static void put_state(struct writer *w, struct enter_job *job, const char *state)
{
    static const char member[] = "\"pid\":";
    const char *at = strstr(state, member);
    char *before = at ? strndup(state, (size_t)(at - state) + sizeof(member) - 1) : NULL;
    if (!before) {
        w->result = err_oom(w->e);
        return;
    }
    at += sizeof(member) - 1;
    job->state = put_text(w, before);
    job->state_end = put_text(w, at + strspn(at, "0123456789"));
    free(before);
}

static void put_hooks(struct writer *w, struct enter_job *job, const struct oci_job *j)
{
    const struct schema_list *hooks = &j->config->hooks.start_container;
    struct enter_hook all[HOOKS_MAX];
    if (!j->state || hooks->count == 0)
        return;
    if (hooks->count > ARRAY_SIZE(all)) {
        w->result = err_set(w->e, E2BIG, "hooks.startContainer: has more than %zu items", ARRAY_SIZE(all));
        return;
    }
    for (size_t i = 0; i < hooks->count; i++) {
        const struct oci_hook *h = OCI_ITEM(hooks, struct oci_hook, i);
        all[i] = (struct enter_hook){.path = put_text(w, h->path),
                                     .timeout = (uint32_t)h->timeout.value,
                                     .args = put_strings(w, &h->args),
                                     .env = put_strings(w, &h->env)};
    }
    job->hook_count = (uint32_t)hooks->count;
    job->hook_offset = put(w, all, hooks->count * sizeof(*all));
    put_state(w, job, j->state);
}

/* AppArmor has a file of its own since Linux 5.8, which works beside other LSMs; the old one is everybody's. */
static void put_label(struct writer *w, struct enter_job *job, const struct oci_process *p)
{
    char text[512];
    if (str_set(p->apparmor_profile) && !str_equal(p->apparmor_profile, "unconfined")) {
        (void)snprintf(text, sizeof(text), "exec %s", p->apparmor_profile);
        job->label_file =
            put_text(w, faccessat(AT_FDCWD, "/proc/thread-self/attr/apparmor/exec", F_OK, 0) == 0
                            ? "attr/apparmor/exec"
                            : "attr/exec");
        job->label = put_text(w, text);
    } else if (str_set(p->selinux_label)) {
        job->label_file = put_text(w, "attr/exec");
        job->label = put_text(w, p->selinux_label);
    }
}

static int seal(const struct writer *w, struct err *e)
{
    _cleanup_close_ int fd = memfd_create("casemate-job", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_errno(e, "make a memory file");
    int r = io_write_all(fd, w->bytes.data, w->bytes.length, e);
    if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        r = err_errno(e, "seal a memory file");
    return r < 0 ? r : steal_fd(&fd);
}

/* seccomp(2): waiting is of listeners only, and with one TSYNC has to say how it fails. There is one thread. */
static uint32_t filter_flags(const struct oci_job *j)
{
    uint32_t flags = (uint32_t)j->config->linux_part.seccomp.flags;
    if (!j->listener)
        flags &= ~(uint32_t)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    else if (flags & SECCOMP_FILTER_FLAG_TSYNC)
        flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
    return flags;
}

int oci_job_write(const struct oci_job *j, struct str_list *ret_unknown, struct err *e)
{
    struct enter_job job = {.magic = ENTER_MAGIC,
                            .version = ENTER_VERSION,
                            .sync = j->sync,
                            .start = j->start,
                            .keep_fds = j->keep_fds};
    struct writer w = {.e = e};
    const struct oci_process *p = j->process;
    (void)put(&w, &job, sizeof(job));
    put_ids(&w, &job, j);
    put_capabilities(&job, &p->capabilities, ret_unknown, e);
    put_rlimits(&w, &job, &p->rlimits);
    put_scheduling(&job, j);
    if (j->state == NULL && p->exec_cpu_affinity.final && w.result == 0)
        w.result = put_affinity(&w, &job, p->exec_cpu_affinity.final, e);
    job.flags |= (p->no_new_privileges ? ENTER_NO_NEW_PRIVS : 0) | (j->keyring ? ENTER_NEW_KEYRING : 0) |
                 (j->filter ? ENTER_SECCOMP : 0) | (j->listener ? ENTER_LISTENER : 0);
    job.keyring = put_text(&w, j->keyring);
    if (j->filter) {
        job.filter_offset = put(&w, j->filter->code, j->filter->len * sizeof(*j->filter->code));
        job.filter_count = j->filter->len;
        job.filter_flags = filter_flags(j);
    }
    job.cwd = put_text(&w, p->cwd);
    put_label(&w, &job, p);
    job.args = put_strings(&w, &p->args);
    job.env = put_env(&w, &p->env, j->listen_fds);
    put_hooks(&w, &job, j);
    (void)put(&w, "", 1);
    job.size = (uint32_t)w.bytes.length;
    if (w.result == 0)
        memcpy(w.bytes.data, &job, sizeof(job));
    int r = w.result == 0 ? seal(&w, e) : w.result;
    buf_clear(&w.bytes);
    return r;
}

static int sealed_copy(int program, struct err *e)
{
    _cleanup_buf_ struct buf bytes = {0};
    _cleanup_close_ int fd = memfd_create(ENTER_PROGRAM, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_errno(e, "make a memory file");
    int r = io_read_to_end(program, PROGRAM_MAX, &bytes, e);
    if (r == 0)
        r = io_write_all(fd, bytes.data, bytes.length, e);
    if (r == 0 && fchmod(fd, 0555) < 0)
        r = err_errno(e, "memory file");
    if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        r = err_errno(e, "seal a memory file");
    char link[32];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    int readable =
        r < 0 ? r
              : open(link, O_RDONLY | O_CLOEXEC); /* a program that is open for writing cannot be executed */
    return r < 0 ? r : readable < 0 ? err_errno(e, "memory file") : readable;
}

int oci_enter_open(struct err *e)
{
    struct err no_mount = {0};
    _cleanup_close_ int program = program_open(ENTER_PROGRAM, 3, e);
    if (program < 0)
        return program;
    _cleanup_close_ int tree = fsmount_clone(program, 0, &no_mount);
    if (tree >= 0 && fsmount_set(tree, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, false, -1,
                                 &no_mount) == 0)
        return steal_fd(&tree);
    _cleanup_close_ int readable = path_reopen(program, O_RDONLY, e);
    return readable < 0 ? readable : sealed_copy(readable, e);
}
