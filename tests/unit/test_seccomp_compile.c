/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The profile compiler on profiles written for the test: what it refuses and how it says so, each operator at its
 * limits, and random profiles against libseccomp's own generator.
 */
#include <errno.h>
#include <fcntl.h>
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
#include "base/capname.h"
#include "base/cleanup.h"
#include "bpf_eval.h"
#include "seccomp/compile.h"
#include "seccomp_oracle.h"

#define ALLOWED SECCOMP_RET_ALLOW
#define FAILS(n) (SECCOMP_RET_ERRNO | (n))

static const struct profile_target x86 = {.arch = SECCOMP_ARCH_X86_64, .kernel_version = 6001};

#define JSON_MAX (4 * PROFILE_BYTES_MAX) /* of profiles built here */

#define ADD(json, ...)                                                             \
    do {                                                                           \
        struct err add_error_ = {0};                                               \
        assert_int_equal(buf_printf(json, JSON_MAX, &add_error_, __VA_ARGS__), 0); \
    } while (0)

static void compile_ok(const char *json, const struct profile_target *t, struct seccomp_program *p)
{
    struct err e = {0};
    if (seccomp_compile(json, strlen(json), t, p, &e) < 0)
        fail_msg("%s", e.text);
}

static uint32_t run(const struct seccomp_program *p, enum seccomp_arch arch, int nr, uint64_t a0, uint64_t a1)
{
    struct seccomp_data d = {.nr = nr, .arch = seccomp_audit_arch(arch), .args = {a0, a1}};
    return bpf_eval(p->code, p->len, &d);
}

static uint32_t compile_run(const char *json, int nr, uint64_t a0, uint64_t a1)
{
    _cleanup_(seccomp_program_clear) struct seccomp_program p = {0};
    compile_ok(json, &x86, &p);
    return run(&p, SECCOMP_ARCH_X86_64, nr, a0, a1);
}

/* One entry around which a valid profile is put. */
#define WITH(entry) "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[" entry "]}"
#define ENTRY(more) WITH("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"" more "}")

static void refuses(const char *json, const char *says)
{
    _cleanup_(seccomp_program_clear) struct seccomp_program p = {0};
    struct err e = {0};
    int r = seccomp_compile(json, strlen(json), &x86, &p, &e);
    if (r >= 0)
        fail_msg("accepted: %s", json);
    if (r != -e.code || !strstr(e.text, says))
        fail_msg("%s\nsaid %d: %s\nexpected: %s", json, r, e.text, says);
}

static void test_refuses_malformed_json(void **state)
{
    (void)state;
    refuses("", "profile: is not valid JSON at byte 0");
    refuses("{", "ends too early");
    refuses("null", "is not valid JSON");
    refuses("[]", "must be an object");
    refuses("{}x", "byte 2");
    refuses("{} {}", "byte 3");
    refuses("{'defaultAction':'SCMP_ACT_ALLOW'}", "is not valid JSON");
    refuses("{\"syscalls\":[[[[[[[[[[[[]]]]]]]]]]]]}", "is not valid JSON");
}

static void test_refuses_wrong_fields(void **state)
{
    (void)state;
    refuses("{}", "defaultAction: is missing");
    refuses("{\"defaultAction\":\"SCMP_ACT_NONE\"}", "defaultAction: unknown action SCMP_ACT_NONE");
    refuses("{\"defaultAction\":1}", "defaultAction: must be a string");
    refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\\u0000\"}", "contains a NUL byte");
    refuses("{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", "needs a listener");
    refuses("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":4096}",
            "defaultErrnoRet: must be at most 4095");
    refuses("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":-1}", "must not be negative");
    refuses("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1.5}", "must be a whole number");
    refuses("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrno\":\"EWHAT\"}", "unknown error name EWHAT");
    refuses("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrno\":\"EPERM\",\"defaultErrnoRet\":38}",
            "contradicts");
    refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/x\"}", "listenerPath: unknown field");
    refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]}",
            "flags: are not supported");
    refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":{}}", "syscalls: must be an array");
    refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_S390X\"]}",
            "not for this architecture");
    refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"x86\"]}",
            "architectures[0]: unknown architecture x86");
    refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":[{\"architecture\":\"SCMP_ARCH_PPC\"}]}",
            "not for this architecture");
    refuses("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":[{}]}", "archMap[0].architecture: is missing");
}

static void test_refuses_wrong_entries(void **state)
{
    (void)state;
    refuses(WITH("{}"), "syscalls[0]: action: is missing");
    refuses(WITH("7"), "syscalls[0]: must be an object");
    refuses(WITH("{\"action\":\"SCMP_ACT_ALLOW\"}"), "names: is missing or empty");
    refuses(WITH("{\"names\":[],\"action\":\"SCMP_ACT_ALLOW\"}"), "names: is missing or empty");
    refuses(WITH("{\"names\":[\"read\",3],\"action\":\"SCMP_ACT_ALLOW\"}"),
            "syscalls[0]: names[1]: must be a string");
    refuses(WITH("{\"names\":[\"\"],\"action\":\"SCMP_ACT_ALLOW\"}"), "names[0]: is empty");
    refuses(ENTRY(",\"name\":\"write\""), "stands beside names");
    refuses(ENTRY(",\"priority\":1"), "syscalls[0]: priority: unknown field");
    refuses(ENTRY(",\"args\":{}"), "args: must be an array");
    refuses(ENTRY(",\"args\":[{\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]"),
            "syscalls[0]: args[0]: index: is missing");
    refuses(ENTRY(",\"args\":[{\"index\":1,\"op\":\"SCMP_CMP_EQ\"}]"), "args[0]: value: is missing");
    refuses(ENTRY(",\"args\":[{\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]"),
            "index: must be at most 5");
    refuses(ENTRY(",\"args\":[{\"index\":0,\"value\":-1,\"op\":\"SCMP_CMP_EQ\"}]"),
            "value: must not be negative");
    refuses(ENTRY(",\"args\":[{\"index\":0,\"value\":1}]"), "op: is missing");
    refuses(ENTRY(",\"args\":[{\"index\":0,\"value\":1,\"op\":\"==\"}]"), "op: unknown operator ==");
    refuses(ENTRY(",\"args\":[{\"index\":0,\"value\":1,\"valueTwo\":2,\"op\":\"SCMP_CMP_MASKED_EQ\"}]"),
            "never matches");
    refuses(ENTRY(",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},"
                  "{\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}]"),
            "argument 0 is compared twice");
    refuses(WITH("{\"names\":[\"read\",\"mkdri\"],\"action\":\"SCMP_ACT_ERRNO\"}"),
            "syscalls[0]: names[1]: there is no system call mkdri to refuse");
    refuses(ENTRY(",\"includes\":[]"), "syscalls[0]: includes: must be an object");
    refuses(ENTRY(",\"includes\":{\"cap\":[]}"), "includes: cap: unknown field");
    refuses(ENTRY(",\"includes\":{\"caps\":[\"CAP_EVERYTHING\"]}"),
            "caps[0]: unknown capability CAP_EVERYTHING");
    refuses(ENTRY(",\"excludes\":{\"arches\":[\"vax\"]}"), "excludes: arches[0]: unknown architecture vax");
    refuses(ENTRY(",\"includes\":{\"minKernel\":\"new\"}"), "includes.minKernel: must be a kernel version");
}

static void test_refuses_what_is_too_large(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf b = {0};
    struct err e = {0};
    _cleanup_(seccomp_program_clear) struct seccomp_program p = {0};
    _cleanup_free_ char *big = calloc(1, PROFILE_BYTES_MAX + 2);
    assert_non_null(big);
    memset(big, ' ', PROFILE_BYTES_MAX + 1);
    refuses(big, "is larger than");
    /* 1,000 entries of six comparisons on one call: valid, but longer than a program may be */
    ADD(&b, "%s", "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[");
    for (int i = 0; i < 1000; i++) {
        ADD(&b, "%s{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[", i ? "," : "");
        for (int a = 0; a < 6; a++)
            ADD(&b, "%s{\"index\":%d,\"value\":%d,\"op\":\"SCMP_CMP_GT\"}", a ? "," : "", a, i);
        ADD(&b, "%s", "]}");
    }
    ADD(&b, "%s", "]}");
    assert_int_equal(seccomp_compile(b.data, b.length, &x86, &p, &e), -E2BIG);
    assert_non_null(strstr(e.text, "4096 instructions"));
}

static void test_takes_what_circulates(void **state)
{
    (void)state;
    assert_int_equal(compile_run("{\"defaultAction\":\"SCMP_ACT_ALLOW\"}\n", 0, 0, 0), ALLOWED);
    assert_int_equal(
        compile_run(ENTRY(",\"args\":null,\"includes\":{},\"excludes\":{},\"comment\":\"\""), 0, 0, 0),
        ALLOWED);
    assert_int_equal(compile_run(ENTRY(",\"includes\":{\"minKernel\":\"4.8\"}"), 0, 0, 0), ALLOWED);
    assert_int_equal(compile_run(ENTRY(",\"includes\":{\"minKernel\":\"6.2\"}"), 0, 0, 0), FAILS(EPERM));
    assert_int_equal(compile_run(ENTRY(",\"excludes\":{\"minKernel\":\"4.8\"}"), 0, 0, 0), FAILS(EPERM));
    assert_int_equal(compile_run(WITH("{\"name\":\"read\",\"action\":\"SCMP_ACT_ALLOW\"}"), 0, 0, 0),
                     ALLOWED);
    assert_int_equal(
        compile_run(WITH("{\"name\":\"read\",\"action\":\"SCMP_ACT_ERRNO\",\"errno\":\"ENOSYS\"}"), 0, 0, 0),
        FAILS(ENOSYS));
    assert_int_equal(compile_run("{\"defaultAction\":\"SCMP_ACT_KILL\"}", 0, 0, 0), SECCOMP_RET_KILL_THREAD);
    assert_int_equal(compile_run("{\"defaultAction\":\"SCMP_ACT_TRAP\"}", 0, 0, 0), SECCOMP_RET_TRAP);
    assert_int_equal(compile_run("{\"defaultAction\":\"SCMP_ACT_LOG\"}", 0, 0, 0), SECCOMP_RET_LOG);
    assert_int_equal(compile_run("{\"defaultAction\":\"SCMP_ACT_TRACE\",\"defaultErrnoRet\":9}", 0, 0, 0),
                     SECCOMP_RET_TRACE | 9);
}

static void test_minimum_kernel_needs_a_kernel(void **state)
{
    (void)state;
    _cleanup_(seccomp_program_clear) struct seccomp_program p = {0};
    struct profile_target ahead = {.arch = SECCOMP_ARCH_X86_64};
    struct err e = {0};
    const char *json = ENTRY(",\"includes\":{\"minKernel\":\"4.8\"}");
    assert_int_equal(seccomp_compile(json, strlen(json), &ahead, &p, &e), -EINVAL);
    assert_non_null(strstr(e.text, "compiled ahead"));
}

static void test_conditions_on_capabilities(void **state)
{
    (void)state;
    const char *all = ENTRY(",\"includes\":{\"caps\":[\"CAP_KILL\",\"CAP_CHOWN\"]}");
    const char *none = ENTRY(",\"excludes\":{\"caps\":[\"CAP_KILL\",\"CAP_CHOWN\"]}");
    const struct {
        uint64_t caps;
        uint32_t includes, excludes;
    } cases[] = {
        {0, FAILS(EPERM), ALLOWED},
        {CAP_BIT(5), FAILS(EPERM), FAILS(EPERM)},
        {CAP_BIT(0), FAILS(EPERM), FAILS(EPERM)},
        {CAP_BIT(5) | CAP_BIT(0), ALLOWED, FAILS(EPERM)},
        {CAP_BIT(1), FAILS(EPERM), ALLOWED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(seccomp_program_clear) struct seccomp_program in = {0}, ex = {0};
        struct profile_target t = {.arch = SECCOMP_ARCH_X86_64, .caps = cases[i].caps};
        compile_ok(all, &t, &in);
        compile_ok(none, &t, &ex);
        assert_int_equal(run(&in, SECCOMP_ARCH_X86_64, 0, 0, 0), cases[i].includes);
        assert_int_equal(run(&ex, SECCOMP_ARCH_X86_64, 0, 0, 0), cases[i].excludes);
    }
}

static void test_operators_at_their_limits(void **state)
{
    (void)state;
    static const uint64_t values[] = {
        0,           1,           0x7fffffff,         0xffffffff,         0x100000000,
        0x100000001, 0x1ffffffff, 0x7fffffffffffffff, 0xffffffff00000000, 0xffffffffffffffff};
    static const char *const ops[] = {"NE", "LT", "LE", "EQ", "GE", "GT"};
    for (size_t o = 0; o < ARRAY_SIZE(ops); o++)
        for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
            char json[256];
            _cleanup_(seccomp_program_clear) struct seccomp_program p = {0};
            (void)snprintf(json, sizeof(json),
                           ENTRY(",\"args\":[{\"index\":1,\"value\":%llu,\"op\":\"SCMP_CMP_%s\"}]"),
                           (unsigned long long)values[v], ops[o]);
            compile_ok(json, &x86, &p);
            for (size_t a = 0; a < ARRAY_SIZE(values); a++) {
                uint64_t x = values[a], y = values[v];
                int truth[] = {x != y, x<y, x <= y, x == y, x >= y, x> y};
                assert_int_equal(run(&p, SECCOMP_ARCH_X86_64, 0, ~x, x), truth[o] ? ALLOWED : FAILS(EPERM));
            }
        }
}

static void test_masks_see_both_halves(void **state)
{
    (void)state;
    const char *low =
        ENTRY(",\"args\":[{\"index\":0,\"value\":4294967295,\"valueTwo\":5,\"op\":\"SCMP_CMP_MASKED_EQ\"}]");
    const char *high = ENTRY(",\"args\":[{\"index\":0,\"value\":18446744069414584320,\"valueTwo\":4294967296,"
                             "\"op\":\"SCMP_CMP_MASKED_EQ\"}]");
    assert_int_equal(compile_run(low, 0, 5, 0), ALLOWED);
    assert_int_equal(compile_run(low, 0, 0xffffffff00000005, 0), ALLOWED);
    assert_int_equal(compile_run(low, 0, 4, 0), FAILS(EPERM));
    assert_int_equal(compile_run(high, 0, 0x1ffffffff, 0), ALLOWED);
    assert_int_equal(compile_run(high, 0, 0x2ffffffff, 0), FAILS(EPERM));
}

static void test_the_most_restrictive_rule_wins(void **state)
{
    (void)state;
    static const char deny[] = "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":22,"
                               "\"args\":[{\"index\":0,\"value\":7,\"op\":\"SCMP_CMP_EQ\"}]}";
    static const char allow[] = "{\"names\":[\"read\",\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}";
    static const char kill[] = "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL_PROCESS\","
                               "\"args\":[{\"index\":0,\"value\":9,\"op\":\"SCMP_CMP_GE\"}]}";
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const char *parts[] = {deny, allow, kill};
    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        char json[1024];
        (void)snprintf(json, sizeof(json), WITH("%s,%s,%s"), parts[orders[i][0]], parts[orders[i][1]],
                       parts[orders[i][2]]);
        assert_int_equal(compile_run(json, 0, 6, 0), ALLOWED);
        assert_int_equal(compile_run(json, 0, 7, 0), FAILS(EINVAL));
        assert_int_equal(compile_run(json, 0, 8, 0), ALLOWED);
        assert_int_equal(compile_run(json, 0, 9, 0), SECCOMP_RET_KILL_PROCESS);
        assert_int_equal(compile_run(json, 1, 6, 0), FAILS(EPERM));
    }
}

static void test_other_abis_and_new_numbers(void **state)
{
    (void)state;
    const struct {
        const char *action;
        uint32_t fallback, foreign;
    } cases[] = {
        {"ERRNO", FAILS(ENOSYS), FAILS(ENOSYS)},
        {"ALLOW", ALLOWED, FAILS(ENOSYS)},
        {"KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_PROCESS},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char json[128];
        _cleanup_(seccomp_program_clear) struct seccomp_program p = {0};
        (void)snprintf(json, sizeof(json), "{\"defaultAction\":\"SCMP_ACT_%s\"}", cases[i].action);
        compile_ok(json, &x86, &p);
        assert_int_equal(run(&p, SECCOMP_ARCH_X86_64, SECCOMP_NR_NEWEST + 1, 0, 0), cases[i].fallback);
        assert_int_equal(run(&p, SECCOMP_ARCH_X86_64, 0x3fffffff, 0, 0), cases[i].fallback);
        assert_int_equal(run(&p, SECCOMP_ARCH_X86_64, 0x40000000, 0, 0), cases[i].foreign);
        assert_int_equal(run(&p, SECCOMP_ARCH_X86_64, -1, 0, 0), cases[i].foreign);
        assert_int_equal(run(&p, SECCOMP_ARCH_AARCH64, 0, 0, 0), cases[i].foreign);
        struct seccomp_data i386 = {.nr = 3, .arch = 0x40000003};
        assert_int_equal(bpf_eval(p.code, p.len, &i386), cases[i].foreign);
    }
}

static void test_names_by_architecture(void **state)
{
    (void)state;
    _cleanup_(seccomp_program_clear) struct seccomp_program a = {0}, b = {0};
    struct profile_target arm = {.arch = SECCOMP_ARCH_AARCH64};
    const char *json =
        WITH("{\"names\":[\"open\",\"openat\",\"nonsense\",\"more\"],\"action\":\"SCMP_ACT_ALLOW\"}");
    compile_ok(json, &x86, &a);
    compile_ok(json, &arm, &b);
    assert_int_equal(run(&a, SECCOMP_ARCH_X86_64, 2, 0, 0), ALLOWED);
    assert_int_equal(run(&a, SECCOMP_ARCH_X86_64, 257, 0, 0), ALLOWED);
    assert_int_equal(run(&b, SECCOMP_ARCH_AARCH64, 56, 0, 0), ALLOWED);
    assert_int_equal(run(&b, SECCOMP_ARCH_AARCH64, 2, 0, 0), FAILS(EPERM));
    assert_int_equal(b.n_unknown, 2);
    assert_string_equal(b.unknown, "nonsense");
    assert_int_equal(seccomp_number(SECCOMP_ARCH_AARCH64, "file_setattr"), 469);
    assert_int_equal(seccomp_number(SECCOMP_ARCH_X86_64, "fchmodat2"), 452);
}

/* --- random profiles ------------------------------------------------------------------------------------------ */

#define RANDOM_PROFILES 100
#define RANDOM_RULES_MAX 60
#define RANDOM_CALLS 3000

static const char *const op_names[] = {"NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"};
static const struct {
    const char *name;
    uint32_t ret;
} actions[] = {
    {"ALLOW", ALLOWED},
    {"ERRNO", FAILS(EPERM)},
    {"LOG", SECCOMP_RET_LOG},
    {"KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
};

struct random_rule {
    int nr;
    char *name;
    size_t action; /* index into actions */
    unsigned n_args;
    struct rule_arg args[3];
};

static uint64_t interesting(void)
{
    static const uint64_t base[] = {0,          1,           2,          0xffff,    0x7fffffff,
                                    0xffffffff, 0x100000000, 0x7e020000, UINT64_MAX};
    uint64_t v = base[(size_t)random() % ARRAY_SIZE(base)];
    return random() % 3 ? v : v + (uint64_t)(random() % 5) - 2;
}

/* A rule for call `nr`, or for any when it is negative. */
static struct random_rule rule_make(int nr, size_t n_actions)
{
    struct random_rule r = {.action = (size_t)random() % n_actions, .n_args = (unsigned)(random() % 4)};
    while (!r.name)
        r.name =
            seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, r.nr = nr >= 0 ? nr : (int)(random() % 450));
    for (unsigned i = 0; i < r.n_args; i++) {
        r.args[i] =
            (struct rule_arg){.index = i * 2, .op = (enum rule_op)(random() % 7), .value = interesting()};
        r.args[i].value_two = r.args[i].op == RULE_OP_MASKED_EQ ? interesting() & r.args[i].value : 0;
    }
    return r;
}

static void rule_print(struct buf *json, const struct random_rule *r, bool first)
{
    ADD(json, "%s{\"names\":[\"%s\"],\"action\":\"SCMP_ACT_%s\",\"args\":[", first ? "" : ",", r->name,
        actions[r->action].name);
    for (unsigned i = 0; i < r->n_args; i++)
        ADD(json, "%s{\"index\":%u,\"value\":%llu,\"valueTwo\":%llu,\"op\":\"SCMP_CMP_%s\"}", i ? "," : "",
            r->args[i].index, (unsigned long long)r->args[i].value, (unsigned long long)r->args[i].value_two,
            op_names[r->args[i].op]);
    ADD(json, "]}");
}

static bool arg_holds(const struct rule_arg *a, uint64_t x)
{
    const bool truth[] = {x != a->value, x<a->value, x <= a->value, x == a->value, x >= a->value, x> a->value,
                          (x & a->value) == a->value_two};
    return truth[a->op];
}

/* What a profile means, without any cleverness: the smallest action of all rules that match. */
static uint32_t rules_judge(const struct random_rule *rules, size_t n, const struct seccomp_data *d)
{
    bool any = false;
    uint32_t best = 0;
    for (size_t i = 0; i < n; i++) {
        bool match = rules[i].nr == d->nr;
        for (unsigned a = 0; match && a < rules[i].n_args; a++)
            match = arg_holds(&rules[i].args[a], d->args[rules[i].args[a].index]);
        uint32_t ret = actions[rules[i].action].ret;
        if (match && (!any || rules_precedence(ret) < rules_precedence(best)))
            best = ret;
        any = any || match;
    }
    return any ? best : FAILS(EPERM);
}

static struct seccomp_data call_make(int nr)
{
    struct seccomp_data d = {.nr = nr, .arch = seccomp_audit_arch(SECCOMP_ARCH_X86_64)};
    for (size_t a = 0; a < ARRAY_SIZE(d.args); a++)
        d.args[a] = interesting();
    return d;
}

static struct seccomp_program rules_compile(const struct random_rule *rules, size_t n)
{
    _cleanup_buf_ struct buf json = {0};
    struct seccomp_program p = {0};
    ADD(&json, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[");
    for (size_t i = 0; i < n; i++)
        rule_print(&json, &rules[i], i == 0);
    ADD(&json, "]}");
    compile_ok(json.data, &x86, &p);
    return p;
}

static void rules_release(struct random_rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(rules[i].name);
}

/* Many rules on few calls, all actions. */
static void test_agrees_with_plain_evaluation(void **state)
{
    (void)state;
    srandom(11);
    for (size_t i = 0; i < RANDOM_PROFILES; i++) {
        struct random_rule rules[RANDOM_RULES_MAX];
        size_t n = 1 + i % RANDOM_RULES_MAX;
        for (size_t k = 0; k < n; k++)
            rules[k] = rule_make((int)(random() % 12), ARRAY_SIZE(actions));
        _cleanup_(seccomp_program_clear) struct seccomp_program p = rules_compile(rules, n);
        for (int k = 0; k < RANDOM_CALLS; k++) {
            struct seccomp_data d = call_make(k % 14);
            uint32_t want = rules_judge(rules, n, &d), got = bpf_eval(p.code, p.len, &d);
            if (got != want)
                fail_msg("profile %zu, call %d(%llx, , %llx, , %llx): 0x%x, expected 0x%x", i, d.nr,
                         (unsigned long long)d.args[0], (unsigned long long)d.args[2],
                         (unsigned long long)d.args[4], got, want);
        }
        rules_release(rules, n);
    }
}

static struct seccomp_program oracle_compile(const struct random_rule *rules, size_t n)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    assert_non_null(ctx);
    for (size_t i = 0; i < n; i++) {
        struct scmp_arg_cmp cmp[3];
        for (unsigned a = 0; a < rules[i].n_args; a++)
            cmp[a] =
                (struct scmp_arg_cmp){.arg = rules[i].args[a].index,
                                      .op = (enum scmp_compare)(SCMP_CMP_NE + (unsigned)rules[i].args[a].op),
                                      .datum_a = rules[i].args[a].value,
                                      .datum_b = rules[i].args[a].value_two};
        assert_int_equal(seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rules[i].nr, rules[i].n_args, cmp), 0);
    }
    return oracle_export(ctx);
}

/* One rule for each call: with several, libseccomp 2.5.4 lets arguments through that no rule allows. */
static void test_agrees_with_libseccomp(void **state)
{
    (void)state;
    if (seccomp_arch_native() != SCMP_ARCH_X86_64)
        skip();
    srandom(7);
    for (size_t i = 0; i < RANDOM_PROFILES; i++) {
        struct random_rule rules[RANDOM_RULES_MAX];
        size_t n = 1 + i % RANDOM_RULES_MAX;
        for (size_t k = 0; k < n; k++)
            rules[k] = rule_make((int)(k * 5 + i % 5), 1);
        _cleanup_(seccomp_program_clear) struct seccomp_program ours = rules_compile(rules, n);
        _cleanup_(seccomp_program_clear) struct seccomp_program theirs = oracle_compile(rules, n);
        for (int k = 0; k < RANDOM_CALLS; k++) {
            struct seccomp_data d = call_make(k % (SECCOMP_NR_NEWEST + 1));
            uint32_t got = bpf_eval(ours.code, ours.len, &d), want = bpf_eval(theirs.code, theirs.len, &d);
            if (got != want)
                fail_msg("profile %zu, call %d(%llx, , %llx, , %llx): 0x%x, libseccomp 0x%x", i, d.nr,
                         (unsigned long long)d.args[0], (unsigned long long)d.args[2],
                         (unsigned long long)d.args[4], got, want);
        }
        rules_release(rules, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses_malformed_json),
        cmocka_unit_test(test_refuses_wrong_fields),
        cmocka_unit_test(test_refuses_wrong_entries),
        cmocka_unit_test(test_refuses_what_is_too_large),
        cmocka_unit_test(test_takes_what_circulates),
        cmocka_unit_test(test_minimum_kernel_needs_a_kernel),
        cmocka_unit_test(test_conditions_on_capabilities),
        cmocka_unit_test(test_operators_at_their_limits),
        cmocka_unit_test(test_masks_see_both_halves),
        cmocka_unit_test(test_the_most_restrictive_rule_wins),
        cmocka_unit_test(test_other_abis_and_new_numbers),
        cmocka_unit_test(test_names_by_architecture),
        cmocka_unit_test(test_agrees_with_plain_evaluation),
        cmocka_unit_test(test_agrees_with_libseccomp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
