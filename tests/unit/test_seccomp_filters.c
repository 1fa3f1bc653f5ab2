/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own profiles, call by call, on both architectures (REQUIREMENTS rows 56-59): what a container may do by default,
 * what each grant opens, what the second filter refuses, and that the helper programs' filters are as narrow as they say.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/capname.h"
#include "base/cleanup.h"
#include "bpf_eval.h"
#include "seccomp/compile.h"
#include "seccomp/tables.h"

#define OK SECCOMP_RET_ALLOW
#define NO (SECCOMP_RET_ERRNO | EPERM)
#define NOSYS (SECCOMP_RET_ERRNO | ENOSYS)
#define NOTSUP (SECCOMP_RET_ERRNO | EOPNOTSUPP)
#define NOPROTO (SECCOMP_RET_ERRNO | EPROTONOSUPPORT)
#define INVAL (SECCOMP_RET_ERRNO | EINVAL)
#define KILLED SECCOMP_RET_KILL_PROCESS
#define HIGH UINT64_C(0xdead000000000000) /* bits of a 32-bit argument that the kernel does not look at */
#define GRANT(name) CAP_BIT(cap_number(name, strlen(name)))
#define REACHABLE_MAX 220

static const enum seccomp_arch arches[] = {SECCOMP_ARCH_X86_64, SECCOMP_ARCH_AARCH64};

struct call {
    const char *name;
    uint64_t args[4];
    uint32_t expected;
};

static void read_profile(const char *name, char **ret_text, size_t *ret_len)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", SECCOMP_PROFILES, name);
    FILE *f = fopen(path, "re");
    if (!f)
        fail_msg("%s: %s", path, strerror(errno));
    *ret_text = malloc(PROFILE_BYTES_MAX);
    assert_non_null(*ret_text);
    *ret_len = fread(*ret_text, 1, PROFILE_BYTES_MAX, f);
    (void)fclose(f);
}

static struct seccomp_program compile_profile(const char *name, enum seccomp_arch arch, uint64_t caps)
{
    _cleanup_free_ char *text = NULL;
    struct seccomp_program p = {0};
    struct profile_target t = {.arch = arch, .caps = caps};
    struct err e = {0};
    size_t len = 0;
    read_profile(name, &text, &len);
    if (seccomp_compile(text, len, &t, &p, &e) < 0)
        fail_msg("%s: %s", name, e.text);
    if (p.n_unknown > 0)
        fail_msg("%s: %s is a system call of neither architecture", name, p.unknown);
    return p;
}

static uint32_t judge(const struct seccomp_program *p, enum seccomp_arch arch, int nr, const uint64_t args[4])
{
    struct seccomp_data d = {
        .nr = nr, .arch = seccomp_audit_arch(arch), .args = {args[0], args[1], args[2], args[3]}};
    return bpf_eval(p->code, p->len, &d);
}

/* Every call of the list on both architectures; one that an architecture does not have is passed over there. */
static void check(const char *profile, uint64_t caps, const struct call *calls, size_t n)
{
    for (size_t a = 0; a < ARRAY_SIZE(arches); a++) {
        _cleanup_(seccomp_program_clear) struct seccomp_program p = compile_profile(profile, arches[a], caps);
        for (size_t i = 0; i < n; i++) {
            int nr = seccomp_number(arches[a], calls[i].name);
            if (nr == SECCOMP_NAME_UNKNOWN)
                fail_msg("no such call: %s", calls[i].name);
            if (nr < 0)
                continue;
            uint32_t got = judge(&p, arches[a], nr, calls[i].args);
            if (got != calls[i].expected)
                fail_msg("%s on %s: %s(%llx, %llx, %llx, %llx) gives 0x%x, expected 0x%x", profile,
                         a ? "arm64" : "x86-64", calls[i].name, (unsigned long long)calls[i].args[0],
                         (unsigned long long)calls[i].args[1], (unsigned long long)calls[i].args[2],
                         (unsigned long long)calls[i].args[3], got, calls[i].expected);
        }
    }
}

#define CHECK(profile, caps, ...)                          \
    do {                                                   \
        static const struct call calls_[] = {__VA_ARGS__}; \
        check(profile, caps, calls_, ARRAY_SIZE(calls_));  \
    } while (0)

/* --- the default profile -------------------------------------------------------------------------------------- */

/* Whether any of a spread of arguments is let through. */
static bool reachable(const struct seccomp_program *p, enum seccomp_arch arch, int nr)
{
    static const uint64_t values[] = {0,  1,  2,      3,      5,       6,          10,
                                      16, 17, 0x1000, 0x8000, 0x20000, 0xffffffff, UINT64_MAX};
    for (size_t a = 0; a < ARRAY_SIZE(values); a++)
        for (size_t b = 0; b < ARRAY_SIZE(values); b++)
            for (size_t c = 0; c < ARRAY_SIZE(values); c++) {
                const uint64_t args[4] = {values[a], values[b], values[c], values[c]};
                if (judge(p, arch, nr, args) == OK)
                    return true;
            }
    return false;
}

static int count_reachable(const char *profile, enum seccomp_arch arch, uint64_t caps)
{
    _cleanup_(seccomp_program_clear) struct seccomp_program p = compile_profile(profile, arch, caps);
    int n = 0;
    for (int nr = 0; nr <= SECCOMP_NR_NEWEST; nr++)
        n += reachable(&p, arch, nr);
    return n;
}

static void test_row_56_fewer_calls_than_the_limit(void **state)
{
    (void)state;
    int x86 = count_reachable("default.json", SECCOMP_ARCH_X86_64, 0);
    int arm = count_reachable("default.json", SECCOMP_ARCH_AARCH64, 0);
    print_message("reachable: %d on x86-64, %d on arm64\n", x86, arm);
    assert_in_range(x86, 200, REACHABLE_MAX);
    assert_in_range(arm, 150, x86);
}

static void test_what_common_software_needs(void **state)
{
    (void)state;
    CHECK("default.json", 0, {"read", {0}, OK}, {"openat", {0}, OK}, {"mmap", {0}, OK}, {"execve", {0}, OK},
          {"statx", {0}, OK}, {"futex", {0}, OK}, {"futex_waitv", {0}, OK}, {"rseq", {0}, OK},
          {"set_robust_list", {0}, OK}, {"shmget", {0}, OK}, {"shmat", {0}, OK}, {"semtimedop", {0}, OK},
          {"msgrcv", {0}, OK}, {"io_setup", {0}, OK}, {"io_submit", {0}, OK}, {"io_getevents", {0}, OK},
          {"io_destroy", {0}, OK}, {"mbind", {0}, OK}, {"set_mempolicy", {0}, OK}, {"get_mempolicy", {0}, OK},
          {"memfd_create", {0}, OK}, {"landlock_create_ruleset", {0}, OK}, {"landlock_add_rule", {0}, OK},
          {"landlock_restrict_self", {0}, OK}, {"prctl", {0}, OK}, {"arch_prctl", {0}, OK},
          {"setuid", {0}, OK}, {"setgroups", {0}, OK}, {"fchownat", {0}, OK}, {"epoll_pwait", {0}, OK},
          {"pidfd_open", {0}, OK}, {"timer_create", {0}, OK}, {"sched_setaffinity", {0}, OK},
          {"mlock", {0}, OK}, {"fallocate", {0}, OK}, {"sendmmsg", {0}, OK}, {"accept4", {0}, OK},
          {"getrandom", {0}, OK}, {"close_range", {0}, OK}, {"wait4", {0}, OK}, {"waitid", {0}, OK},
          {"restart_syscall", {0}, OK}, {"sigaltstack", {0}, OK});
}

static void test_row_57_powers_are_refused(void **state)
{
    (void)state;
    CHECK("default.json", 0, {"unshare", {CLONE_NEWUSER}, NO}, {"unshare", {0}, NO}, {"setns", {0}, NO},
          {"mount", {0}, NO}, {"umount2", {0}, NO}, {"pivot_root", {0}, NO}, {"fsopen", {0}, NO},
          {"fsconfig", {0}, NO}, {"fsmount", {0}, NO}, {"fspick", {0}, NO}, {"open_tree", {0}, NO},
          {"open_tree_attr", {0}, NO}, {"move_mount", {0}, NO}, {"mount_setattr", {0}, NO},
          {"keyctl", {0}, NO}, {"add_key", {0}, NO}, {"request_key", {0}, NO}, {"bpf", {0}, NO},
          {"perf_event_open", {0}, NO}, {"io_uring_setup", {0}, NO}, {"io_uring_enter", {0}, NO},
          {"io_uring_register", {0}, NO}, {"userfaultfd", {0}, NO}, {"process_vm_readv", {0}, NO},
          {"process_vm_writev", {0}, NO}, {"ptrace", {0}, NO}, {"kcmp", {0}, NO}, {"kexec_load", {0}, NO},
          {"kexec_file_load", {0}, NO}, {"init_module", {0}, NO}, {"finit_module", {0}, NO},
          {"delete_module", {0}, NO}, {"open_by_handle_at", {0}, NO}, {"name_to_handle_at", {0}, NO},
          {"quotactl", {0}, NO}, {"quotactl_fd", {0}, NO}, {"swapon", {0}, NO}, {"swapoff", {0}, NO},
          {"reboot", {0}, NO}, {"settimeofday", {0}, NO}, {"clock_settime", {0}, NO}, {"adjtimex", {0}, NO},
          {"clock_adjtime", {0}, NO}, {"acct", {0}, NO}, {"iopl", {0}, NO}, {"ioperm", {0}, NO},
          {"modify_ldt", {0}, NO}, {"pidfd_getfd", {0}, NO}, {"syslog", {0}, NO}, {"sethostname", {0}, NO},
          {"setdomainname", {0}, NO}, {"chroot", {0}, NO}, {"vhangup", {0}, NO}, {"fanotify_init", {0}, NO},
          {"lookup_dcookie", {0}, NO}, {"uselib", {0}, NO}, {"migrate_pages", {0}, NO},
          {"move_pages", {0}, NO}, {"remap_file_pages", {0}, NO}, {"nfsservctl", {0}, NO});
}

static void test_what_libraries_try_first_seems_absent(void **state)
{
    (void)state;
    CHECK("default.json", 0, {"clone3", {0}, NOSYS}, {"openat2", {0}, NOSYS}, {"fchmodat2", {0}, NOSYS},
          {"copy_file_range", {0}, NOSYS}, {"epoll_pwait2", {0}, NOSYS}, {"preadv2", {0}, NOSYS},
          {"cachestat", {0}, NOSYS}, {"mseal", {0}, NOSYS}, {"statmount", {0}, NOSYS},
          {"pkey_alloc", {0}, NOSYS}, {"file_getattr", {0}, NOSYS}, {"splice", {0}, INVAL},
          {"tee", {0}, INVAL}, {"vmsplice", {0}, INVAL}, {"getxattr", {0}, NOTSUP},
          {"fsetxattr", {0}, NOTSUP}, {"setxattrat", {0}, NOSYS});
}

static void test_clone_makes_no_namespace(void **state)
{
    (void)state;
    static const uint64_t namespaces[] = {
        CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
        CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET, 0x80 /* CLONE_NEWTIME */};
    CHECK("default.json", 0, {"clone", {17}, OK}, {"clone", {0x003d0f00}, OK} /* a thread */,
          {"clone", {0x4111}, OK}, {"clone", {0x01200011}, OK} /* fork */, {"fork", {0}, OK},
          {"vfork", {0}, OK});
    for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
        const struct call calls[] = {{"clone", {namespaces[i]}, NO},
                                     {"clone", {namespaces[i] | 0x003d0f00}, NO},
                                     {"clone", {namespaces[i] | HIGH | 17}, NO},
                                     {"unshare", {namespaces[i]}, NO}};
        check("default.json", 0, calls, ARRAY_SIZE(calls));
    }
}

static void test_row_58_socket_families(void **state)
{
    (void)state;
    CHECK("default.json", 0, {"socket", {AF_UNIX, SOCK_STREAM, 0}, OK},
          {"socket", {AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0}, OK},
          {"socket", {AF_INET, SOCK_STREAM, 0}, OK},
          {"socket", {AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 6}, OK},
          {"socket", {AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 17}, OK}, {"socket", {AF_INET, SOCK_DGRAM, 1}, OK},
          {"socket", {AF_INET6, SOCK_DGRAM, 58}, OK},
          {"socket", {HIGH | AF_INET, HIGH | SOCK_STREAM, HIGH}, OK},
          {"socket", {AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0}, OK},
          {"socket", {AF_NETLINK, SOCK_DGRAM, 0}, OK}, {"socketpair", {AF_UNIX, SOCK_STREAM, 0}, OK});
    CHECK("default.json", 0, {"socket", {AF_INET, SOCK_RAW, 1}, NO}, {"socket", {AF_INET, SOCK_RAW, 255}, NO},
          {"socket", {HIGH | AF_INET, HIGH | SOCK_RAW, 1}, NO}, {"socket", {AF_INET6, SOCK_RAW, 58}, NO},
          {"socket", {AF_INET, SOCK_STREAM, 132}, NO} /* SCTP */,
          {"socket", {AF_INET, SOCK_SEQPACKET, 132}, NO}, {"socket", {AF_INET, 6, 33}, NO} /* DCCP */,
          {"socket", {AF_INET, SOCK_STREAM, 262}, NO} /* MPTCP */,
          {"socket", {AF_INET, SOCK_DGRAM, 136}, NO} /* UDP-Lite */,
          {"socket", {AF_INET, SOCK_STREAM, 256}, NO} /* SMC */, {"socket", {AF_INET, SOCK_DGRAM, 58}, NO},
          {"socket", {AF_INET, 10, 0x300}, NO} /* SOCK_PACKET */, {"socket", {AF_PACKET, SOCK_RAW, 0}, NO},
          {"socket", {AF_PACKET, SOCK_DGRAM, 0x300}, NO}, {"socket", {38, SOCK_SEQPACKET, 0}, NO} /* ALG */,
          {"socket", {HIGH | 38, SOCK_SEQPACKET, 0}, NO}, {"socket", {40, SOCK_STREAM, 0}, NO} /* VSOCK */,
          {"socket", {44, SOCK_RAW, 0}, NO} /* XDP */, {"socket", {30, SOCK_STREAM, 0}, NO} /* TIPC */,
          {"socket", {29, SOCK_RAW, 1}, NO} /* CAN */, {"socket", {31, SOCK_RAW, 1}, NO} /* Bluetooth */,
          {"socket", {21, SOCK_SEQPACKET, 0}, NO} /* RDS */, {"socket", {0, SOCK_STREAM, 0}, NO},
          {"socket", {UINT64_MAX, SOCK_STREAM, 0}, NO}, {"socketpair", {30, SOCK_STREAM, 0}, NO},
          {"socketpair", {AF_INET, SOCK_STREAM, 0}, NO});
    CHECK("default.json", 0, {"socket", {AF_NETLINK, SOCK_RAW, 9}, NOPROTO} /* audit */,
          {"socket", {AF_NETLINK, SOCK_RAW, 12}, NOPROTO} /* netfilter */,
          {"socket", {AF_NETLINK, SOCK_RAW, 16}, NOPROTO},
          {"socket", {AF_NETLINK, SOCK_RAW, 15}, NOPROTO} /* uevent */,
          {"socket", {AF_NETLINK, SOCK_RAW, 6}, NOPROTO});
}

static void test_terminals_cannot_be_typed_into(void **state)
{
    (void)state;
    CHECK("default.json", 0, {"ioctl", {0, 0x5412}, NO}, {"ioctl", {0, HIGH | 0x5412}, NO},
          {"ioctl", {0, 0xffffffff00005412}, NO}, {"ioctl", {0, 0x541c}, NO},
          {"ioctl", {0, HIGH | 0x541c}, NO}, {"ioctl", {0, 0x5423}, NO}, {"ioctl", {0, 0x5413}, OK},
          {"ioctl", {0, 0x5401}, OK}, {"ioctl", {0, 0x541b}, OK}, {"ioctl", {0x5412, 0x5411}, OK});
}

static void test_only_plain_nodes(void **state)
{
    (void)state;
    CHECK("default.json", 0, {"mknod", {0, S_IFIFO | 0644}, OK}, {"mknod", {0, S_IFREG | 0600}, OK},
          {"mknod", {0, 0600}, OK}, {"mknod", {0, S_IFSOCK | 0600}, OK}, {"mknod", {0, HIGH | S_IFIFO}, OK},
          {"mknod", {0, S_IFCHR | 0666}, NO}, {"mknod", {0, HIGH | S_IFCHR | 0666}, NO},
          {"mknod", {0, S_IFBLK | 0666}, NO}, {"mknod", {0, S_IFDIR | 0700}, NO},
          {"mknodat", {0, 0, S_IFIFO | 0644}, OK}, {"mknodat", {0, 0, S_IFREG}, OK},
          {"mknodat", {0, 0, S_IFSOCK}, OK}, {"mknodat", {0, 0, S_IFCHR | 0666, 0}, NO},
          {"mknodat", {0, 0, S_IFBLK | 0666}, NO}, {"mknodat", {S_IFREG, S_IFREG, S_IFBLK | 0666}, NO});
}

static void test_personality_and_own_filters(void **state)
{
    (void)state;
    CHECK("default.json", 0, {"personality", {0}, OK}, {"personality", {0xffffffff}, OK},
          {"personality", {UINT64_MAX}, OK}, {"personality", {8}, OK}, {"personality", {0x20000}, OK},
          {"personality", {0x20008}, OK}, {"personality", {0x40000}, NO} /* ADDR_NO_RANDOMIZE */,
          {"personality", {0x400000}, NO} /* READ_IMPLIES_EXEC */,
          {"personality", {0x100000}, NO} /* MMAP_PAGE_ZERO */, {"personality", {HIGH | 0x40000}, NO},
          {"seccomp", {1, 0}, OK}, {"seccomp", {1, 1}, OK}, {"seccomp", {2, 0}, OK}, {"seccomp", {1, 8}, NO},
          {"seccomp", {1, 9}, NO}, {"seccomp", {1, 0x28}, NO});
}

static void test_row_59_other_abis_are_closed(void **state)
{
    (void)state;
    _cleanup_(seccomp_program_clear) struct seccomp_program x =
        compile_profile("default.json", SECCOMP_ARCH_X86_64, 0);
    _cleanup_(seccomp_program_clear) struct seccomp_program a =
        compile_profile("default.json", SECCOMP_ARCH_AARCH64, 0);
    for (int nr = 0; nr <= SECCOMP_NR_NEWEST; nr++) {
        struct seccomp_data i386 = {.nr = nr, .arch = 0x40000003}, arm32 = {.nr = nr, .arch = 0x40000028};
        struct seccomp_data x32 = {.nr = nr | 0x40000000, .arch = seccomp_audit_arch(SECCOMP_ARCH_X86_64)};
        assert_int_equal(bpf_eval(x.code, x.len, &i386), NOSYS);
        assert_int_equal(bpf_eval(x.code, x.len, &x32), NOSYS);
        assert_int_equal(bpf_eval(a.code, a.len, &arm32), NOSYS);
    }
}

static void test_calls_newer_than_the_table(void **state)
{
    (void)state;
    const uint64_t none[4] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
        _cleanup_(seccomp_program_clear) struct seccomp_program p =
            compile_profile("default.json", arches[i], 0);
        for (int nr = SECCOMP_NR_NEWEST + 1; nr < SECCOMP_NR_LIMIT; nr++)
            assert_int_equal(judge(&p, arches[i], nr, none), NOSYS);
    }
}

/* --- grants --------------------------------------------------------------------------------------------------- */

static void test_grants_open_just_their_calls(void **state)
{
    (void)state;
    CHECK("default.json", GRANT("SYS_CHROOT"), {"chroot", {0}, OK}, {"mount", {0}, NO}, {"ptrace", {0}, NO});
    CHECK("default.json", GRANT("SYS_PTRACE"), {"ptrace", {0}, OK}, {"process_vm_readv", {0}, OK},
          {"chroot", {0}, NO}, {"bpf", {0}, NO});
    CHECK("default.json", GRANT("SYS_ADMIN"), {"mount", {0}, OK}, {"clone", {CLONE_NEWUSER}, OK},
          {"clone3", {0}, OK}, {"unshare", {CLONE_NEWNS}, OK}, {"setns", {0}, OK}, {"bpf", {0}, NO},
          {"ptrace", {0}, NO}, {"keyctl", {0}, NO}, {"init_module", {0}, NO}, {"open_by_handle_at", {0}, NO},
          {"io_uring_setup", {0}, NO});
    CHECK("default.json", GRANT("NET_RAW"), {"socket", {AF_INET, SOCK_RAW, 1}, OK},
          {"socket", {AF_PACKET, SOCK_RAW, 0}, OK}, {"socket", {38, SOCK_SEQPACKET, 0}, NO},
          {"socket", {AF_NETLINK, SOCK_RAW, 12}, NOPROTO});
    CHECK("default.json", GRANT("NET_ADMIN"), {"socket", {AF_NETLINK, SOCK_RAW, 12}, OK},
          {"socket", {AF_NETLINK, SOCK_RAW, 9}, NO}, {"socket", {AF_INET, SOCK_RAW, 1}, NO});
    CHECK("default.json", GRANT("MKNOD"), {"mknodat", {0, 0, S_IFCHR, 0}, OK},
          {"mknodat", {0, 0, S_IFCHR, 0x105}, NO}, {"mknod", {0, S_IFCHR, 0}, OK},
          {"mknod", {0, S_IFBLK, 0}, NO});
    CHECK("default.json", GRANT("SETFCAP"), {"setxattr", {0}, OK}, {"getxattr", {0}, OK},
          {"setxattrat", {0}, OK});
    CHECK("default.json", GRANT("SYS_NICE"), {"ioprio_set", {0}, OK}, {"sched_setattr", {0}, OK},
          {"move_pages", {0}, NO});
    CHECK("default.json", GRANT("IPC_LOCK"), {"mlockall", {0}, OK}, {"keyctl", {0}, NO});
}

static void test_grants_that_mean_nothing_in_a_user_namespace_open_nothing(void **state)
{
    (void)state;
    static const char *const grants[] = {"SYS_MODULE", "SYS_BOOT",      "SYS_TIME",        "SYS_RAWIO",
                                         "SYS_PACCT",  "SYSLOG",        "DAC_READ_SEARCH", "BPF",
                                         "PERFMON",    "AUDIT_CONTROL", "SYS_TTY_CONFIG"};
    for (size_t i = 0; i < ARRAY_SIZE(grants); i++)
        assert_int_equal(count_reachable("default.json", SECCOMP_ARCH_X86_64, GRANT(grants[i])),
                         count_reachable("default.json", SECCOMP_ARCH_X86_64, 0));
}

static void test_all_grants_leave_the_kernel_closed(void **state)
{
    (void)state;
    CHECK("default.json", CAP_MASK_ALL, {"bpf", {0}, NO}, {"perf_event_open", {0}, NO},
          {"io_uring_setup", {0}, NO}, {"userfaultfd", {0}, NO}, {"keyctl", {0}, NO}, {"add_key", {0}, NO},
          {"kexec_load", {0}, NO}, {"init_module", {0}, NO}, {"finit_module", {0}, NO},
          {"open_by_handle_at", {0}, NO}, {"reboot", {0}, NO}, {"swapon", {0}, NO},
          {"clock_settime", {0}, NO}, {"ioctl", {0, 0x5412}, NO}, {"iopl", {0}, NO},
          {"mknod", {0, S_IFBLK}, NO});
}

/* --- set-id bits ---------------------------------------------------------------------------------------------- */

static void test_row_44_no_set_id_bits(void **state)
{
    (void)state;
    CHECK("deny-setid-bits.json", 0, {"chmod", {0, 04755}, NO}, {"chmod", {0, 02755}, NO},
          {"chmod", {0, 06000}, NO}, {"chmod", {0, HIGH | 04755}, NO}, {"fchmod", {0, 04755}, NO},
          {"fchmodat", {0, 0, 02755}, NO}, {"fchmodat2", {0, 0, 04755}, NO}, {"mkdir", {0, 02755}, NO},
          {"mkdirat", {0, 0, 02755}, NO}, {"creat", {0, 04755}, NO}, {"mknod", {0, S_IFREG | 04755}, NO},
          {"mknodat", {0, 0, S_IFREG | 02755}, NO}, {"open", {0, O_CREAT | O_WRONLY, 04755}, NO},
          {"open", {0, O_CREAT, 02755}, NO}, {"openat", {0, 0, O_CREAT | O_EXCL, 04755}, NO},
          {"openat", {0, 0, O_TMPFILE | O_RDWR, 02755}, NO},
          {"openat", {0, 0, HIGH | O_CREAT, HIGH | 04000}, NO}, {"openat2", {0}, NOSYS},
          {"io_uring_setup", {0}, NOSYS});
    CHECK("deny-setid-bits.json", 0, {"chmod", {0, 0755}, OK}, {"chmod", {0, 01777}, OK},
          {"fchmod", {04000, 0644}, OK}, {"fchmodat", {0, 04000, 0755}, OK},
          {"open", {0, O_RDONLY, 04755}, OK}, {"open", {0, O_CREAT, 0644}, OK},
          {"openat", {0, 0, O_RDWR, 06777}, OK}, {"openat", {0, 04000, O_CREAT, 0600}, OK},
          {"mkdir", {0, 0755}, OK}, {"read", {0}, OK}, {"setxattr", {0}, OK},
          {"mknodat", {0, 0, S_IFREG | 0755}, OK});
    CHECK("deny-setid-bits.json", GRANT("SETFCAP"), {"setxattr", {0}, NOTSUP}, {"lsetxattr", {0}, NOTSUP},
          {"fsetxattr", {0}, NOTSUP}, {"setxattrat", {0}, NOSYS}, {"getxattr", {0}, OK},
          {"chmod", {0, 04755}, NO});
}

/* --- helper programs ------------------------------------------------------------------------------------------ */

static void test_helpers_cannot_start_programs(void **state)
{
    (void)state;
    static const char *const roles[] = {"role-shim.json",  "role-fetch.json",   "role-unpack.json",
                                        "role-parse.json", "role-seccomp.json", "role-files.json"};
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
        CHECK(roles[i], 0, {"execve", {0}, KILLED}, {"execveat", {0}, KILLED}, {"ptrace", {0}, KILLED},
              {"fork", {0}, KILLED}, {"vfork", {0}, KILLED}, {"clone", {17}, KILLED},
              {"clone", {CLONE_NEWUSER}, KILLED}, {"unshare", {0}, KILLED}, {"setns", {0}, KILLED},
              {"mount", {0}, KILLED}, {"bpf", {0}, KILLED}, {"io_uring_setup", {0}, KILLED},
              {"keyctl", {0}, KILLED}, {"setuid", {0}, KILLED}, {"process_vm_writev", {0}, KILLED},
              {"write", {0}, OK}, {"exit_group", {0}, OK}, {"mmap", {0}, OK});
}

static void test_helpers_do_what_they_are_for(void **state)
{
    (void)state;
    CHECK("role-parse.json", 0, {"recvmsg", {0}, OK}, {"memfd_create", {0}, OK}, {"openat", {0}, NO},
          {"socket", {0}, KILLED}, {"connect", {0}, KILLED}, {"clone3", {0}, NOSYS}, {"kill", {0}, KILLED});
    CHECK("role-fetch.json", 0, {"socket", {AF_INET6, SOCK_STREAM, 6}, OK},
          {"socket", {AF_INET, SOCK_DGRAM, 0}, OK}, {"socket", {AF_NETLINK, SOCK_RAW, 0}, OK},
          {"socket", {AF_NETLINK, SOCK_RAW, 12}, KILLED}, {"socket", {AF_INET, SOCK_RAW, 1}, KILLED},
          {"socket", {AF_PACKET, SOCK_RAW, 0}, KILLED}, {"openat", {0, 0, O_RDONLY | O_CLOEXEC}, OK},
          {"openat", {0, 0, O_WRONLY}, KILLED}, {"openat", {0, 0, O_RDWR}, KILLED},
          {"openat", {0, 0, O_CREAT}, KILLED}, {"openat", {0, 0, O_TMPFILE}, KILLED},
          {"clone", {0x003d0f00}, OK}, {"clone3", {0}, NOSYS}, {"listen", {0}, KILLED},
          {"unlinkat", {0}, KILLED});
    CHECK("role-unpack.json", 0, {"openat", {0, 0, O_CREAT}, OK}, {"mknodat", {0, 0, S_IFCHR, 0}, OK},
          {"mknodat", {0, 0, S_IFCHR, 0x103}, KILLED}, {"mknodat", {0, 0, S_IFBLK, 0x103}, KILLED},
          {"mknodat", {0, 0, S_IFIFO, 0}, OK}, {"fchownat", {0}, OK}, {"lsetxattr", {0}, OK},
          {"symlinkat", {0}, OK}, {"socket", {0}, NO}, {"connect", {0}, KILLED}, {"mount", {0}, KILLED});
    CHECK("role-files.json", 0, {"openat2", {0}, OK}, {"mknodat", {0, 0, S_IFIFO, 0}, OK},
          {"mknodat", {0, 0, S_IFCHR, 0}, KILLED}, {"mknodat", {0, 0, S_IFBLK, 0x103}, KILLED},
          {"fchownat", {0}, OK}, {"symlinkat", {0}, OK}, {"linkat", {0}, OK}, {"getdents64", {0}, OK},
          {"socket", {0}, NO}, {"connect", {0}, KILLED}, {"open_tree", {0}, KILLED}, {"chroot", {0}, KILLED});
    CHECK("role-notice.json", 0, {"ioctl", {0, 0xc0502100}, OK}, {"ioctl", {0, 0xc0182101}, OK},
          {"ioctl", {0, 0x40082102}, OK}, {"ioctl", {0, 0x40182103}, KILLED}, {"ioctl", {0, 0x5413}, KILLED},
          {"poll", {0}, OK}, {"pwrite64", {0}, OK}, {"write", {0}, KILLED}, {"mmap", {0}, KILLED},
          {"execve", {0}, KILLED}, {"clone", {17}, KILLED}, {"fork", {0}, KILLED}, {"socket", {1}, KILLED},
          {"kill", {0}, KILLED}, {"unlinkat", {0}, KILLED}, {"sendmsg", {0}, KILLED});
    CHECK("role-shim.json", 0, {"ioctl", {0, 0xc0502100}, KILLED}, {"ioctl", {0, 0xc0182101}, KILLED});
    CHECK("role-shim.json", 0, {"accept4", {0}, OK}, {"pidfd_send_signal", {0}, OK}, {"waitid", {0}, OK},
          {"splice", {0}, OK}, {"socket", {AF_UNIX, SOCK_SEQPACKET, 0}, OK},
          {"socket", {AF_INET, SOCK_STREAM, 0}, KILLED}, {"connect", {0}, KILLED},
          {"ioctl", {0, 0x5412}, KILLED}, {"ioctl", {0, 0x5414}, OK}, {"chmod", {0}, KILLED});
}

/* --- the tables ----------------------------------------------------------------------------------------------- */

static void test_tables_are_what_the_profiles_say(void **state)
{
    (void)state;
    const struct {
        const char *name, *profile;
        uint64_t caps;
    } cases[] = {
        {"default", "default.json", 0},
        {"default-switch-user", "default.json", GRANT("CHOWN") | GRANT("SETUID") | GRANT("SETGID")},
        {"deny-setid-bits", "deny-setid-bits.json", 0},
        {"deny-setid-bits-setfcap", "deny-setid-bits.json", GRANT("SETFCAP")},
        {"shim", "role-shim.json", 0},
        {"fetch", "role-fetch.json", 0},
        {"unpack", "role-unpack.json", 0},
        {"parse", "role-parse.json", 0},
        {"seccomp", "role-seccomp.json", 0},
        {"files", "role-files.json", 0},
        {"notice", "role-notice.json", 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct filter *f = filter_find(cases[i].name);
        assert_non_null(f);
        _cleanup_(seccomp_program_clear) struct seccomp_program p =
            compile_profile(cases[i].profile, SECCOMP_ARCH_NATIVE, cases[i].caps);
        assert_int_equal(f->len, p.len);
        assert_memory_equal(f->code, p.code, p.len * sizeof(*p.code));
    }
    assert_null(filter_find("other"));
    assert_null(filter_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_56_fewer_calls_than_the_limit),
        cmocka_unit_test(test_what_common_software_needs),
        cmocka_unit_test(test_row_57_powers_are_refused),
        cmocka_unit_test(test_what_libraries_try_first_seems_absent),
        cmocka_unit_test(test_clone_makes_no_namespace),
        cmocka_unit_test(test_row_58_socket_families),
        cmocka_unit_test(test_terminals_cannot_be_typed_into),
        cmocka_unit_test(test_only_plain_nodes),
        cmocka_unit_test(test_personality_and_own_filters),
        cmocka_unit_test(test_row_59_other_abis_are_closed),
        cmocka_unit_test(test_calls_newer_than_the_table),
        cmocka_unit_test(test_grants_open_just_their_calls),
        cmocka_unit_test(test_grants_that_mean_nothing_in_a_user_namespace_open_nothing),
        cmocka_unit_test(test_all_grants_leave_the_kernel_closed),
        cmocka_unit_test(test_row_44_no_set_id_bits),
        cmocka_unit_test(test_helpers_cannot_start_programs),
        cmocka_unit_test(test_helpers_do_what_they_are_for),
        cmocka_unit_test(test_tables_are_what_the_profiles_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
