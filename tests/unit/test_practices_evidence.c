/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence is what the kernel says. */
#include "practices_fixture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_evidence_not_running),
        T(test_evidence_of_no_container),
        T(test_evidence_of_reused_pid),
        T(test_mount_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
