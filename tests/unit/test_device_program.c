/* SPDX-License-Identifier: Apache-2.0 */
/* Device rules as a program of the kernel's: loaded, attached to a group of the unified tree, and asked by opening. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "runtime/device_program.h"

#define READ BPF_DEVCG_ACC_READ
#define WRITE BPF_DEVCG_ACC_WRITE
#define ALL (READ | WRITE | BPF_DEVCG_ACC_MKNOD)

/* A group of our own below the unified tree, wherever that is; "" when there is none that we may write to. */
static void make_group(char *path, size_t size)
{
    static const char *const trees[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
    for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
        char procs[96];
        (void)snprintf(procs, sizeof(procs), "%s/cgroup.procs", trees[i]);
        (void)snprintf(path, size, "%s/casemate-test-%d", trees[i], (int)getpid());
        if (access(procs, W_OK) == 0 && mkdir(path, 0700) == 0)
            return;
    }
    *path = '\0';
}

static bool join(const char *group)
{
    char procs[160];
    (void)snprintf(procs, sizeof(procs), "%s/cgroup.procs", group);
    _cleanup_close_ int fd = open(procs, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, "0", 1) == 1;
}

static char asked(const char *device, int flags)
{
    _cleanup_close_ int fd = open(device, flags | O_CLOEXEC);
    return fd >= 0 ? 'y' : errno == EPERM ? 'n' : '?';
}

/* What a process of the group may do with null and zero: reading, writing, both, of each. */
static void look(const char *group, char answers[7])
{
    int pipe_fds[2];
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        static const int flags[] = {O_RDONLY, O_WRONLY, O_RDWR};
        char said[6] = "------";
        for (size_t i = 0; i < sizeof(said) && join(group); i++)
            said[i] = asked(i < 3 ? "/dev/null" : "/dev/zero", flags[i % 3]);
        _exit(write(pipe_fds[1], said, sizeof(said)) == sizeof(said) ? 0 : 1);
    }
    close(pipe_fds[1]);
    assert_int_equal(read(pipe_fds[0], answers, 6), 6);
    answers[6] = '\0';
    close(pipe_fds[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void check(const char *group, const struct device_rule *rules, size_t count, bool otherwise,
                  const char *expected)
{
    struct err e = {0};
    char answers[7];
    _cleanup_close_ int dir = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int program = device_program_load(rules, count, otherwise, &e);
    if (program < 0)
        fail_msg("%s", e.text);
    union bpf_attr attr = {
        .target_fd = (uint32_t)dir, .attach_bpf_fd = (uint32_t)program, .attach_type = BPF_CGROUP_DEVICE};
    assert_int_equal(syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)), 0);
    look(group, answers);
    assert_string_equal(answers, expected);
}

static void test_rules_are_asked_in_their_order(void **state)
{
    (void)state;
    char group[96];
    struct err e = {0};
    _cleanup_close_ int probe = device_program_load(NULL, 0, true, &e);
    make_group(group, sizeof(group));
    if (probe < 0 || !*group) {
        print_message("no right to load programs, or no group of a unified tree\n");
        if (*group)
            (void)rmdir(group);
        skip();
    }
    const struct device_rule null_only[] = {{true, 'c', 1, 3, ALL}};
    const struct device_rule reading[] = {{true, 'c', 1, DEVICE_ANY, READ}};
    const struct device_rule no_writing[] = {{false, 'a', DEVICE_ANY, DEVICE_ANY, WRITE}};
    const struct device_rule first_wins[] = {{true, 'c', 1, 5, ALL}, {false, 'c', 1, DEVICE_ANY, ALL}};
    const struct device_rule other_kind[] = {{false, 'b', DEVICE_ANY, DEVICE_ANY, ALL}};
    check(group, NULL, 0, true, "yyyyyy");
    check(group, NULL, 0, false, "nnnnnn");
    check(group, null_only, 1, false, "yyynnn");
    check(group, reading, 1, false, "ynnynn");
    check(group, no_writing, 1, true, "ynnynn");
    check(group, first_wins, 2, true, "nnnyyy");
    check(group, other_kind, 1, true, "yyyyyy");
    assert_int_equal(rmdir(group), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rules_are_asked_in_their_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
