/* SPDX-License-Identifier: Apache-2.0 */
/* Units of the practices: what each makes of a plan, what it refuses and in which words, which grants it records, and that evidence
 * is what the kernel says. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/capname.h"
#include "base/proc.h"
#include "practices/bind_source.h"
#include "practices/practice.h"

#define OK(call) assert_int_equal(call, 0)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define IN_CONF " in /test/casemate.conf"

struct fixture {
    struct plan plan;
    struct policy policy;
    struct err e;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    *state = f;
    if (!f || setenv("CASEMATE_CONF", "/test/casemate.conf", 1) < 0 ||
        setenv("CASEMATE_DATADIR", POLICY_DATA, 1) < 0)
        return -1;
    plan_init(&f->plan);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    plan_clear(&f->plan);
    policy_clear(&f->policy);
    free(f);
    return 0;
}

/* A machine of 16 GiB and four processors, whatever runs the test. */
static void use_policy(struct fixture *f, const char *text)
{
    OK(policy_parse("casemate.conf", text, strlen(text), &f->policy, &f->e));
    f->policy.machine = (struct policy_machine){.memory = 16 * GIB, .processors = 4, .processes = 4194304};
}

static int apply(struct fixture *f)
{
    return practices_apply_all(&f->plan, NULL, &f->policy, &f->e);
}

static void applies(struct fixture *f)
{
    if (apply(f) < 0)
        fail_msg("%s", f->e.text);
}

/* Refused by this practice in these words. */
static void refuses(struct fixture *f, int practice, const char *message)
{
    assert_int_equal(apply(f), -EPERM);
    assert_string_equal(f->e.text, message);
    assert_int_equal(f->e.practice, practice);
}

static void granted(const struct fixture *f, int practice, const char *what, const char *source)
{
    for (size_t i = 0; i < f->plan.grant_count; i++) {
        const struct plan_grant *g = &f->plan.grants[i];
        if (g->practice == practice && str_equal(g->what, what)) {
            assert_string_equal(g->source, source);
            return;
        }
    }
    fail_msg("no grant '%s' of practice %d", what, practice);
}

/* The list */

static void test_registry(void **state)
{
    (void)state;
    for (int n = 1; n <= PLAN_PRACTICES; n++) {
        const struct practice *p = practice_find(n);
        assert_non_null(p);
        assert_int_equal(p->number, n);
        assert_true(str_set(p->id) && str_set(p->title) && str_set(p->what));
        assert_true(p->explain || p->missing); /* each has something to show */
    }
    assert_null(practice_find(0));
    assert_null(practice_find(15));
}

static void test_defaults(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "");
    applies(f);
    const struct plan *p = &f->plan;
    assert_int_equal(p->memory, 8 * GIB);
    assert_int_equal(p->memory_swap, 8 * GIB);
    assert_int_equal(p->cpus_nano, 3600000000);
    assert_int_equal(p->pids, 512);
    assert_int_equal(p->shm_size, 64 * MIB);
    assert_int_equal(p->capabilities, 0);
    assert_int_equal(p->ulimit_count, 4);
    assert_string_equal(p->ulimits[3].name, "nproc");
    assert_int_equal(p->ulimits[3].hard, 512);
    assert_string_equal(p->network, "none");
    assert_false(p->read_only);
    assert_int_equal(p->grant_count, 0);
}

/* Profiles */

static void test_profile_of_policy(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "[casemate]\nprofile = strict\n");
    OK(str_copy("1000", &f->plan.user, &f->e));
    applies(f);
    assert_int_equal(f->plan.profile, PLAN_STRICT);
    assert_true(f->plan.read_only);
}

static void test_least_profile(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "[casemate]\nleast-profile = strict\n");
    f->plan.profile = PLAN_STANDARD;
    f->plan.profile_given = true;
    assert_int_equal(apply(f), -EPERM);
    assert_string_equal(f->e.text,
                        "--profile standard is refused: the least is strict (policy: casemate.conf:2)");
    f->plan.profile_given = false;
    OK(str_copy("1000", &f->plan.user, &f->e));
    applies(f);
    assert_int_equal(f->plan.profile, PLAN_STRICT);
}

static void test_compat(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "");
    f->plan.profile = PLAN_COMPAT;
    f->plan.profile_given = true;
    applies(f);
    assert_int_equal(__builtin_popcountll(f->plan.capabilities), 14);
    granted(f, 6, "capability CAP_NET_RAW", "profile compat");
}

/* 3 and 5 */

static void test_network(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "");
    OK(str_copy("host", &f->plan.network, &f->e));
    refuses(f, 5,
            "--network host is refused: it opens the host's interfaces and all that listens on its loopback; "
            "to allow it, put 'allow-host-namespace = network' under [practice \"isolation\"] in "
            "/test/casemate.conf (practice 5)");
}

static void test_network_by_policy(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "[practice \"isolation\"]\nallow-host-namespace = network\n");
    OK(str_copy("host", &f->plan.network, &f->e));
    applies(f);
    granted(f, 5, "the host's network", "policy: casemate.conf:2");
}

/* 4 */

static void test_block_io(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "[practice \"limits\"]\nread-bps = 10m\nwrite-bps = unlimited\n");
    OK(str_list_add(&f->plan.io, "read-bps /dev/sda 20971520", &f->e));
    OK(str_list_add(&f->plan.io, "read-iops /dev/sda 5", &f->e));
    applies(f);
    assert_int_equal(f->plan.read_bps, 10 * MIB);
    assert_true(f->plan.write_bps == PLAN_UNLIMITED);
    assert_int_equal(f->plan.write_iops, 10000);
    assert_int_equal(f->plan.grant_count, 1);
    granted(f, 4, "read-bps 20971520 of /dev/sda", "--device-read-bps");
}

static void test_oom_score(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "[practice \"limits\"]\noom-score-adj = 300\n");
    applies(f);
    assert_int_equal(f->plan.oom_score_adj, 300);
    f->plan.oom_score_adj = 299;
    refuses(f, 4,
            "--oom-score-adj 299 is refused: containers go before the programs of the host, which 300 keeps "
            "up (key "
            "oom-score-adj under [practice \"limits\"] in /test/casemate.conf) (practice 4)");
}

static void test_devices(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "");
    OK(str_list_add(&f->plan.devices, "/dev/null:/dev/x:r", &f->e));
    applies(f);
    assert_string_equal(f->plan.devices.items[0], "/dev/null:/dev/x:r:c:1:3");
    granted(f, 5, "device /dev/null (r)", "--device");
    OK(str_list_add(&f->plan.devices, "/dev/absent-device:/dev/x:r", &f->e));
    assert_int_equal(apply(f), -ENOENT);
}

static void test_limits_more(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "");
    f->plan.memory = 10 * GIB;
    f->plan.memory_swap = 11 * GIB;
    f->plan.cpus_nano = 4000000000;
    f->plan.pids = 5000;
    f->plan.shm_size = 128 * MIB;
    f->plan.ulimits[f->plan.ulimit_count++] = (struct plan_ulimit){"core", 0, 4096};
    applies(f);
    granted(f, 4, "memory 10 GiB", "--memory");
    granted(f, 4, "swap 1 GiB", "--memory-swap");
    granted(f, 4, "4.00 processors", "--cpus");
    granted(f, 4, "5000 processes", "--pids-limit");
    granted(f, 4, "/dev/shm 128 MiB", "--shm-size");
    granted(f, 4, "limit core above 0:0", "--ulimit core");
    assert_int_equal(f->plan.grant_count, 6);
}

static void test_limits_less(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "");
    f->plan.memory = 64 * MIB;
    f->plan.cpus_nano = 500000000;
    f->plan.pids = 10;
    struct plan_mount *m = plan_add_mount(&f->plan, PLAN_MOUNT_TMPFS, &f->e);
    assert_non_null(m);
    applies(f);
    assert_int_equal(f->plan.grant_count, 0);
    assert_int_equal(f->plan.memory_swap, 64 * MIB);
    assert_int_equal(f->plan.mounts[0].size, 32 * MIB);
    assert_int_equal(f->plan.pids, 10);
}

static void test_unlimited_refused(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "");
    f->plan.memory = 0;
    refuses(f, 4,
            "--memory without a limit is refused: name one; to allow it, put 'allow-unlimited = memory' "
            "under [practice "
            "\"limits\"]" IN_CONF " (practice 4)");
    f->plan.memory = PLAN_UNSET;
    f->plan.memory_swap = PLAN_UNLIMITED;
    refuses(f, 4,
            "--memory-swap without a limit is refused: name one; to allow it, put 'allow-unlimited = swap' "
            "under [practice "
            "\"limits\"]" IN_CONF " (practice 4)");
    f->plan.memory_swap = PLAN_UNSET;
    f->plan.pids = PLAN_UNLIMITED;
    refuses(f, 4,
            "--pids-limit without a limit is refused: name one; to allow it, put 'allow-unlimited = pids' "
            "under [practice "
            "\"limits\"]" IN_CONF " (practice 4)");
}

static void test_unlimited_granted(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "[practice \"limits\"]\nallow-unlimited = memory\nallow-unlimited = pids\n");
    f->plan.memory = PLAN_UNLIMITED;
    f->plan.pids = PLAN_UNLIMITED;
    applies(f);
    granted(f, 4, "unlimited memory", "policy: casemate.conf:2");
    granted(f, 4, "unlimited pids", "policy: casemate.conf:3");
    assert_int_equal(f->plan.memory, PLAN_UNSET);
    assert_int_equal(f->plan.pids, PLAN_UNSET);
}

static void test_limits_of_the_machine(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "");
    f->plan.memory = 15 * GIB;
    refuses(f, 4,
            "--memory 15 GiB is refused: all containers together have 14.4 GiB, the rest is kept for the "
            "host (keys reserve "
            "and reserve-min under [practice \"limits\"]" IN_CONF ") (practice 4)");
    f->plan.memory = MIB;
    assert_int_equal(apply(f), -EINVAL);
    assert_string_equal(f->e.text, "--memory 1 MiB: the least is 6 MiB");
    f->plan.memory = PLAN_UNSET;
    f->plan.cpus_nano = 4000000001;
    assert_int_equal(apply(f), -EINVAL);
    assert_string_equal(f->e.text, "--cpus: this machine has 4 processors");
    f->plan.cpus_nano = PLAN_UNSET;
    f->plan.memory = 64 * MIB;
    f->plan.memory_swap = 32 * MIB;
    assert_int_equal(apply(f), -EINVAL);
}

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

static void test_sysctl(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "");
    OK(str_list_add(&f->plan.sysctls, "kernel.core_pattern=x", &f->e));
    assert_int_equal(apply(f), -EPERM);
    assert_int_equal(f->e.practice, 5);
}

/* 6 */

static void test_capability_flag(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "");
    OK(str_list_add(&f->plan.cap_drop, "ALL", &f->e));
    OK(str_list_add(&f->plan.cap_add, "net_raw", &f->e));
    OK(str_list_add(&f->plan.cap_add, "@switch-user", &f->e));
    applies(f);
    assert_int_equal(f->plan.capabilities, CAP_BIT(13) | CAP_BIT(0) | CAP_BIT(6) | CAP_BIT(7));
    granted(f, 6, "capability CAP_NET_RAW", "--cap-add net_raw");
    granted(f, 6, "capability CAP_SETUID", "--cap-add @switch-user");
}

static void test_capability_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const dangerous[] = {"SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "DAC_READ_SEARCH",
                                            "SYS_RAWIO", "BPF",        "NET_ADMIN",  "PERFMON"};
    use_policy(f, "");
    for (size_t i = 0; i < ARRAY_SIZE(dangerous); i++) {
        char message[512];
        (void)snprintf(message, sizeof(message),
                       "--cap-add %s is refused: CAP_%s opens kernel code that containers have escaped "
                       "through; to allow it, put "
                       "'allow-capability = CAP_%s' under [practice \"capabilities\"]" IN_CONF
                       " (practice 6)",
                       dangerous[i], dangerous[i], dangerous[i]);
        str_list_clear(&f->plan.cap_add);
        OK(str_list_add(&f->plan.cap_add, dangerous[i], &f->e));
        refuses(f, 6, message);
    }
    str_list_clear(&f->plan.cap_add);
    OK(str_list_add(&f->plan.cap_add, "all", &f->e));
    refuses(f, 6,
            "--cap-add ALL is refused: name the capabilities that are needed; to allow it, put "
            "'allow-capability = ALL' under "
            "[practice \"capabilities\"]" IN_CONF " (practice 6)");
    str_list_clear(&f->plan.cap_add);
    OK(str_list_add(&f->plan.cap_add, "fly", &f->e));
    assert_int_equal(apply(f), -EINVAL);
    assert_string_equal(f->e.text, "--cap-add fly: there is no such capability");
}

static void test_capability_policy(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "[practice \"capabilities\"]\nallow-capability = SYS_PTRACE\n");
    OK(str_list_add(&f->plan.cap_add, "CAP_SYS_PTRACE", &f->e));
    applies(f);
    granted(f, 6, "capability CAP_SYS_PTRACE", "policy: casemate.conf:2");
    OK(str_list_add(&f->plan.cap_add, "CAP_SYS_ADMIN", &f->e)); /* the line grants just that */
    assert_int_equal(apply(f), -EPERM);
}

/* [grant] sections and known images go by the names that the store has for the image. */
static void test_capability_of_image(void **state)
{
    struct fixture *f = *state;
    struct image image = {.id = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"};
    if (geteuid() != 0)
        skip(); /* known-images.conf is read only when it is root's */
    use_policy(f, "[grant \"team/*\"]\ncapability = KILL\n");
    OK(str_list_add(&image.names, "team/web:1", &f->e)); /* an archive says so, nobody else does */
    OK(str_list_add(&image.names, "postgres:15", &f->e));
    OK(practices_apply_all(&f->plan, &image, &f->policy, &f->e));
    assert_int_equal(f->plan.capabilities, 0);
    plan_clear(&f->plan);
    OK(str_list_add(&image.vouched, "postgres:15", &f->e));
    OK(practices_apply_all(&f->plan, &image, &f->policy, &f->e));
    assert_int_equal(f->plan.capabilities, CAP_BIT(0) | CAP_BIT(6) | CAP_BIT(7));
    granted(f, 6, "capability CAP_CHOWN", "known image docker.io/library/postgres");
    plan_clear(&f->plan);
    OK(str_list_add(&f->plan.cap_drop, "ALL", &f->e)); /* takes it away again */
    OK(practices_apply_all(&f->plan, &image, &f->policy, &f->e));
    assert_int_equal(f->plan.capabilities, 0);
    plan_clear(&f->plan);
    f->policy.known_images = false;
    OK(practices_apply_all(&f->plan, &image, &f->policy, &f->e));
    assert_int_equal(f->plan.capabilities, 0);
    plan_clear(&f->plan);
    OK(str_list_add(&image.vouched, "team/web:1", &f->e));
    OK(practices_apply_all(&f->plan, &image, &f->policy, &f->e));
    assert_int_equal(f->plan.capabilities, CAP_BIT(5));
    granted(f, 6, "capability CAP_KILL", "policy: casemate.conf:2");
    str_list_clear(&image.names);
    str_list_clear(&image.vouched);
}

/* 7 */

static void test_seccomp(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "");
    OK(str_list_add(&f->plan.security_opt, "seccomp=unconfined", &f->e));
    refuses(f, 7,
            "--security-opt seccomp=unconfined is refused: no container runs without the filter; --cap-add "
            "opens the calls "
            "that belong to a capability (practice 7)");
    str_list_clear(&f->plan.security_opt);
    OK(str_list_add(&f->plan.security_opt, "seccomp=builtin", &f->e));
    applies(f);
    OK(str_list_add(&f->plan.security_opt, "label=disable", &f->e));
    OK(apply(f));
    plan_clear(&f->plan);
    OK(str_list_add(&f->plan.security_opt, "systempaths=unconfined", &f->e));
    assert_int_equal(apply(f), -ENOTSUP);
}

static void test_apparmor(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "[practice \"syscalls\"]\nallow-apparmor = mine\n");
    OK(str_list_add(&f->plan.security_opt, "apparmor=mine", &f->e));
    applies(f);
    assert_string_equal(f->plan.apparmor_profile, "mine");
    granted(f, 7, "AppArmor profile mine", "policy: casemate.conf:2");
    OK(str_list_add(&f->plan.security_opt, "apparmor:unconfined", &f->e));
    refuses(
        f, 7,
        "--security-opt apparmor=unconfined is refused: it replaces Casemate's own profile; to allow it, put "
        "'allow-apparmor = unconfined' under [practice \"syscalls\"]" IN_CONF " (practice 7)");
}

/* 11 */

static void test_new_privileges(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "");
    OK(str_list_add(&f->plan.security_opt, "no-new-privileges", &f->e));
    OK(str_list_add(&f->plan.security_opt, "no-new-privileges:true", &f->e));
    applies(f);
    OK(str_list_add(&f->plan.security_opt, "no-new-privileges=false", &f->e));
    refuses(f, 11,
            "--security-opt no-new-privileges=false is refused: set-id programs never gain anything in a "
            "container; start as "
            "the right user with --user (practice 11)");
}

static void test_root_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const root[] = {"", "0", "root", "0:1000", "root:staff"};
    use_policy(f, "[practice \"user\"]\nallow-root = no\n");
    for (size_t i = 0; i < ARRAY_SIZE(root); i++) {
        OK(str_replace(&f->plan.user, root[i], &f->e));
        refuses(f, 11,
                "uid 0 in the container is refused (policy: casemate.conf:2): give another user, such as "
                "--user 1000 "
                "(practice 11)");
    }
    OK(str_replace(&f->plan.user, "nginx", &f->e));
    refuses(f, 11,
            "user 'nginx' is refused (policy: casemate.conf:2): the image decides which uid a name has, and "
            "it could be 0: "
            "give the number with --user (practice 11)");
    OK(str_replace(&f->plan.user, "1000:0", &f->e));
    applies(f);
}

/* Evidence */

static const struct evidence_line *line_of(const struct evidence *ev, int practice, const char *what)
{
    for (size_t i = 0; i < ev->count; i++)
        if (ev->lines[i].practice == practice && str_equal(ev->lines[i].what, what))
            return &ev->lines[i];
    fail_msg("no line '%s' of practice %d", what, practice);
    return NULL;
}

static void test_evidence_not_running(void **state)
{
    struct fixture *f = *state;
    struct evidence ev = {0};
    OK(plan_add_grant(&f->plan, 6, "capability CAP_CHOWN", "--cap-add CHOWN", &f->e));
    OK(practices_explain(&(struct explain_request){.plan = &f->plan}, &ev, &f->e));
    assert_string_equal(line_of(&ev, 6, "capabilities")->value, "the container does not run");
    assert_int_equal(line_of(&ev, 6, "capabilities")->state, EVIDENCE_UNKNOWN);
    assert_int_equal(line_of(&ev, 6, "grant")->state, EVIDENCE_GRANTED);
    assert_string_equal(line_of(&ev, 6, "grant")->source, "--cap-add CHOWN");
    assert_string_equal(evidence_state_name(line_of(&ev, 8, "trusted images")->state), "not enforced yet");
    for (int n = 1; n <= PLAN_PRACTICES; n++) {
        bool seen = false;
        for (size_t i = 0; i < ev.count; i++)
            seen = seen || ev.lines[i].practice == n;
        assert_true(seen);
    }
    evidence_clear(&ev);
}

/* A process that is no container at all: evidence must say so, line by line. */
static void test_evidence_of_no_container(void **state)
{
    struct fixture *f = *state;
    struct evidence ev = {0};
    struct explain_request request = {.plan = &f->plan, .pid = getpid()};
    OK(proc_start_time(request.pid, &request.pid_start, &f->e));
    use_policy(f, "");
    applies(f);
    OK(practices_explain(&request, &ev, &f->e));
    assert_int_equal(line_of(&ev, 5, "namespaces")->state, EVIDENCE_BROKEN);
    assert_string_equal(line_of(&ev, 5, "namespaces")->value,
                        "0 of 8 its own; shared with the host: cgroup ipc mnt net pid time user uts");
    assert_int_equal(line_of(&ev, 5, "kernel interfaces")->state, EVIDENCE_BROKEN);
    assert_int_equal(line_of(&ev, 5, "kernel settings")->state, EVIDENCE_BROKEN);
    assert_int_equal(line_of(&ev, 11, "uid 0 in the container")->state, EVIDENCE_BROKEN);
    assert_int_equal(line_of(&ev, 11, "no_new_privs")->state, EVIDENCE_BROKEN);
    assert_int_equal(line_of(&ev, 7, "system-call filter")->state, EVIDENCE_BROKEN);
    if (geteuid() == 0)
        assert_int_equal(line_of(&ev, 6, "effective capabilities")->state, EVIDENCE_BROKEN);
    evidence_clear(&ev);
}

static void test_evidence_of_reused_pid(void **state)
{
    struct fixture *f = *state;
    struct evidence ev = {0};
    struct explain_request request = {.plan = &f->plan, .pid = getpid(), .pid_start = 1};
    OK(practices_explain(&request, &ev, &f->e));
    assert_string_equal(line_of(&ev, 5, "host isolation")->value, "the container's first process is gone");
    evidence_clear(&ev);
}

static void test_mount_table(void **state)
{
    struct fixture *f = *state;
    _cleanup_buf_ struct buf text = {0};
    _cleanup_mount_table_ struct mount_table t = {0};
    static const char lines[] =
        "22 1 8:1 /a\\040b /mnt\\134x rw,nosuid shared:1 master:2 - ext4 /dev/sda1 rw,discard\n"
        "23 22 0:5 / /mnt rw - tmpfs t rw,size=4k\n";
    OK(buf_add(&text, lines, strlen(lines), 4096, &f->e));
    OK(mount_table_parse(&text, &t, &f->e));
    assert_int_equal(t.count, 2);
    assert_string_equal(t.entries[0].root, "/a b");
    assert_string_equal(t.entries[0].point, "/mnt\\x");
    assert_string_equal(t.entries[0].type, "ext4");
    assert_string_equal(t.entries[1].data, "rw,size=4k");
    assert_true(mount_entry_has(&t.entries[0], "nosuid") && !mount_entry_has(&t.entries[0], "no"));
    assert_ptr_equal(mount_table_find(&t, 23), &t.entries[1]);
    assert_ptr_equal(mount_table_at(&t, "/mnt"), &t.entries[1]);
    static const char *const bad[] = {"22 1 8:1 / /mnt rw", "x 1 8:1 / /mnt rw - ext4 d rw",
                                      "1 1 8 / /mnt rw - ext4 d rw", "1 1 8:1 / /mnt rw - ext4"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        _cleanup_buf_ struct buf line = {0};
        struct mount_table none = {0};
        OK(buf_add(&line, bad[i], strlen(bad[i]), 4096, &f->e));
        assert_int_equal(mount_table_parse(&line, &none, &f->e), -EINVAL);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_registry),
        T(test_defaults),
        T(test_profile_of_policy),
        T(test_least_profile),
        T(test_compat),
        T(test_network),
        T(test_network_by_policy),
        T(test_block_io),
        T(test_oom_score),
        T(test_devices),
        T(test_limits_more),
        T(test_limits_less),
        T(test_unlimited_refused),
        T(test_unlimited_granted),
        T(test_limits_of_the_machine),
        T(test_bind_refused),
        T(test_bind_granted),
        T(test_bind_paths),
        T(test_bind_links),
        T(test_bind_mounts),
        T(test_bind_check),
        T(test_strict_bind),
        T(test_sysctl),
        T(test_capability_flag),
        T(test_capability_refused),
        T(test_capability_policy),
        T(test_capability_of_image),
        T(test_seccomp),
        T(test_apparmor),
        T(test_new_privileges),
        T(test_root_refused),
        T(test_evidence_not_running),
        T(test_evidence_of_no_container),
        T(test_evidence_of_reused_pid),
        T(test_mount_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
