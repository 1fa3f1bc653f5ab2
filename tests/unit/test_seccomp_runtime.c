/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles as the OCI runtime reads them: what differs from ours and users' profiles, and the older ABIs of both architectures against
 * libseccomp's own generator.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "bpf_eval.h"
#include "seccomp/compile.h"
#include "seccomp_oracle.h"

#define ALLOWED SECCOMP_RET_ALLOW
#define FAILS(n) (SECCOMP_RET_ERRNO | (n))
#define KILLS SECCOMP_RET_KILL_THREAD
#define JSON_MAX (1024 * 1024)

#define ADD(json, ...)                                                             \
    do {                                                                           \
        struct err add_error_ = {0};                                               \
        assert_int_equal(buf_printf(json, JSON_MAX, &add_error_, __VA_ARGS__), 0); \
    } while (0)

static const struct profile_target machines[] = {{.arch = SECCOMP_ARCH_X86_64, .runtime = true},
                                                 {.arch = SECCOMP_ARCH_AARCH64, .runtime = true}};

static struct seccomp_program compiled(const char *json, const struct profile_target *t)
{
    struct seccomp_program p = {0};
    struct err e = {0};
    if (seccomp_compile(json, strlen(json), t, &p, &e) < 0)
        fail_msg("%s", e.text);
    return p;
}

static uint32_t run(const struct seccomp_program *p, enum seccomp_arch arch, uint32_t nr, uint64_t a0)
{
    struct seccomp_data d = {.nr = (int)nr, .arch = seccomp_audit_arch(arch), .args = {a0, a0}};
    return bpf_eval(p->code, p->len, &d);
}

static uint32_t run_x86(const char *json, uint32_t nr, uint64_t a0)
{
    _cleanup_(seccomp_program_clear) struct seccomp_program p = compiled(json, &machines[0]);
    return run(&p, SECCOMP_ARCH_X86_64, nr, a0);
}

static void refuses(const char *json, const char *says)
{
    struct seccomp_program p = {0};
    struct err e = {0};
    if (seccomp_compile(json, strlen(json), &machines[0], &p, &e) >= 0)
        fail_msg("accepted: %s", json);
    if (!strstr(e.text, says))
        fail_msg("%s\nsaid: %s\nexpected: %s", json, e.text, says);
}

#define ENTRY(action, more)                                                                        \
    "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_" \
    "ACT_" action "\"" more "}]}"

static void test_actions_and_their_data(void **state)
{
    (void)state;
    assert_int_equal(run_x86(ENTRY("NOTIFY", ""), 0, 0), SECCOMP_RET_USER_NOTIF);
    assert_int_equal(run_x86(ENTRY("ERRNO", ""), 0, 0), FAILS(EPERM));
    assert_int_equal(run_x86(ENTRY("ERRNO", ",\"errnoRet\":0"), 0, 0), FAILS(0));
    assert_int_equal(run_x86(ENTRY("TRACE", ",\"errnoRet\":65535"), 0, 0), SECCOMP_RET_TRACE | 65535);
    assert_int_equal(run_x86(ENTRY("KILL", ""), 0, 0), SECCOMP_RET_KILL_THREAD);
    assert_int_equal(run_x86(ENTRY("KILL_PROCESS", ""), 0, 0), SECCOMP_RET_KILL_PROCESS);
    refuses(ENTRY("KILL", ",\"errnoRet\":1"), "syscalls[0]: errnoRet: is there");
    refuses(ENTRY("ERRNO", ",\"errnoRet\":4096"), "errnoRet: must be at most 4095");
    refuses("{\"defaultAction\":\"SCMP_ACT_KILL\",\"defaultErrnoRet\":1}", "defaultErrnoRet: is there");
    refuses("{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", "cannot be the default");
    refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\",\"write\"],\"action\":"
            "\"SCMP_ACT_NOTIFY\"}]}",
            "names[1]: SCMP_ACT_NOTIFY cannot be used for write");
}

static void test_what_is_not_of_the_specification_is_ignored(void **state)
{
    (void)state;
    assert_int_equal(
        run_x86(ENTRY("ERRNO", ",\"includes\":{\"caps\":[\"CAP_NONE\"]},\"errno\":7,\"x\":[]"), 0, 0),
        FAILS(EPERM));
    assert_int_equal(
        run_x86("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"?\"],\"archMap\":7,\"syscalls\":"
                "[{\"names\":[\"no_such_call\",\"read\"],\"action\":\"SCMP_ACT_ERRNO\"}]}",
                0, 0),
        FAILS(EPERM));
}

#define ARG(index, value, two, op) \
    "{\"index\":" index ",\"value\":" value ",\"valueTwo\":" two ",\"op\":\"SCMP_CMP_" op "\"}"

static void test_conditions(void **state)
{
    (void)state;
    const char *twice =
        ENTRY("ERRNO", ",\"args\":[" ARG("0", "1", "0", "EQ") "," ARG("0", "2", "0", "EQ") "]");
    const char *masked = ENTRY("ERRNO", ",\"args\":[" ARG("0", "1", "3", "MASKED_EQ") "]");
    const bool fails_twice[] = {false, true, true, false}, fails_masked[] = {false, true, false, true};
    for (uint64_t x = 0; x < 4; x++) {
        assert_int_equal(run_x86(twice, 0, x), fails_twice[x] ? FAILS(EPERM) : ALLOWED);
        assert_int_equal(run_x86(masked, 0, x), fails_masked[x] ? FAILS(EPERM) : ALLOWED);
    }
}

/* Numbers that a profile could not know of: ENOSYS makes programs fall back to what it could. */
static void test_numbers_above_those_named(void **state)
{
    (void)state;
    static const struct {
        const char *action;
        uint32_t named, above;
    } cases[] = {{"ALLOW", ALLOWED, ALLOWED},
                 {"LOG", SECCOMP_RET_LOG, SECCOMP_RET_LOG},
                 {"ERRNO", FAILS(EPERM), FAILS(ENOSYS)},
                 {"TRAP", SECCOMP_RET_TRAP, FAILS(ENOSYS)},
                 {"KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, FAILS(ENOSYS)}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char json[256];
        (void)snprintf(json, sizeof(json),
                       "{\"defaultAction\":\"SCMP_ACT_%s\",\"syscalls\":[{\"names\":[\"clone3\"],\"action\":"
                       "\"SCMP_ACT_ALLOW\"}]}",
                       cases[i].action);
        assert_int_equal(run_x86(json, 434, 0), cases[i].named);
        assert_int_equal(run_x86(json, 435, 0), ALLOWED);
        assert_int_equal(run_x86(json, 436, 0), cases[i].above);
        assert_int_equal(run_x86(json, UINT32_MAX, 0), cases[i].above);
        assert_int_equal(run_x86(json, SECCOMP_NR_X32, 0), KILLS);
    }
}

#define ALL_ARCHES                                                                                   \
    "\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\",\"SCMP_ARCH_ARM\"," \
    "\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_S390X\"]"

static void test_an_abi_that_is_not_named_kills(void **state)
{
    (void)state;
    for (size_t m = 0; m < ARRAY_SIZE(machines); m++) {
        _cleanup_(seccomp_program_clear) struct seccomp_program p = compiled(
            "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_S390X\"]}", &machines[m]);
        for (int a = 0; a < SECCOMP_ARCHES; a++)
            assert_int_equal(run(&p, (enum seccomp_arch)a, a == SECCOMP_ARCH_X32 ? SECCOMP_NR_X32 : 0, 0),
                             machines[m].arch == (enum seccomp_arch)a ? ALLOWED : KILLS);
    }
}

/* 32-bit x86 has sockets and IPC twice. */
static void test_multiplexed_calls(void **state)
{
    (void)state;
    _cleanup_(seccomp_program_clear) struct seccomp_program p =
        compiled("{\"defaultAction\":\"SCMP_ACT_ALLOW\"," ALL_ARCHES ",\"syscalls\":["
                 "{\"names\":[\"socket\",\"shmat\",\"accept\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":3},"
                 "{\"names\":[\"bind\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":4,\"args\":[" ARG(
                     "1", "9", "0", "EQ") "]}]}",
                 &machines[0]);
    assert_int_equal(run(&p, SECCOMP_ARCH_X86, 102, 1), FAILS(3));
    assert_int_equal(run(&p, SECCOMP_ARCH_X86, 102, 2), FAILS(4)); /* its arguments cannot be seen */
    assert_int_equal(run(&p, SECCOMP_ARCH_X86, 102, 3), ALLOWED);
    assert_int_equal(run(&p, SECCOMP_ARCH_X86, 102, 5), FAILS(3));
    assert_int_equal(run(&p, SECCOMP_ARCH_X86, 359, 0), FAILS(3));
    assert_int_equal(run(&p, SECCOMP_ARCH_X86, 361, 9), FAILS(4));
    assert_int_equal(run(&p, SECCOMP_ARCH_X86, 361, 8), ALLOWED);
    assert_int_equal(run(&p, SECCOMP_ARCH_X86, 117, 0x10000 | 21), FAILS(3));
    assert_int_equal(run(&p, SECCOMP_ARCH_X86, 397, 0), FAILS(3));
    _cleanup_(seccomp_program_clear) struct seccomp_program q =
        compiled("{\"defaultAction\":\"SCMP_ACT_ERRNO\"," ALL_ARCHES
                 ",\"syscalls\":[{\"names\":[\"socket\"],\"action\":"
                 "\"SCMP_ACT_ALLOW\",\"args\":[" ARG("0", "1", "0", "EQ") "]}]}",
                 &machines[0]);
    assert_int_equal(run(&q, SECCOMP_ARCH_X86, 359, 1), ALLOWED);
    assert_int_equal(run(&q, SECCOMP_ARCH_X86, 102, 1), FAILS(EPERM));
}

static void test_calls_of_32_bit_arm(void **state)
{
    (void)state;
    _cleanup_(seccomp_program_clear) struct seccomp_program p =
        compiled("{\"defaultAction\":\"SCMP_ACT_ERRNO\"," ALL_ARCHES ",\"syscalls\":[{\"names\":[\"set_tls\","
                 "\"cacheflush\",\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
                 &machines[1]);
    assert_int_equal(run(&p, SECCOMP_ARCH_ARM, 0xf0005, 0), ALLOWED);
    assert_int_equal(run(&p, SECCOMP_ARCH_ARM, 0xf0002, 0), ALLOWED);
    assert_int_equal(run(&p, SECCOMP_ARCH_ARM, 0xf0001, 0), FAILS(ENOSYS));
    assert_int_equal(run(&p, SECCOMP_ARCH_ARM, 3, 0), ALLOWED);
    assert_int_equal(run(&p, SECCOMP_ARCH_ARM, 2, 0), FAILS(EPERM));
    assert_int_equal(run(&p, SECCOMP_ARCH_AARCH64, 63, 0), ALLOWED);
}

/* --- against libseccomp --------------------------------------------------------------------------------------- */

#define PROFILES 40

static const struct {
    enum seccomp_arch machine, arch;
    uint32_t token, base;
} abis[] = {
    {SECCOMP_ARCH_X86_64, SECCOMP_ARCH_X86_64, SCMP_ARCH_X86_64, 0},
    {SECCOMP_ARCH_X86_64, SECCOMP_ARCH_X86, SCMP_ARCH_X86, 0},
    {SECCOMP_ARCH_X86_64, SECCOMP_ARCH_X32, SCMP_ARCH_X32, SECCOMP_NR_X32},
    {SECCOMP_ARCH_AARCH64, SECCOMP_ARCH_AARCH64, SCMP_ARCH_AARCH64, 0},
    {SECCOMP_ARCH_AARCH64, SECCOMP_ARCH_ARM, SCMP_ARCH_ARM, 0},
};

static void add_arches(scmp_filter_ctx ctx, enum seccomp_arch machine)
{
    (void)seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE);
    for (size_t i = 0; i < ARRAY_SIZE(abis); i++)
        if (abis[i].machine == machine)
            assert_int_equal(seccomp_arch_add(ctx, abis[i].token), 0);
}

/* A condition that a call may have; not for those that 32-bit x86 multiplexes, which libseccomp compares with the wrong argument. */
static bool condition_make(const char *name, struct scmp_arg_cmp *c, struct buf *args)
{
    static const char *const ops[] = {"NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"};
    static const uint64_t values[] = {0, 1, 2, 0xffff, 0x7e020000, 0x7fffffff};
    if (random() % 2 || seccomp_multiplexed(SECCOMP_ARCH_X86, name))
        return false;
    size_t op = (size_t)random() % ARRAY_SIZE(ops);
    uint64_t value = values[(size_t)random() % ARRAY_SIZE(values)];
    uint64_t two = op == 6 ? value & (uint64_t)random() : 0;
    *c = (struct scmp_arg_cmp){
        .arg = 0, .op = (enum scmp_compare)(SCMP_CMP_NE + op), .datum_a = value, .datum_b = two};
    ADD(args, "{\"index\":0,\"value\":%llu,\"valueTwo\":%llu,\"op\":\"SCMP_CMP_%s\"}",
        (unsigned long long)value, (unsigned long long)two, ops[op]);
    return true;
}

/* A rule for one call by its name, in both programs. -1 when no call of this number has one. */
static int rule_make(scmp_filter_ctx ctx, uint32_t token, int nr, struct buf *json, bool first)
{
    _cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(token, nr);
    _cleanup_buf_ struct buf args = {0};
    struct scmp_arg_cmp c;
    if (!name)
        return -1;
    unsigned n = condition_make(name, &c, &args) ? 1 : 0;
    int by_name = seccomp_syscall_resolve_name(name);
    if (by_name == __NR_SCMP_ERROR)
        return -1;
    (void)seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(77), by_name, n, &c);
    ADD(json, "%s{\"names\":[\"%s\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":77,\"args\":[%s]}",
        first ? "" : ",", name, args.length ? args.data : "");
    return 0;
}

static void compare(const struct seccomp_program *ours, const struct seccomp_program *theirs, size_t machine)
{
    static const uint64_t args[] = {0,       1,          2,          3,          0xffff,
                                    0x10000, 0x7e020000, 0x7fffffff, 0x80000000, 0xffffffff};
    for (size_t i = 0; i < ARRAY_SIZE(abis); i++) {
        if (abis[i].machine != machines[machine].arch)
            continue;
        for (uint32_t nr = 0; nr < 470; nr++)
            for (size_t a = 0; a < ARRAY_SIZE(args); a++) {
                uint32_t got = run(ours, abis[i].arch, abis[i].base + nr, args[a]);
                uint32_t want = run(theirs, abis[i].arch, abis[i].base + nr, args[a]);
                if (got != want)
                    fail_msg("abi %zu, call %u(%llx): 0x%x, libseccomp 0x%x", i, nr,
                             (unsigned long long)args[a], got, want);
            }
    }
}

static void test_agrees_with_libseccomp_on_all_abis(void **state)
{
    (void)state;
    srandom(5);
    for (size_t i = 0; i < PROFILES; i++) {
        size_t machine = i % 2;
        uint32_t token = machine == 0 ? SCMP_ARCH_X86_64 : SCMP_ARCH_AARCH64;
        _cleanup_buf_ struct buf json = {0};
        scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
        assert_non_null(ctx);
        add_arches(ctx, machines[machine].arch);
        ADD(&json, "{\"defaultAction\":\"SCMP_ACT_ALLOW\"," ALL_ARCHES ",\"syscalls\":[");
        bool first = true;
        for (int nr = (int)(random() % 7); nr < 440; nr += 1 + (int)(random() % 14))
            first = rule_make(ctx, token, nr, &json, first) < 0 && first;
        ADD(&json, "]}");
        _cleanup_(seccomp_program_clear) struct seccomp_program ours =
            compiled(json.data, &machines[machine]);
        _cleanup_(seccomp_program_clear) struct seccomp_program theirs = oracle_export(ctx);
        compare(&ours, &theirs, machine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_actions_and_their_data),
        cmocka_unit_test(test_what_is_not_of_the_specification_is_ignored),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_numbers_above_those_named),
        cmocka_unit_test(test_an_abi_that_is_not_named_kills),
        cmocka_unit_test(test_multiplexed_calls),
        cmocka_unit_test(test_calls_of_32_bit_arm),
        cmocka_unit_test(test_agrees_with_libseccomp_on_all_abis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
