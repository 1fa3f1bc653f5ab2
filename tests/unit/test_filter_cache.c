/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of compiled filters, with the real casemate-seccomp in its own sandbox: what is built in, what is kept, and that nothing
 * but exactly what was kept is ever used.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/capname.h"
#include "base/io.h"
#include "base/path.h"
#include "bpf_eval.h"
#include "runtime/filter_cache.h"
#include "runtime/filter_compile.h"
#include "seccomp/names.h"

#define ALLOWED SECCOMP_RET_ALLOW
#define FAILS(n) (SECCOMP_RET_ERRNO | (n))
#define NOWHERE "/nonexistent"
#define KEPT_MAX 65536

#define NARROW                                                                                      \
    "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"mkdir\", \"mkdirat\"], " \
    "\"action\": "                                                                                  \
    "\"SCMP_ACT_ERRNO\", \"errnoRet\": 13}]}"

static char place[] = "/tmp/casemate-unit-XXXXXX";
static int cache = -1;

static void workers(bool there)
{
    (void)setenv("CASEMATE_LIBEXEC", there ? WORKERS : NOWHERE, 1);
}

static int make_cache(void **state)
{
    (void)state;
    (void)strcpy(place, "/tmp/casemate-unit-XXXXXX");
    if (geteuid() != 0 || !mkdtemp(place))
        return -1;
    cache = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    workers(true);
    return cache < 0 ? -1 : 0;
}

static int drop_cache(void **state)
{
    (void)state;
    struct err e = {0};
    close_fd(&cache);
    return path_remove_tree_at(AT_FDCWD, place, &e);
}

static uint32_t judge(const struct filter *f, long nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
    struct seccomp_data d = {
        .nr = (int)nr, .arch = seccomp_audit_arch(SECCOMP_ARCH_NATIVE), .args = {a0, a1, a2}};
    return bpf_eval(f->code, f->len, &d);
}

static struct filter *narrow(uint64_t caps)
{
    struct err e = {0};
    struct filter *f = NULL;
    if (filter_cache_profile(cache, caps, NARROW, strlen(NARROW), true, &f, &e) < 0)
        fail_msg("%s", e.text);
    return f;
}

/* The only file there, or its absence. */
static char *kept_name(void)
{
    static char name[256];
    name[0] = '\0';
    _cleanup_closedir_ DIR *d = opendir(place);
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d));) {
        if (entry->d_name[0] == '.' && (!entry->d_name[1] || entry->d_name[1] == '.'))
            continue;
        assert_int_equal(name[0], '\0');
        (void)snprintf(name, sizeof(name), "%s", entry->d_name);
    }
    return name;
}

static size_t kept_read(unsigned char *ret)
{
    _cleanup_close_ int fd = openat(cache, kept_name(), O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, ret, KEPT_MAX);
    assert_true(n > 0);
    return (size_t)n;
}

static void kept_write(const void *data, size_t length)
{
    _cleanup_close_ int fd = openat(cache, kept_name(), O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0 && write(fd, data, length) == (ssize_t)length);
}

static void test_built_in(void **state)
{
    (void)state;
    struct err e = {0};
    const struct filter *f = NULL;
    struct filter *made = NULL;
    workers(false);
    const uint64_t plain[] = {0, CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_SYS_TIME)};
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
        assert_int_equal(filter_cache_ceiling(cache, plain[i], &f, &made, &e), 0);
        assert_ptr_equal(f, filter_find("default"));
        assert_null(made);
    }
    const uint64_t users = CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID);
    assert_int_equal(filter_cache_ceiling(cache, users, &f, &made, &e), 0);
    assert_ptr_equal(f, filter_find("default-switch-user"));
    assert_null(made);
    assert_string_equal(kept_name(), "");
    assert_true(filter_cache_ceiling(cache, CAP_BIT(CAP_SYS_CHROOT), &f, &made, &e) < 0);
    assert_non_null(strstr(e.text, "casemate-seccomp"));
}

static void test_ceiling_of_a_capability(void **state)
{
    (void)state;
    struct err e = {0};
    const struct filter *f = NULL;
    struct filter *made = NULL;
    for (int again = 0; again < 2; again++) {
        if (filter_cache_ceiling(cache, CAP_BIT(CAP_NET_RAW) | CAP_BIT(CAP_CHOWN), &f, &made, &e) < 0)
            fail_msg("%s", e.text);
        assert_ptr_equal(f, made);
        assert_int_equal(judge(f, SYS_socket, AF_INET, SOCK_RAW, 1), ALLOWED);
        assert_int_equal(judge(f, SYS_socket, AF_PACKET, SOCK_DGRAM, 3), ALLOWED);
        assert_int_equal(judge(f, SYS_socket, AF_VSOCK, SOCK_STREAM, 0), FAILS(EPERM));
        assert_int_equal(judge(f, SYS_chroot, 0, 0, 0), FAILS(EPERM));
        assert_int_equal(judge(f, SYS_read, 0, 0, 0), ALLOWED);
        free(made);
        workers(false); /* the second one is the kept one */
    }
    assert_int_equal(judge(filter_find("default"), SYS_socket, AF_INET, SOCK_RAW, 1), FAILS(EPERM));
}

static void kernel_takes(const struct filter *f, int cap)
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || filter_install(f) < 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("the kernel does not take the filter of %s", cap_name((unsigned)cap));
}

/* Each alone, and all at once: the filter loads, and it closes nothing that is open without. */
static void test_every_capability(void **state)
{
    (void)state;
    const struct filter *without = filter_find("default");
    for (int cap = 0; cap <= CAP_NUMBERS; cap++) {
        struct err e = {0};
        const struct filter *f = NULL;
        struct filter *made = NULL;
        if (filter_cache_ceiling(cache, cap == CAP_NUMBERS ? CAP_MASK_ALL : CAP_BIT(cap), &f, &made, &e) < 0)
            fail_msg("%s", e.text);
        if (made)
            kernel_takes(f, cap % CAP_NUMBERS);
        for (long nr = 0; nr <= SECCOMP_NR_NEWEST; nr++)
            if (judge(without, nr, 0, 0, 0) == ALLOWED && judge(f, nr, 0, 0, 0) != ALLOWED)
                fail_msg("capability %d closes call %ld", cap, nr);
        free(made);
    }
}

static void test_kept_and_used(void **state)
{
    (void)state;
    struct stat st;
    _cleanup_free_ struct filter *first = narrow(0);
    assert_int_equal(judge(first, SYS_mkdirat, 0, 0, 0), FAILS(EACCES));
    assert_int_equal(judge(first, SYS_read, 0, 0, 0), ALLOWED);
    assert_int_equal(fstatat(cache, kept_name(), &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    workers(false);
    _cleanup_free_ struct filter *second = narrow(0);
    assert_int_equal(first->len, second->len);
    assert_memory_equal(first->code, second->code, first->len * sizeof(*first->code));
    workers(true);
    (void)unlinkat(cache, kept_name(), 0);
    free(narrow(CAP_BIT(CAP_KILL)));
    workers(false);
    struct err e = {0};
    struct filter *none = NULL;
    assert_true(filter_cache_profile(cache, 0, NARROW, strlen(NARROW), true, &none, &e) <
                0); /* made for other capabilities */
    assert_true(
        filter_cache_profile(cache, CAP_BIT(CAP_KILL), NARROW " ", strlen(NARROW) + 1, true, &none, &e) < 0);
}

/* What stands there is not used, and when the worker is there the file is good again. */
static void unusable(const char *what)
{
    struct err e = {0};
    struct filter *f = NULL;
    workers(false);
    if (filter_cache_profile(cache, 0, NARROW, strlen(NARROW), true, &f, &e) == 0)
        fail_msg("used: %s", what);
    workers(true);
    f = narrow(0);
    assert_int_equal(judge(f, SYS_mkdirat, 0, 0, 0), FAILS(EACCES));
    free(f);
    workers(false);
    free(narrow(0));
}

static void test_spoilt_files(void **state)
{
    (void)state;
    static unsigned char good[KEPT_MAX];
    static unsigned char bad[KEPT_MAX];
    free(narrow(0));
    size_t length = kept_read(good);
    for (size_t at = 0; at < length; at += at < 96 ? 5 : 37) { /* every field, then the program */
        memcpy(bad, good, length);
        bad[at] ^= 0x40;
        kept_write(bad, length);
        unusable("a changed byte");
    }
    const size_t lengths[] = {0, 1, 15, 88, length - 8, length - 1};
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        kept_write(good, lengths[i]);
        unusable("a short file");
    }
    memcpy(bad, good, length);
    kept_write(bad, length + 8);
    unusable("a long file");
}

static void test_foreign_files(void **state)
{
    (void)state;
    char name[256];
    free(narrow(0));
    (void)snprintf(name, sizeof(name), "%s", kept_name());
    assert_int_equal(fchmodat(cache, name, 0644, 0), 0);
    unusable("a file that others may read");
    assert_int_equal(fchownat(cache, name, 1000, 0, 0), 0);
    unusable("a file of another user");
    assert_int_equal(linkat(cache, name, cache, "other", 0), 0);
    workers(false);
    struct err e = {0};
    struct filter *f = NULL;
    assert_true(filter_cache_profile(cache, 0, NARROW, strlen(NARROW), true, &f, &e) < 0);
    assert_int_equal(unlinkat(cache, name, 0), 0);
    assert_int_equal(symlinkat("other", cache, name), 0);
    assert_true(filter_cache_profile(cache, 0, NARROW, strlen(NARROW), true, &f, &e) < 0);
    assert_int_equal(unlinkat(cache, name, 0), 0);
    assert_int_equal(mkdirat(cache, name, 0700), 0);
    assert_true(filter_cache_profile(cache, 0, NARROW, strlen(NARROW), true, &f, &e) < 0);
    workers(true); /* it cannot be kept then, and works all the same */
    f = narrow(0);
    assert_int_equal(judge(f, SYS_mkdirat, 0, 0, 0), FAILS(EACCES));
    free(f);
}

static void refuses(const char *text, size_t length, int code, const char *says)
{
    struct err e = {0};
    struct filter *f = NULL;
    int r = filter_cache_profile(cache, 0, text, length, true, &f, &e);
    if (r != -code || !strstr(e.text, says))
        fail_msg("said %d: %s\nexpected: %s", r, e.text, says);
    assert_int_equal(e.practice, code == EPERM ? 7 : 0);
    assert_string_equal(kept_name(), "");
}

/* What a container is started with need not be judged again, but what was not judged does not count as judged. */
static void test_judged_once(void **state)
{
    (void)state;
    static const char wide[] =
        "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"chroot\"], "
        "\"action\": \"SCMP_ACT_ALLOW\"}]}";
    struct err e = {0};
    struct filter *f = NULL;
    assert_int_equal(filter_cache_profile(cache, 0, wide, strlen(wide), true, &f, &e), -EPERM);
    assert_int_equal(filter_cache_profile(cache, 0, wide, strlen(wide), false, &f, &e), 0);
    free(f);
    f = NULL;
    assert_int_equal(filter_cache_profile(cache, 0, wide, strlen(wide), true, &f, &e), -EPERM);
    assert_int_equal(filter_cache_profile(cache, 0, NARROW, strlen(NARROW), true, &f, &e), 0);
    free(f);
    workers(false);
    f = NULL;
    assert_int_equal(filter_cache_profile(cache, 0, NARROW, strlen(NARROW), false, &f, &e), 0);
    free(f);
}

static void test_refused_profiles(void **state)
{
    (void)state;
    refuses("{", 1, EINVAL, "system-call profile: profile: is not valid JSON");
    refuses("{\"defaultAction\": \"SCMP_ACT_NONE\"}", 34, EINVAL,
            "defaultAction: unknown action SCMP_ACT_NONE");
    static const char wide[] =
        "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"read\", "
        "\"chroot\", \"reboot\", \"execve\", \"exit_group\"], \"action\": \"SCMP_ACT_ALLOW\"}]}";
    refuses(wide, strlen(wide), EPERM, "chroot (--cap-add SYS_CHROOT opens it), reboot; take them out");
    _cleanup_free_ char *large = malloc((1 << 20) + 1);
    assert_non_null(large);
    memset(large, ' ', (1 << 20) + 1);
    refuses(large, (1 << 20) + 1, EFBIG, "system-call profile");
}

/* As large as a profile may be, and as large as a program may not be: the worker's memory, time and calls are enough for both. */
static void test_large_profiles(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf b = {0};
    struct err e = {0};
    struct filter *f = NULL;
    const size_t max = 1 << 20;
    assert_int_equal(buf_printf(&b, max, &e, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["), 0);
    size_t start = b.length;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(
            buf_printf(
                &b, max, &e,
                "{\"names\":[\"mkdir\",\"mkdirat\"],\"action\":\"SCMP_ACT_ERRNO\",\"comment\":\"%0900d\"},",
                i),
            0);
    assert_int_equal(buf_printf(&b, max, &e, "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}"), 0);
    if (filter_cache_profile(cache, 0, b.data, b.length, true, &f, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(judge(f, SYS_mkdirat, 0, 0, 0), FAILS(EPERM));
    free(f);
    f = NULL;
    (void)unlinkat(cache, kept_name(), 0);
    b.length = start;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(
            buf_printf(
                &b, max, &e,
                "{\"names\":[\"mkdirat\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,\"value\":%d,"
                "\"op\":\"SCMP_CMP_GT\"}]},",
                i),
            0);
    assert_int_equal(buf_printf(&b, max, &e, "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}"), 0);
    refuses(b.data, b.length, E2BIG, "more than the 4096 instructions");
}

static void test_programs_are_checked(void **state)
{
    (void)state;
    struct err e = {0};
    const struct sock_filter good[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
                                       BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
                                       BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, ALLOWED)};
    struct sock_filter bad[4];
    assert_int_equal(filter_check(good, 4, &e), 0);
    assert_true(filter_check(good, 0, &e) < 0);
    assert_true(filter_check(good, 2, &e) < 0); /* no return at the end */
    const struct sock_filter wrong[] = {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 2, 0),
                                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 200),
                                        BPF_STMT(BPF_JMP | BPF_JA, 2),
                                        BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX),
                                        BPF_STMT(BPF_LD | BPF_IMM, 0),
                                        BPF_STMT(BPF_RET | BPF_A, 0),
                                        BPF_STMT(BPF_ST, 99)};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        memcpy(bad, good, sizeof(good));
        bad[1] = wrong[i];
        assert_true(filter_check(bad, 4, &e) < 0);
    }
}

int main(void)
{
    if (geteuid() != 0) {
        (void)printf("skipped: workers are started as root\n");
        return 77;
    }
#define IN_CACHE(test) cmocka_unit_test_setup_teardown(test, make_cache, drop_cache)
    const struct CMUnitTest tests[] = {
        IN_CACHE(test_built_in),         IN_CACHE(test_ceiling_of_a_capability),
        IN_CACHE(test_every_capability), IN_CACHE(test_kept_and_used),
        IN_CACHE(test_spoilt_files),     IN_CACHE(test_foreign_files),
        IN_CACHE(test_judged_once),      IN_CACHE(test_large_profiles),
        IN_CACHE(test_refused_profiles), cmocka_unit_test(test_programs_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
