/* SPDX-License-Identifier: Apache-2.0 */
/* Units of the options of run and create: words to plan, and what each wrong word is told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "cli/run_options.h"
#include "cli/verbs.h"

static const struct verb run_like = {.name = "run",
                                     .flags = VERB_STOPS | VERB_RUNS,
                                     .arguments_min = 1,
                                     .arguments_max = VERB_MANY,
                                     .options = {run_shared_options, run_resource_options, run_host_options,
                                                 run_only_options, run_unsupported_options}};

static int read_words(char **words, struct run_options *o, struct err *e)
{
    _cleanup_invocation_ struct invocation in = {0};
    int r = options_scan(&run_like, words, &in, e);
    return r < 0 ? r : run_options_read(&in, o, e);
}

#define READ(o, ...)                                                 \
    do {                                                             \
        struct err e_ = {0};                                         \
        if (read_words((char *[]){__VA_ARGS__, NULL}, (o), &e_) < 0) \
            fail_msg("%s", e_.text);                                 \
    } while (0)

/* These words are refused with this code, and the text has `says` in it. */
static void refused(int code, const char *says, char **words)
{
    struct err e = {0};
    _cleanup_run_options_ struct run_options o = {0};
    int r = read_words(words, &o, &e);
    if (r == 0)
        fail_msg("%s %s was accepted", words[0], words[1] ? words[1] : "");
    if (r != -code || !strstr(e.text, says) || strchr(e.text, '\n'))
        fail_msg("%s %s: %d %s", words[0], words[1] ? words[1] : "", r, e.text);
}
#define REFUSED(code, says, ...) refused(code, says, (char *[]){__VA_ARGS__, "image", NULL})

static void test_everything(void **state)
{
    (void)state;
    _cleanup_run_options_ struct run_options o = {0};
    READ(&o, "-dit", "--rm", "--name", "web-1", "--entrypoint=/bin/sh", "-e", "A=1", "-e", "A=2", "-w",
         "/a//b/.", "-u", "1000:100", "--group-add", "audio", "--read-only", "-m", "512m", "--memory-swap",
         "-1", "--cpus", "1.5", "--cpuset-cpus", "0-1,3", "--pids-limit", "-1", "--shm-size", "1g",
         "--ulimit", "nofile=5:6", "--ulimit", "core=-1", "--cap-add", "CHOWN", "--cap-drop=ALL",
         "--security-opt", "no-new-privileges", "--sysctl", "net.ipv4.ip_forward=1", "-l", "k=v=w", "--label",
         "bare", "-h", "box", "--init", "--stop-signal", "int", "--stop-timeout", "3", "--pull", "never",
         "--platform", "linux/arm64", "--profile", "strict", "--network", "none", "--detach-keys", "ctrl-x",
         "--sig-proxy=false", "image:1", "echo", "-n", "--", "x");
    const struct plan *p = &o.plan;
    assert_true(o.detach && p->tty && p->open_stdin && p->auto_remove && p->read_only && p->init &&
                !o.sig_proxy);
    assert_string_equal(p->name, "web-1");
    assert_string_equal(p->entrypoint.items[0], "/bin/sh");
    assert_int_equal(p->env.count, 1);
    assert_string_equal(p->env.items[0], "A=2");
    assert_string_equal(p->working_dir, "/a/b");
    assert_string_equal(p->user, "1000:100");
    assert_int_equal(p->memory, 512U << 20);
    assert_int_equal(p->memory_swap, PLAN_UNLIMITED);
    assert_int_equal(p->cpus_nano, 1500000000);
    assert_string_equal(p->cpuset_cpus, "0-1,3");
    assert_int_equal(p->pids, PLAN_UNLIMITED);
    assert_int_equal(p->shm_size, 1U << 30);
    assert_int_equal(p->ulimit_count, 2);
    assert_int_equal(p->ulimits[0].hard, 6);
    assert_int_equal(p->ulimits[1].soft, PLAN_UNLIMITED);
    assert_string_equal(p->labels.items[0], "k=v=w");
    assert_string_equal(p->labels.items[1], "bare=");
    assert_string_equal(p->stop_signal, "SIGINT");
    assert_int_equal(p->stop_timeout, 3);
    assert_int_equal(o.pull, PLAN_PULL_NEVER);
    assert_int_equal(p->profile, PLAN_STRICT);
    assert_string_equal(p->image_reference, "image:1");
    assert_int_equal(p->command.count, 4);
    assert_string_equal(p->command.items[2], "--");
}

static void test_defaults(void **state)
{
    (void)state;
    _cleanup_run_options_ struct run_options o = {0};
    READ(&o, "--entrypoint", "", "image");
    assert_true(o.sig_proxy && o.plan.entrypoint_given && o.plan.entrypoint.count == 0);
    assert_int_equal(o.plan.memory, PLAN_UNSET);
    assert_int_equal(o.plan.pids, PLAN_UNSET);
    assert_int_equal(o.plan.stop_timeout, PLAN_UNSET);
    assert_null(o.plan.user);
    assert_int_equal(o.pull, PLAN_PULL_MISSING);
}

static void test_mounts(void **state)
{
    (void)state;
    _cleanup_run_options_ struct run_options o = {0};
    READ(&o, "-v", "/srv/../srv//x:/x:ro,Z,noexec", "-v", "data:/d:nocopy", "-v", "/anon", "--mount",
         "type=bind,src=/a,dst=/b,readonly,\"consistency=cached\"", "--mount",
         "type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1700", "--mount", "source=vol,target=/v,ro=false",
         "--tmpfs", "/tt:size=2k,mode=755,uid=7,gid=8,exec", "-v", "./rel:/r", "image");
    const struct plan_mount *m = o.plan.mounts;
    assert_int_equal(o.plan.mount_count, 8);
    assert_string_equal(m[0].source, "/srv/x");
    assert_true(m[0].type == PLAN_MOUNT_BIND && m[0].read_only && m[0].noexec && m[0].make_source);
    assert_true(m[1].type == PLAN_MOUNT_VOLUME && m[1].no_copy);
    assert_string_equal(m[1].source, "data");
    assert_true(m[2].type == PLAN_MOUNT_VOLUME && !m[2].source);
    assert_string_equal(m[2].target, "/anon");
    assert_true(m[3].type == PLAN_MOUNT_BIND && m[3].read_only && !m[3].make_source);
    assert_int_equal(m[4].size, 1U << 20);
    assert_int_equal(m[4].mode, 01700);
    assert_true(m[5].type == PLAN_MOUNT_VOLUME && !m[5].read_only);
    assert_true(m[6].size == 2048 && m[6].mode == 0755 && m[6].uid == 7 && m[6].gid == 8 && m[6].exec);
    assert_true(m[7].source[0] == '/' && str_ends_with(m[7].source, "/rel"));
}

static void test_wrong_mounts(void **state)
{
    (void)state;
    REFUSED(EINVAL, "must be absolute", "-v", "/a:b");
    REFUSED(EINVAL, "not [SOURCE:]TARGET", "-v", "/a:/b:ro:x");
    REFUSED(EINVAL, "not [SOURCE:]TARGET", "-v", "");
    REFUSED(EINVAL, "not [SOURCE:]TARGET", "-v", ":/x");
    REFUSED(EINVAL, "whole root", "-v", "/a:/");
    REFUSED(EPERM, "cover /proc", "-v", "/a:/proc/x");
    REFUSED(EINVAL, "'..'", "-v", "/a:/b/../../c");
    REFUSED(EINVAL, "volume name", "-v", "a/b:/c");
    REFUSED(EINVAL, "unknown mode 'rx'", "-v", "/a:/b:rx");
    REFUSED(EPERM, "practice 5", "-v", "/a:/b:rshared");
    REFUSED(EINVAL, "Duplicate mount point: /b", "-v", "/a:/b", "--tmpfs", "/b/");
    REFUSED(EINVAL, "target is required", "--mount", "type=tmpfs");
    REFUSED(EINVAL, "source is required", "--mount", "type=bind,target=/x");
    REFUSED(ENOTSUP, "type=npipe", "--mount", "type=npipe,target=/x");
    REFUSED(ENOTSUP, "'volume-colour'", "--mount", "target=/x,volume-colour=red");
    REFUSED(ENOTSUP, "local", "--mount", "target=/x,volume-driver=nfs");
    REFUSED(EINVAL, "KEY=VALUE", "--mount", "target=/x,volume-label==x");
    REFUSED(EINVAL, "needs a value", "--mount", "target=/x,volume-opt");
    REFUSED(EINVAL, "volume only", "--mount", "type=bind,source=/a,target=/x,volume-nocopy");
    REFUSED(EINVAL, "relative", "--mount", "source=a,target=/x,volume-subpath=/b");
    REFUSED(EINVAL, "within", "--mount", "source=a,target=/x,volume-subpath=b/../c");
    REFUSED(EINVAL, "CONTAINER", "--volumes-from", ":ro");
    REFUSED(EINVAL, "mode", "--volumes-from", "web:wo");
    REFUSED(EINVAL, "nocopy", "-v", "/a:/b:nocopy");
    REFUSED(EINVAL, "tmpfs only", "--mount", "type=bind,src=/a,target=/x,tmpfs-size=1");
    REFUSED(EINVAL, "quotes", "--mount", "\"type=bind,target=/x");
    REFUSED(EINVAL, "needs a value", "--mount", "type=bind,src,target=/x");
    REFUSED(EPERM, "practice 5", "--tmpfs", "/t:suid");
    REFUSED(ENOTSUP, "nr_inodes", "--tmpfs", "/t:nr_inodes=5");
    REFUSED(EINVAL, "not a number", "--tmpfs", "/t:mode=9");
}

static void test_wrong_values(void **state)
{
    (void)state;
    REFUSED(EINVAL, "--name", "--name", "-x");
    REFUSED(EINVAL, "--user", "-u", "0x0");
    REFUSED(EINVAL, "--user", "-u", " 0");
    REFUSED(EINVAL, "--user", "-u", "4294967296");
    REFUSED(EINVAL, "--user", "-u", "a:b:c");
    REFUSED(EINVAL, "group", "--group-add", "a:b");
    REFUSED(EINVAL, "absolute", "-w", "x");
    REFUSED(EINVAL, "--memory", "-m", "5x");
    REFUSED(EINVAL, "give --memory", "--memory-swap", "5m");
    REFUSED(EINVAL, "below --memory", "--memory-swap", "5m", "-m", "6m");
    REFUSED(EINVAL, "more than 0", "--cpus", "0");
    REFUSED(EINVAL, "backwards", "--cpuset-cpus", "3-1");
    REFUSED(EINVAL, "--cpuset-cpus", "--cpuset-cpus", "a");
    REFUSED(EINVAL, "--pids-limit", "--pids-limit", "-2");
    REFUSED(EINVAL, "ulimit type", "--ulimit", "files=1");
    REFUSED(EINVAL, "at most the hard", "--ulimit", "nofile=2:1");
    REFUSED(EINVAL, "NAME=SOFT", "--ulimit", "nofile=1:2:3");
    REFUSED(EINVAL, "Invalid signal", "--stop-signal", "SIGFOO");
    REFUSED(EPERM, "practice 5", "--sysctl", "kernel.core_pattern=x");
    REFUSED(EINVAL, "--hostname", "-h", "a b");
    REFUSED(EINVAL, "always, missing, never", "--pull", "newer");
    REFUSED(EINVAL, "standard, strict", "--profile", "lax");
    REFUSED(EINVAL, "variable name", "-e", "=x");
    REFUSED(EINVAL, "exclude", "-d", "-a", "stdout");
    REFUSED(EINVAL, "valid streams", "-a", "std");
    REFUSED(EILSEQ, "UTF-8", "-l", "a=\xff");
    REFUSED(ENOENT, "--env-file", "--env-file", "/nonexistent/file");
}

static void test_not_there(void **state)
{
    (void)state;
    REFUSED(ENOTSUP, "--publish is not supported yet", "-p", "80:80");
    REFUSED(ENOTSUP, "--device-cgroup-rule is not supported", "--device-cgroup-rule=a");
    REFUSED(EPERM, "practice 6", "--privileged");
    REFUSED(EPERM, "practice 5", "--pid", "host");
    REFUSED(EINVAL, "container:NAME", "--ipc", "container:");
    REFUSED(ENOTSUP, "--network none", "--network", "bridge");
    REFUSED(EINVAL, "did you mean --memory", "--memroy", "1g");
    _cleanup_run_options_ struct run_options o = {0};
    READ(&o, "--privileged=false", "--ipc", "private", "--restart=no", "--log-driver", "json-file", "image");
}

static void test_living(void **state)
{
    (void)state;
    REFUSED(EINVAL, "invalid restart policy 'often'", "--restart", "often");
    REFUSED(EINVAL, "must be an integer", "--restart", "on-failure:x");
    REFUSED(EINVAL, "maximum retry count cannot be used", "--restart=always:3");
    REFUSED(EINVAL, "Conflicting options: --restart and --rm", "--rm", "--restart=always");
    REFUSED(EINVAL, "--no-healthcheck conflicts", "--no-healthcheck", "--health-cmd", "true");
    REFUSED(EINVAL, "--no-healthcheck conflicts", "--no-healthcheck", "--health-retries=2");
    REFUSED(EINVAL, "--health-interval cannot be less than 1ms", "--health-interval", "10us");
    REFUSED(EINVAL, "cannot be negative", "--health-retries", "-1");
    _cleanup_run_options_ struct run_options o = {0};
    READ(&o, "--restart", "on-failure:3", "--health-cmd=exit 1", "--health-interval=2s", "--health-retries",
         "4", "image");
    assert_string_equal(o.plan.restart, "on-failure:3");
    assert_int_equal(o.plan.health_test.count, 2);
    assert_string_equal(o.plan.health_test.items[0], "CMD-SHELL");
    assert_string_equal(o.plan.health_test.items[1], "exit 1");
    assert_int_equal(o.plan.health_interval, 2000000000);
    assert_int_equal(o.plan.health_retries, 4);
    assert_true(o.plan.health_timeout == PLAN_UNSET);
    run_options_clear(&o);
    READ(&o, "--restart=no", "--rm", "--no-healthcheck", "image");
    assert_null(o.plan.restart);
    assert_int_equal(o.plan.health_test.count, 1);
    assert_string_equal(o.plan.health_test.items[0], "NONE");
}

static void test_resources(void **state)
{
    (void)state;
    _cleanup_run_options_ struct run_options o = {0};
    READ(&o, "--cpu-quota", "150000", "--cpu-period=50000", "-c", "2048", "--device-read-bps", "/dev/sda:1mb",
         "--device-read-bps=/dev/sda:2mb", "--device-write-iops=/dev/x y:7", "--oom-score-adj", "-5",
         "--device", "/dev/fuse", "--device=/dev/null:/dev/a/b:r", "--device=/dev/zero:w", "--add-host",
         "a:::1", "--expose", "80-81/udp", "--expose", "80/udp", "image");
    const struct plan *p = &o.plan;
    assert_int_equal(p->cpus_nano, 3000000000);
    assert_int_equal(p->cpu_period_us, 50000);
    assert_int_equal(p->cpu_shares, 2048);
    assert_int_equal(p->io.count, 2);
    assert_string_equal(p->io.items[0], "read-bps /dev/sda 2097152");
    assert_string_equal(p->io.items[1], "write-iops /dev/x y 7");
    assert_int_equal(p->oom_score_adj, -5);
    assert_string_equal(p->devices.items[0], "/dev/fuse:/dev/fuse:rwm");
    assert_string_equal(p->devices.items[1], "/dev/null:/dev/a/b:r");
    assert_string_equal(p->devices.items[2], "/dev/zero:/dev/zero:w");
    assert_string_equal(p->hosts.items[0], "a=::1");
    assert_int_equal(p->expose.count, 2);
    REFUSED(EINVAL, "grants nothing", "--device", "/dev/null:m");
    REFUSED(EINVAL, "not of r, w and m", "--device", "/dev/null:/dev/x:rx");
    REFUSED(EINVAL, "below /dev", "--device", "/dev/null:/dev/../etc/x");
    REFUSED(EINVAL, "below /dev", "--device", "/dev/null:/dev/");
    REFUSED(EINVAL, "absolute", "--device", "null:/dev/x");
    REFUSED(ERANGE, "between 1000 and", "--cpu-period", "5");
    REFUSED(ERANGE, "between 2 and", "--cpu-shares", "1");
    REFUSED(EINVAL, "--device-read-bps", "--device-read-bps", "/dev/sda:0");
    REFUSED(EINVAL, "--device-read-bps", "--device-read-bps", "sda:1");
    REFUSED(EINVAL, "backwards", "--expose", "81-80");
    REFUSED(EINVAL, "tcp, udp, sctp", "--expose", "80/icmp");
    REFUSED(EINVAL, "no host name", "--add-host", "a b:1.2.3.4");
    REFUSED(EINVAL, "no option of resolv.conf", "--dns-option", "a\nb");
    REFUSED(EPERM, "practice 4", "--oom-kill-disable");
}

/* A file with this content. */
static char *write_file(const char *text)
{
    static char path[] = "/tmp/casemate-unit-XXXXXX";
    (void)snprintf(path, sizeof(path), "/tmp/casemate-unit-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void test_env(void **state)
{
    (void)state;
    _cleanup_run_options_ struct run_options o = {0};
    assert_int_equal(setenv("UNIT_SET", "from here", 1), 0);
    unsetenv("UNIT_UNSET");
    char *path = write_file("\xef\xbb\xbf# comment\n\n  A=1\r\nB=x # y\nUNIT_SET\nUNIT_UNSET\nC=\n");
    READ(&o, "--env-file", path, "-e", "A=2", "-e", "UNIT_UNSET", "image");
    unlink(path);
    assert_int_equal(o.plan.env.count, 5);
    assert_string_equal(o.plan.env.items[0], "A=2");
    assert_string_equal(o.plan.env.items[1], "B=x # y");
    assert_string_equal(o.plan.env.items[2], "UNIT_SET=from here");
    assert_string_equal(o.plan.env.items[3], "C=");
    assert_string_equal(o.plan.env.items[4], "UNIT_UNSET"); /* taken away from the image's */
    path = write_file("A=1\nmy secret=x\n");
    REFUSED(EINVAL, "line 2: a blank", "--env-file", path);
    unlink(path);
}

static void test_seccomp_file(void **state)
{
    (void)state;
    _cleanup_run_options_ struct run_options o = {0};
    char option[64];
    char *path = write_file("{\"defaultAction\": \"SCMP_ACT_ERRNO\"}");
    (void)snprintf(option, sizeof(option), "seccomp=%s", path);
    READ(&o, "--security-opt", option, "image");
    assert_string_equal(o.plan.seccomp_profile, "{\"defaultAction\": \"SCMP_ACT_ERRNO\"}");
    unlink(path);
    REFUSED(ENOENT, "system-call profile", "--security-opt", option);
    path = write_file("");
    (void)snprintf(option, sizeof(option), "seccomp=%s", path);
    REFUSED(EINVAL, "it is empty", "--security-opt", option);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),   cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_mounts),       cmocka_unit_test(test_wrong_mounts),
        cmocka_unit_test(test_wrong_values), cmocka_unit_test(test_not_there),
        cmocka_unit_test(test_living),       cmocka_unit_test(test_resources),
        cmocka_unit_test(test_env),          cmocka_unit_test(test_seccomp_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
