/* SPDX-License-Identifier: Apache-2.0 */
/* Units of the practices: what each makes of a plan, what it refuses and in which words, which grants it records. */
#include "practices_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/capname.h"

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
        T(test_sysctl),
        T(test_capability_flag),
        T(test_capability_refused),
        T(test_capability_policy),
        T(test_capability_of_image),
        T(test_seccomp),
        T(test_apparmor),
        T(test_new_privileges),
        T(test_root_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
