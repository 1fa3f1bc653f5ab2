/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filters in the running kernel: a child installs one and really calls. What the interpreter of the other tests
 * believes is checked against the kernel here.
 */
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "seccomp/tables.h"

#define EXIT_FILTER 100 /* the child could not install its filter */

/* Runs `body` in a child under the named filter; returns what waitpid says. The body returns 0 or the line that failed. */
static int under(const char *filter, int (*body)(void))
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct filter *f = filter_find(filter);
        if (!f || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || filter_install(f) < 0)
            _exit(EXIT_FILTER);
        _exit(body());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void passes(const char *filter, int (*body)(void))
{
    int status = under(filter, body);
    if (status != 0)
        fail_msg("under %s: %s %d", filter, WIFSIGNALED(status) ? "signal" : "failed in the body's check",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* In bodies: the number of the check that fails is the exit status. */
#define EXPECT(n, condition) \
    do {                     \
        if (!(condition))    \
            return n;        \
    } while (0)
#define FAILS_WITH(call, e) (errno = 0, (long)(call) == -1 && errno == (e))

static int body_denied(void)
{
    EXPECT(1, FAILS_WITH(unshare(CLONE_NEWUSER), EPERM));
    EXPECT(2, FAILS_WITH(syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL), EPERM));
    EXPECT(3, FAILS_WITH(syscall(SYS_keyctl, 0, 0, 0, 0, 0), EPERM));
    EXPECT(4, FAILS_WITH(syscall(SYS_bpf, 0, NULL, 0), EPERM));
    EXPECT(5, FAILS_WITH(syscall(SYS_io_uring_setup, 1, NULL), EPERM));
    EXPECT(6, FAILS_WITH(syscall(SYS_clone3, NULL, 0), ENOSYS));
    EXPECT(7, FAILS_WITH(syscall(500), ENOSYS));
    EXPECT(8, FAILS_WITH(syscall(SYS_clone, (unsigned long)CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), EPERM));
    EXPECT(9, FAILS_WITH(personality(ADDR_NO_RANDOMIZE), EPERM));
    EXPECT(10, FAILS_WITH(ioctl(0, TIOCSTI, "x"), EPERM));
    EXPECT(11, FAILS_WITH(syscall(SYS_ioctl, 0, 0xffffffff00000000UL | TIOCSTI, "x"), EPERM));
    EXPECT(12, FAILS_WITH(mknod("/nonexistent/null", S_IFCHR | 0666, 0x103), EPERM));
    EXPECT(13, FAILS_WITH(getxattr("/", "user.x", NULL, 0), EOPNOTSUPP));
    EXPECT(14, FAILS_WITH(syscall(SYS_ptrace, 0, 0, 0, 0), EPERM));
    EXPECT(15,
           FAILS_WITH(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, NULL),
                      EPERM));
    return 0;
}

static int body_sockets(void)
{
    EXPECT(1, FAILS_WITH(socket(AF_INET, SOCK_RAW, 1), EPERM));
    EXPECT(2, FAILS_WITH(socket(AF_PACKET, SOCK_RAW, 0), EPERM));
    EXPECT(3, FAILS_WITH(socket(38, SOCK_SEQPACKET, 0), EPERM));
    EXPECT(4, FAILS_WITH(socket(AF_NETLINK, SOCK_RAW, 9), EPROTONOSUPPORT));
    EXPECT(5, socket(AF_INET, SOCK_STREAM, 0) >= 0);
    EXPECT(6, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP) >= 0);
    EXPECT(7, socket(AF_UNIX, SOCK_SEQPACKET, 0) >= 0);
    EXPECT(8, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0);
    struct ifaddrs *addresses = NULL;
    EXPECT(9, getifaddrs(&addresses) == 0);
    freeifaddrs(addresses);
    struct addrinfo *info = NULL;
    EXPECT(10, getaddrinfo("127.0.0.1", "80", NULL, &info) == 0);
    freeaddrinfo(info);
    return 0;
}

static void *thread_body(void *arg)
{
    return arg;
}

static int body_works(void)
{
    pthread_t thread;
    void *result = NULL;
    int status = 0;
    EXPECT(1, pthread_create(&thread, NULL, thread_body, &status) == 0);
    EXPECT(2, pthread_join(thread, &result) == 0 && result == &status);
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    EXPECT(3, pid > 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
    EXPECT(4, personality(0xffffffff) != -1);
    EXPECT(5, system("exit 3") == 3 << 8);
    FILE *f = popen("echo yes", "re");
    char word[8] = "";
    EXPECT(6, f && fgets(word, sizeof(word), f) && strcmp(word, "yes\n") == 0 && pclose(f) == 0);
    struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    EXPECT(7, filter_install(&(struct filter){&allow, 1}) == 0);
    return 0;
}

static void test_default_in_the_kernel(void **state)
{
    (void)state;
    passes("default", body_denied);
    passes("default", body_sockets);
    passes("default", body_works);
    passes("default-switch-user", body_denied);
    passes("default-switch-user", body_works);
}

static int body_set_id(void)
{
    char dir[] = "/tmp/casemate-test-XXXXXX", path[64];
    EXPECT(1, mkdtemp(dir) != NULL);
    (void)snprintf(path, sizeof(path), "%s/f", dir);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0755);
    EXPECT(2, fd >= 0);
    EXPECT(3, FAILS_WITH(chmod(path, 04755), EPERM));
    EXPECT(4, FAILS_WITH(fchmod(fd, 02755), EPERM));
    EXPECT(5, FAILS_WITH(fchmodat(AT_FDCWD, path, 06755, 0), EPERM));
    EXPECT(6, FAILS_WITH(open("/nonexistent/g", O_CREAT | O_WRONLY | O_CLOEXEC, 04755), EPERM));
    EXPECT(7, FAILS_WITH(creat("/nonexistent/g", 04755), EPERM));
    EXPECT(8, FAILS_WITH(mknod("/nonexistent/g", S_IFREG | 04755, 0), EPERM));
    EXPECT(9, FAILS_WITH(open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 02755), EPERM));
    EXPECT(10, FAILS_WITH(syscall(SYS_openat2, AT_FDCWD, path, NULL, 0), ENOSYS));
    EXPECT(11, FAILS_WITH(syscall(452, AT_FDCWD, path, 04755, 0), EPERM));
    EXPECT(12, chmod(path, 0700) == 0 && fchmod(fd, 01755) == 0);
    struct stat st;
    EXPECT(13, fstat(fd, &st) == 0 && (st.st_mode & 07777) == 01755);
    EXPECT(14, unlink(path) == 0 && rmdir(dir) == 0);
    return 0;
}

static void test_row_44_set_id_bits_in_the_kernel(void **state)
{
    (void)state;
    passes("deny-setid-bits", body_set_id);
}

static int body_socket(void)
{
    (void)socket(AF_UNIX, SOCK_STREAM, 0);
    return 0;
}

static int body_only_exits(void)
{
    return 0;
}

static void test_helpers_are_killed(void **state)
{
    (void)state;
    int status = under("parse", body_socket);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    passes("parse", body_only_exits);
    passes("unpack", body_only_exits);
    passes("shim", body_socket);
}

#ifdef __x86_64__
/* getpid by the 32-bit entry; its number there is 20. */
static int body_int80(void)
{
    long result = 20;
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    EXPECT(1, (int)result == -ENOSYS);
    EXPECT(2, FAILS_WITH(syscall(0x40000000 | SYS_getpid), ENOSYS));
    return 0;
}

static void test_row_59_int80_and_x32_in_the_kernel(void **state)
{
    (void)state;
    passes("default", body_int80);
}
#endif

static void test_install_says_why_not(void **state)
{
    (void)state;
    struct sock_filter endless = {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0};
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
            _exit(EXIT_FILTER);
        _exit(-filter_install(&(struct filter){&endless, 1}));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_in_the_kernel),
        cmocka_unit_test(test_row_44_set_id_bits_in_the_kernel),
        cmocka_unit_test(test_helpers_are_killed),
#ifdef __x86_64__
        cmocka_unit_test(test_row_59_int80_and_x32_in_the_kernel),
#endif
        cmocka_unit_test(test_install_says_why_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
