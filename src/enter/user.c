/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits, scheduling, ids and capabilities of the program. The order matters and is the security of it:
 *   file of the LSM label -> keyring -> limits, scheduling, personality -> directory -> no_new_privs -> (a filter that needs
 *   CAP_SYS_ADMIN) -> bounding set -> groups and ids -> capabilities -> directory, as the user, where root could not go -> LSM label.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "enter/enter.h"

#define CAPABILITY_LAST_POSSIBLE 63
#define IO_PRIORITY_PROCESS 1 /* IOPRIO_WHO_PROCESS */
#define PROC_ROOT_INODE 1     /* PROC_ROOT_INO of linux/proc_fs.h */

static void set_rlimits(void)
{
    const struct enter_rlimit *l = job_items(job->rlimit_offset, job->rlimit_count, sizeof(*l));
    for (uint32_t i = 0; i < job->rlimit_count; i++) {
        struct rlimit limit = {.rlim_cur = (rlim_t)l[i].soft, .rlim_max = (rlim_t)l[i].hard};
        if (prlimit(0, (int)l[i].resource, &limit, NULL) < 0)
            fail(1, "set a resource limit of the process", NULL);
    }
}

static void schedule(void)
{
    if ((job->flags & ENTER_SCHEDULER) && syscall(SYS_sched_setattr, 0, &job->scheduler, 0U) < 0)
        fail(1, "process.scheduler", NULL);
    if ((job->flags & ENTER_IO_PRIORITY) &&
        syscall(SYS_ioprio_set, IO_PRIORITY_PROCESS, 0, job->io_priority) < 0)
        fail(1, "process.ioPriority", NULL);
    if ((job->flags & ENTER_AFFINITY) && syscall(SYS_sched_setaffinity, 0, job->affinity_size,
                                                 job_items(job->affinity_offset, job->affinity_size, 1)) < 0)
        fail(1, "process.execCPUAffinity", NULL);
    if ((job->flags & ENTER_PERSONALITY) && personality(job->personality) < 0)
        fail(1, "linux.personality", NULL);
}

static void new_keyring(void)
{
    long key = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, job_text(job->keyring));
    if (key < 0 && errno != ENOSYS && errno != EPERM &&
        errno != EDQUOT) /* a kernel or a host filter without keys has none to share */
        fail(1, "join a session keyring", NULL);
}

static void bound_capabilities(void)
{
    for (int cap = 0; cap <= CAPABILITY_LAST_POSSIBLE && prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
        if (!(job->bounding >> cap & 1) && prctl(PR_CAPBSET_DROP, cap) < 0)
            fail(1, "drop a capability from the bounding set", NULL);
}

static void set_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    for (int i = 0; i < 2; i++)
        data[i] = (struct __user_cap_data_struct){.effective = (uint32_t)(job->effective >> 32 * i),
                                                  .permitted = (uint32_t)(job->permitted >> 32 * i),
                                                  .inheritable = (uint32_t)(job->inheritable >> 32 * i)};
    if (syscall(SYS_capset, &header, data) < 0)
        fail(1, "set the capabilities", NULL);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        fail(1, "clear the ambient capabilities", NULL);
    /* The kernel raises only what is permitted and inheritable. runc's own `spec` asks for more, so the rest is passed over, as runc does. */
    uint64_t ambient = job->ambient & job->permitted & job->inheritable;
    for (int cap = 0; cap <= CAPABILITY_LAST_POSSIBLE; cap++)
        if ((ambient >> cap & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
            fail(1, "raise an ambient capability", NULL);
}

/* Raw calls: musl's would ask all threads of a process that has one. */
static void set_ids(void)
{
    const uint32_t *groups = job_items(job->group_offset, job->group_count, sizeof(*groups));
    if ((job->flags & ENTER_SET_GROUPS) && syscall(SYS_setgroups, job->group_count, groups) < 0)
        fail(1, "set the additional groups", NULL);
    if (syscall(SYS_setresgid, job->gid, job->gid, job->gid) < 0 ||
        syscall(SYS_setresuid, job->uid, job->uid, job->uid) < 0)
        fail(1, "become the user (is its id mapped in the user namespace?)", NULL);
}

static bool enter_directory(const char *directory)
{
    char where[PATH_MAX];
    if (chdir(directory) < 0)
        return false;
    /* A directory that leads out through a leaked descriptor or a magic link has no path in this root (CVE-2024-21626). The raw call
     * says so with "(unreachable)" in front. */
    if (syscall(SYS_getcwd, where, sizeof(where)) > 0 && where[0] == '/')
        return true;
    errno = EPERM;
    return false;
}

/* Opened before any filter is on, which may not know openat2(2). A file that is no procfs would swallow the label (CVE-2019-16884), and another one of
 * procfs would do with it what it is for (CVE-2025-52881): neither a link out of /proc nor a mount in it is followed. */
static int open_label(void)
{
    char name[64] = "thread-self/";
    const char *label = job_text(job->label);
    struct statfs fs;
    struct stat st;
    const struct open_how how = {.flags = O_WRONLY | O_CLOEXEC,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS};
    strncat(name, job_text(job->label_file), sizeof(name) - strlen(name) - 1);
    _cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (proc < 0 || fstatfs(proc, &fs) < 0 || fstat(proc, &st) < 0)
        fail(1, "LSM label", label);
    if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INODE) {
        errno = EPERM;
        fail(1, "LSM label: /proc of the container is not procfs", label);
    }
    int fd = (int)syscall(SYS_openat2, proc, name, &how, sizeof(how));
    if (fd < 0)
        fail(1, errno == EXDEV ? "LSM label: something is mounted in /proc of the container" : "LSM label",
             label);
    return fd;
}

/* For the next exec. */
static void set_label(int file)
{
    const char *label = job_text(job->label);
    if (write(file, label, strlen(label)) != (ssize_t)strlen(label))
        fail(1, "LSM label", label);
    close(file);
}

void become_user(void)
{
    const char *directory = job_text(job->cwd);
    int label = job->label ? open_label() : -1;
    if (job->flags & ENTER_NEW_KEYRING)
        new_keyring();
    set_rlimits();
    schedule();
    /* As root of the container first: the user may not be allowed to go there, or may be the only one who is. And before the filter,
     * which need not let a program ask where it is. */
    bool there = enter_directory(directory);
    if ((job->flags & ENTER_NO_NEW_PRIVS) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        fail(1, "no_new_privs", NULL);
    if ((job->flags & ENTER_SECCOMP) && !(job->flags & ENTER_NO_NEW_PRIVS))
        install_filter();
    if (job->flags & ENTER_CAPABILITIES)
        bound_capabilities();
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        fail(1, "keep capabilities", NULL);
    set_ids();
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) /* the change of ids may have set it */
        fail(1, "prctl", NULL);
    if (job->flags & ENTER_CAPABILITIES)
        set_capabilities();
    if (!there && !enter_directory(directory))
        fail(1, "process.cwd", directory);
    if (job->flags & ENTER_UMASK)
        (void)umask(job->umask);
    if (label >= 0)
        set_label(label);
}
