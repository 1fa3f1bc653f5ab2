/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 5: which paths of the host may be bound into a container. */
#include "practices_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "practices/bind_source.h"

/* 5 */

static struct plan_mount *add_bind(struct fixture *f, const char *source, bool read_only)
{
    struct plan_mount *m = plan_add_mount(&f->plan, PLAN_MOUNT_BIND, &f->e);
    assert_non_null(m);
    OK(str_copy(source, &m->source, &f->e));
    OK(str_copy("/x", &m->target, &f->e));
    m->read_only = read_only;
    return m;
}

static void test_bind_refused(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "");
    add_bind(f, "/etc/passwd", true);
    refuses(f, 5,
            "bind source /etc/passwd is refused: it is in /etc (the host's configuration and accounts); to "
            "allow it, put "
            "'allow-host-path = /etc/passwd' under [practice \"isolation\"]" IN_CONF " (practice 5)");
}

static void test_bind_granted(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "[practice \"isolation\"]\nallow-host-path = /etc/passwd\n");
    add_bind(f, "/etc/passwd", true);
    applies(f);
    granted(f, 5, "read-only bind of /etc/passwd", "policy: casemate.conf:2");
    add_bind(f, "/etc/group", true); /* the line grants just that */
    assert_int_equal(apply(f), -EPERM);
}

/* 0 when the path may be bound, without any line of policy. */
static int judged(const char *path, bool read_only)
{
    const struct policy_rights none = {0};
    const struct policy_right *right = NULL;
    struct err e = {0};
    int r = bind_source_judge(path, read_only, &none, &right, &e);
    assert_null(right);
    assert_true(r == 0 || r == -ENOENT || (r == -EPERM && e.practice == 5));
    return r;
}

static void test_bind_paths(void **state)
{
    (void)state;
    static const char *const never[] = {
        "/",
        "//",
        "/.",
        "/etc",
        "/etc/",
        "/etc/../etc/passwd",
        "/proc",
        "/proc/self/root",
        "/proc/self/root/etc/passwd",
        "/proc/1",
        "/proc/self/cwd/../../../../../../../etc",
        "/sys",
        "/sys/fs/cgroup",
        "/dev",
        "/dev/null",
        "/dev/shm",
        "/var",
        "/var/lib",
        "/etc/not/there/yet",
        "/run",
        "/var/run",
        "/var/run/docker.sock",
        "/srv/engine/docker.sock",
        "/var/lib/docker/x",
        "/root",
    };
    static const char *const to_read[] = {"/usr", "/usr/share/zoneinfo", "/bin", "/lib"};
    for (size_t i = 0; i < ARRAY_SIZE(never); i++)
        if (judged(never[i], true) != -EPERM)
            fail_msg("%s is not refused", never[i]);
    for (size_t i = 0; i < ARRAY_SIZE(to_read); i++) {
        if (access(to_read[i], F_OK) < 0)
            continue;
        if (judged(to_read[i], true) != 0 || judged(to_read[i], false) != -EPERM)
            fail_msg("%s is not for reading only", to_read[i]);
    }
    static const char *const fine[] = {"/etc/localtime", "/etc/timezone", "/etc/ssl/certs"};
    for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
        if (access(fine[i], F_OK) == 0 && (judged(fine[i], true) != 0 || judged(fine[i], false) != -EPERM))
            fail_msg("%s is not for reading only", fine[i]);
    OK(judged("/home", false));
    OK(judged("/srv/not/there/yet", false));
    assert_int_equal(judged("/srv/not-there/../../etc", true), -ENOENT);
}

static void test_bind_links(void **state)
{
    (void)state;
    char dir[] = "/tmp/test-practices-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(dir));
    OK(judged(dir, false));
    (void)snprintf(path, sizeof(path), "%s/link", dir);
    OK(symlink("/etc", path));
    assert_int_equal(judged(path, true), -EPERM);
    OK(judged(dir, false)); /* a link in it is resolved inside of the container */
    OK(unlink(path));
    OK(rmdir(dir));
}

/* Other mounts of protected files, in a mount namespace of the child's own. Exit status: number of the first wrong answer. */
static int try_mounts(const char *dir)
{
    char etc[64], proc[64], other[64], deep[80];
    (void)snprintf(etc, sizeof(etc), "%s/etc", dir);
    (void)snprintf(proc, sizeof(proc), "%s/proc", dir);
    (void)snprintf(other, sizeof(other), "%s/other", dir);
    (void)snprintf(deep, sizeof(deep), "%s/ssl", etc);
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return 77;
    if (mkdir(etc, 0755) < 0 || mkdir(proc, 0755) < 0 || mkdir(other, 0755) < 0 ||
        mount("/etc", etc, NULL, MS_BIND, NULL) < 0)
        return 1;
    const struct policy_rights none = {0};
    const struct policy_right *right = NULL;
    struct err e = {0};
    if (bind_source_judge(etc, true, &none, &right, &e) != -EPERM)
        return 2;
    if (bind_source_judge(deep, true, &none, &right, &e) != -EPERM)
        return 3;
    if (bind_source_judge(dir, true, &none, &right, &e) != -EPERM) /* contains it */
        return 4;
    if (bind_source_judge(other, false, &none, &right, &e) != 0)
        return 5;
    if (umount2(etc, MNT_DETACH) < 0 || mount("proc", proc, "proc", 0, NULL) < 0)
        return 6;
    if (bind_source_judge(proc, true, &none, &right, &e) != -EPERM)
        return 7;
    if (bind_source_judge(dir, true, &none, &right, &e) != -EPERM)
        return 8;
    if (umount2(proc, MNT_DETACH) < 0 || mount("/", proc, NULL, MS_BIND, NULL) < 0)
        return 9;
    return bind_source_judge(proc, true, &none, &right, &e) == -EPERM ? 0 : 10;
}

static void test_bind_mounts(void **state)
{
    (void)state;
    char dir[] = "/tmp/test-practices-XXXXXX";
    static const char *const made[] = {"etc", "proc", "other", ""};
    int status = 0;
    if (geteuid() != 0)
        skip();
    assert_non_null(mkdtemp(dir));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(try_mounts(dir));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "%s/%s", dir, made[i]);
        (void)rmdir(path);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip(); /* no mount namespaces here */
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* At the start, on the descriptor; own state is closed even to the policy. */
static void test_bind_check(void **state)
{
    struct fixture *f = *state;
    char dir[] = "/tmp/test-practices-XXXXXX";
    const struct policy_right *right = NULL;
    struct policy_rights all = {0};
    assert_non_null(mkdtemp(dir));
    int fd = open(dir, O_PATH | O_CLOEXEC);
    OK(bind_source_check(fd, dir, false, &f->e));
    OK(setenv("CASEMATE_ROOT", dir, 1));
    assert_int_equal(bind_source_check(fd, dir, true, &f->e), -EPERM);
    OK(policy_rights_add(&all, POLICY_ALLOW_HOST_PATH, "/", "policy", &f->e));
    assert_int_equal(bind_source_judge(dir, true, &all, &right, &f->e), -EPERM);
    assert_non_null(strstr(f->e.text, "(Casemate's own state), which no policy opens (practice 5)"));
    OK(bind_source_judge("/etc/ssl", true, &all, &right, &f->e)); /* everything else is open to it */
    assert_ptr_equal(right, &all.items[0]);
    OK(unsetenv("CASEMATE_ROOT"));
    OK(rmdir(dir));
    assert_int_equal(bind_source_check(fd, dir, true, &f->e), -ENOENT); /* it was removed */
    close(fd);
    policy_rights_clear(&all);
}

static void test_strict_bind(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "[casemate]\nprofile = strict\n");
    OK(str_copy("1000", &f->plan.user, &f->e));
    add_bind(f, "/home", false);
    applies(f);
    assert_true(f->plan.mounts[0].noexec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_bind_refused), T(test_bind_granted), T(test_bind_paths),  T(test_bind_links),
        T(test_bind_mounts),  T(test_bind_check),   T(test_strict_bind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
