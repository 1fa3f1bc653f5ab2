/* SPDX-License-Identifier: Apache-2.0 */
/* A user's profile against the default: what is refused, with which capability it would not be, and what is let pass. */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/capname.h"
#include "base/cleanup.h"
#include "seccomp/below.h"
#include "seccomp/texts.h"

static void judged(const char *json, uint64_t caps, struct below_excess *ret)
{
    const struct profile_target t = {.arch = SECCOMP_ARCH_X86_64, .caps = caps, .kernel_version = 6001};
    struct seccomp_program p = {0};
    struct err e = {0};
    *ret = (struct below_excess){0};
    if (below_compile_profile(json, strlen(json), &t, &p, ret, &e) < 0)
        fail_msg("%s", e.text);
    assert_true((ret->count == 0) == (p.len > 0));
    seccomp_program_clear(&p);
}

static void passes(const char *json, uint64_t caps)
{
    struct below_excess x;
    judged(json, caps, &x);
    if (x.count)
        fail_msg("refused for %s: %s", x.shown[0].name, json);
}

#define START "{\"names\":[\"execve\",\"exit_group\"],\"action\":\"SCMP_ACT_ALLOW\"}"
#define ALLOW(names, more)                                                   \
    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[" names \
    "],\"action\":\"SCMP_ACT_ALLOW\"" more "}," START "]}"

static void test_what_narrows_passes(void **state)
{
    (void)state;
    passes("{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", 0);
    passes("{\"defaultAction\":\"SCMP_ACT_LOG\"}", 0);
    passes(ALLOW("\"read\",\"write\",\"socket\"", ""), 0);
    passes(ALLOW("\"no_such_call\",\"socketcall\"", ""), 0);
    passes("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mount\",\"bpf\"],\"action\":"
           "\"SCMP_ACT_"
           "KILL_PROCESS\"}]}",
           0);
    passes(ALLOW("\"mount\"", ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}"), 0);
    passes(ALLOW("\"mount\"", ""), CAP_BIT(CAP_SYS_ADMIN));
    passes(ALLOW("\"ptrace\",\"clone3\",\"splice\",\"setxattr\",\"mlockall\"", ""), 0);
    passes(ALLOW("\"bpf\",\"syslog\"", ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}"),
           CAP_BIT(CAP_SYS_ADMIN));
    passes(text_default, CAP_BIT(CAP_SYS_PTRACE));
}

static void test_what_widens_is_named(void **state)
{
    (void)state;
    struct below_excess x;
    judged(ALLOW("\"mount\"", ""), 0, &x);
    assert_int_equal(x.count, 1);
    assert_string_equal(x.shown[0].name, "mount");
    assert_int_equal(x.shown[0].cap, CAP_SYS_ADMIN);
    judged(ALLOW("\"mount\"", ""), CAP_BIT(CAP_SYS_CHROOT), &x);
    assert_int_equal(x.shown[0].cap, CAP_SYS_ADMIN);
    judged(ALLOW("\"io_uring_setup\"", ""), CAP_MASK_ALL, &x);
    assert_int_equal(x.count, 1);
    assert_int_equal(x.shown[0].cap, BELOW_CAP_NONE);
    judged(ALLOW("\"chroot\"", ",\"args\":[{\"index\":0,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]"), 0, &x);
    assert_int_equal(x.count, 1);
    assert_int_equal(x.shown[0].cap, CAP_SYS_CHROOT);
    judged("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_"
           "LOG\"}," START "]}",
           0, &x);
    assert_int_equal(x.count, 1);
    judged(ALLOW("\"bpf\",\"mount\",\"umount2\",\"reboot\",\"kexec_load\",\"keyctl\",\"read\"", ""), 0, &x);
    assert_int_equal(x.count, 6);
    for (size_t i = 0; i < BELOW_SHOWN; i++)
        assert_true(x.shown[i].name[0]);
}

/* A rule that refuses every call stands before one that allows it, wherever it is written. */
static void test_a_refusal_beside_it_counts(void **state)
{
    (void)state;
    passes("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_"
           "ALLOW\"},"
           "{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\"}," START "]}",
           0);
    struct below_excess x;
    judged("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_"
           "ALLOW\"},"
           "{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,\"value\":1,\"op\":"
           "\"SCMP_CMP_EQ\"}]}," START "]}",
           0, &x);
    assert_int_equal(x.count, 1);
}

static void cannot_start(const char *json, const char *says)
{
    const struct profile_target t = {.arch = SECCOMP_ARCH_AARCH64, .kernel_version = 6001};
    struct seccomp_program p = {0};
    struct below_excess x = {0};
    struct err e = {0};
    assert_int_equal(below_compile_profile(json, strlen(json), &t, &p, &x, &e), -EINVAL);
    if (!strstr(e.text, says))
        fail_msg("%s", e.text);
}

static void test_a_program_can_be_started(void **state)
{
    (void)state;
    cannot_start("{\"defaultAction\":\"SCMP_ACT_ERRNO\"}", "refuses execve");
    cannot_start("{\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",\"syscalls\":[{\"names\":[\"execve\"],"
                 "\"action\":\"SCMP_ACT_ALLOW\"}]}",
                 "refuses exit_group");
    cannot_start("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"execve\"],"
                 "\"action\":\"SCMP_ACT_ERRNO\"}]}",
                 "refuses execve");
    passes("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"execve\"],\"action\":\"SCMP_"
           "ACT_ERRNO\","
           "\"args\":[{\"index\":0,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}]}",
           0);
    passes("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[" START "]}", 0);
}

static void test_the_embedded_texts_are_the_files(void **state)
{
    (void)state;
    const struct {
        const char *path, *text;
        size_t length;
    } texts[] = {{SECCOMP_PROFILES "/default.json", text_default, text_default_length},
                 {SECCOMP_PROFILES "/common.json", text_common, text_common_length}};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_fclose_ FILE *f = fopen(texts[i].path, "re");
        _cleanup_free_ char *read = calloc(1, texts[i].length + 2);
        assert_true(f && read);
        assert_int_equal(fread(read, 1, texts[i].length + 1, f), texts[i].length);
        assert_memory_equal(read, texts[i].text, texts[i].length + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_narrows_passes),
        cmocka_unit_test(test_what_widens_is_named),
        cmocka_unit_test(test_a_refusal_beside_it_counts),
        cmocka_unit_test(test_a_program_can_be_started),
        cmocka_unit_test(test_the_embedded_texts_are_the_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
