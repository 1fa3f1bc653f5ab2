/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: lines, the chain, what a killed writer leaves, every kind of change by somebody else, rotation. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/path.h"
#include "engine/audit_files.h"
#include "engine/audit_log.h"
#include "engine/audit_read.h"
#include "temp_store.h"

#define OK(call) assert_int_equal(call, 0)
#define TEXT_MAX (8U << 20)

static void record(const struct store *s, const char *what)
{
    struct err e = {0};
    OK(audit_log_append(s, &(struct audit_event){.kind = AUDIT_EXEC, .name = "web", .what = what}, 1, false,
                        NULL, &e));
}

static void record_some(const struct store *s)
{
    static const char *const words[] = {"one", "two", "three", "four", "five"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        record(s, words[i]);
}

static void read_log(const struct store *s, struct buf *b)
{
    struct err e = {0};
    _cleanup_close_ int dir = path_open_dir_at(s->root, "audit", &e);
    b->length = 0;
    OK(io_read_file_at(dir, "log", TEXT_MAX, b, &e));
}

static void write_log(const struct store *s, const char *text, size_t length)
{
    struct err e = {0};
    _cleanup_close_ int dir = path_open_dir_at(s->root, "audit", &e);
    OK(io_replace_file_at(dir, "log", text, length, 0600, false, &e));
}

/* Start of line `n` (the first is 0), or the end of the text. */
static size_t line_at(const struct buf *b, size_t n)
{
    size_t at = 0;
    for (; n > 0; n--)
        at = (size_t)((char *)memchr(b->data + at, '\n', b->length - at) - b->data) + 1;
    return at;
}

static struct audit_summary verified(const struct store *s)
{
    struct err e = {0};
    struct audit_summary sum = {0};
    int r = audit_verify(s, &sum, &e);
    if (r < 0)
        fail_msg("%s", e.text);
    return sum;
}

static void assert_bad(const struct store *s, const char *says)
{
    struct err e = {0};
    struct audit_summary sum;
    assert_int_equal(audit_verify(s, &sum, &e), -EBADMSG);
    if (!strstr(e.text, says))
        fail_msg("%s: does not say '%s'", e.text, says);
}

static void test_line(void **state)
{
    static const struct audit_actor who = {
        .uid = 0, .has_loginuid = true, .loginuid = 1000, .pid = 7, .ppid = 6, .parent = "b\x1b[1m\"h\n"};
    struct err e = {0};
    struct audit_chain chain = {0};
    const struct audit_event event = {.kind = AUDIT_GRANT,
                                      .name = "\xc2\x9b"
                                              "31m\xff",
                                      .practice = 6,
                                      .what = "a\\b",
                                      .source = "--cap-add"};
    _cleanup_buf_ struct buf b = {0};
    _cleanup_audit_record_ struct audit_record r = {0};
    (void)state;
    OK(audit_record_format(&event, &who, 0, &chain, AUDIT_LINE_MAX, &b, &e));
    assert_int_equal(chain.seq, 1);
    static const char expected[] =
        "{\"v\":1,\"seq\":1,\"time\":\"1970-01-01T00:00:00.000000000Z\",\"event\":\"grant\",\"uid\":0,"
        "\"loginuid\":1000,\"pid\":7,\"ppid\":6,\"parent\":\"b\\u001b[1m\\\"h\\u000a\","
        "\"name\":\"\\u009b31m\xef\xbf\xbd\",\"practice\":6,\"what\":\"a\\\\b\",\"source\":\"--cap-add\","
        "\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"hash\":\"";
    assert_memory_equal(b.data, expected, sizeof(expected) - 1);
    OK(audit_record_parse(b.data, b.length - 1, &r, &e));
    assert_int_equal(r.seq, 1);
    assert_string_equal(r.event, "grant");
    assert_true(digest_equal(&r.line, &chain.last));
    for (size_t i = 0; i < b.length - 1; i++) { /* no bit of a line is free */
        struct audit_record changed = {0};
        b.data[i] ^= 1;
        assert_int_equal(audit_record_parse(b.data, b.length - 1, &changed, &e), -EBADMSG);
        b.data[i] ^= 1;
    }
}

/* Whatever is long is cut, and the longest line still fits. */
static void test_longest_line(void **state)
{
    struct err e = {0};
    struct audit_chain chain = {.seq = UINT64_MAX - 2};
    struct audit_actor who = {.uid = UINT32_MAX - 1, .has_loginuid = true, .pid = INT32_MAX};
    static char text[4 * AUDIT_TEXT_MAX];
    _cleanup_buf_ struct buf b = {0};
    _cleanup_audit_record_ struct audit_record r = {0};
    (void)state;
    memset(text, 1, sizeof(text) - 1);
    memset(who.parent, 1, sizeof(who.parent) - 1);
    const struct audit_event event = {
        .container = text, .name = text, .image = text, .practice = 14, .what = text, .source = text};
    OK(audit_record_format(&event, &who, 0, &chain, AUDIT_BATCH_MAX, &b, &e));
    assert_true(b.length <= AUDIT_LINE_MAX);
    assert_non_null(strstr(b.data, "\\u0001\xe2\x80\xa6\","));
    OK(audit_record_parse(b.data, b.length - 1, &r, &e));
}

static void test_chain(void **state)
{
    const struct store *s = *state;
    struct stat st;
    assert_int_equal(verified(s).count, 0);
    record_some(s);
    struct audit_summary sum = verified(s);
    assert_int_equal(sum.count, 5);
    assert_int_equal(sum.first, 1);
    assert_int_equal(sum.last, 5);
    assert_int_equal(sum.torn, 0);
    OK(fstatat(s->root, "audit", &st, 0));
    assert_int_equal(st.st_mode & 07777, 0700);
    OK(fstatat(s->root, "audit/log", &st, 0));
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_changed(void **state)
{
    const struct store *s = *state;
    _cleanup_buf_ struct buf b = {0};
    _cleanup_buf_ struct buf made = {0};
    struct err e = {0};
    record_some(s);
    read_log(s, &b);
    size_t at[7];
    for (size_t i = 0; i < 6; i++)
        at[i] = line_at(&b, i);

    for (size_t i = 0; i < 5; i++) { /* edited */
        char says[32];
        (void)snprintf(says, sizeof(says), "record %zu: ", i + 1);
        b.data[at[i] + 100] ^= 1;
        write_log(s, b.data, b.length);
        assert_bad(s, says);
        b.data[at[i] + 100] ^= 1;
    }
    for (size_t i = 0; i < 5; i++) { /* removed */
        char says[32];
        (void)snprintf(says, sizeof(says), "record %zu: ", i + 1);
        made.length = 0;
        OK(buf_add(&made, b.data, at[i], TEXT_MAX, &e));
        OK(buf_add(&made, b.data + at[i + 1], b.length - at[i + 1], TEXT_MAX, &e));
        write_log(s, made.data, made.length);
        assert_bad(s, says);
    }
    made.length = 0; /* the second and third changed places */
    OK(buf_add(&made, b.data, at[1], TEXT_MAX, &e));
    OK(buf_add(&made, b.data + at[2], at[3] - at[2], TEXT_MAX, &e));
    OK(buf_add(&made, b.data + at[1], at[2] - at[1], TEXT_MAX, &e));
    OK(buf_add(&made, b.data + at[3], b.length - at[3], TEXT_MAX, &e));
    write_log(s, made.data, made.length);
    assert_bad(s, "record 2: record 3 stands in its place");
    for (size_t cut = at[3] + 1; cut < b.length; cut += 97) { /* cut off, in a line or between two */
        write_log(s, b.data, cut);
        assert_bad(s, cut < at[4] ? "record 4: " : "record 5: ");
    }
    write_log(s, b.data, b.length);
    assert_int_equal(verified(s).count, 5);
}

/* What was changed is not made good by what is written afterwards. */
static void test_changed_then_written(void **state)
{
    const struct store *s = *state;
    _cleanup_buf_ struct buf b = {0};
    record_some(s);
    read_log(s, &b);
    size_t last = line_at(&b, 4);
    write_log(s, b.data, last); /* record 5 removed */
    record(s, "six");
    assert_bad(s, "record 5: record 6 stands in its place");
    write_log(s, b.data, last + 40); /* cut in the middle */
    record(s, "seven");
    assert_bad(s, "record 5: ");
}

static void test_lost_files(void **state)
{
    const struct store *s = *state;
    record_some(s);
    OK(unlinkat(s->root, "audit/head", 0));
    assert_bad(s, "head: it is missing");
    record(s, "six");
    assert_bad(s, "record 6: audit/head was gone");
    OK(unlinkat(s->root, "audit/log", 0));
    assert_bad(s, "record 1: it is missing, and so is all up to record 7");
    record(s, "eight");
    assert_bad(s, "record 1: it is missing, and so is all up to record 7");
}

/* A writer that was killed leaves a part of its last line, and the head as it was. */
static void test_torn(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    _cleanup_buf_ struct buf b = {0};
    _cleanup_buf_ struct buf head = {0};
    record_some(s);
    _cleanup_close_ int dir = path_open_dir_at(s->root, "audit", &e);
    OK(io_read_file_at(dir, "head", 4096, &head, &e));
    record(s, "six");
    read_log(s, &b);
    size_t six = line_at(&b, 5);
    for (size_t cut = six + 1; cut < b.length; cut += 31) {
        write_log(s, b.data, cut);
        OK(io_replace_file_at(dir, "head", head.data, head.length, 0600, false, &e));
        assert_int_equal(verified(s).torn, 1); /* at the very end */
        record(s, "again");
        assert_int_equal(verified(s).torn, 1);
        assert_int_equal(verified(s).last, 7);
        record(s, "on");
        assert_int_equal(verified(s).last, 8);
    }
    /* The whole line, but not the head: a record like any other. */
    write_log(s, b.data, b.length);
    OK(io_replace_file_at(dir, "head", head.data, head.length, 0600, false, &e));
    assert_int_equal(verified(s).last, 6);
    record(s, "seven");
    assert_int_equal(verified(s).last, 7);
    assert_int_equal(verified(s).torn, 0);
}

/* The region of a torn line is fixed by its length and its hash. */
static void test_torn_changed(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    _cleanup_buf_ struct buf b = {0};
    record_some(s);
    _cleanup_close_ int dir = path_open_dir_at(s->root, "audit", &e);
    _cleanup_close_ int log = openat(dir, "log", O_WRONLY | O_APPEND | O_CLOEXEC);
    OK(io_write_all(log, "{\"v\":1,\"seq\"", 12, &e));
    record(s, "six");
    assert_int_equal(verified(s).torn, 1);
    read_log(s, &b);
    size_t at = line_at(&b, 5);
    b.data[at + 3] ^= 1;
    write_log(s, b.data, b.length);
    assert_bad(s, "record 6: ");
    b.data[at + 3] ^= 1;
    memmove(b.data + at, b.data + at + 1, b.length - at - 1); /* one byte shorter */
    write_log(s, b.data, b.length - 1);
    assert_bad(s, "record 6: ");
}

static size_t count_files(const struct store *s)
{
    char name[AUDIT_NAME_MAX];
    struct err e = {0};
    size_t count = 0;
    _cleanup_close_ int dir = path_open_dir_at(s->root, "audit", &e);
    for (unsigned i = 0; i < AUDIT_FILES_MAX + 4; i++) {
        audit_file_name(i, name);
        count += faccessat(dir, name, F_OK, 0) == 0;
    }
    return count;
}

/* Fills about one file. */
static void fill(const struct store *s)
{
    static char text[AUDIT_TEXT_MAX + 1];
    static struct audit_event events[200];
    struct err e = {0};
    memset(text, 'x', AUDIT_TEXT_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(events); i++)
        events[i] = (struct audit_event){.kind = AUDIT_GRANT, .name = text, .what = text, .source = text};
    for (int i = 0; i < 6; i++)
        OK(audit_log_append(s, events, ARRAY_SIZE(events), false, NULL, &e));
}

static void test_rotation(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    for (unsigned i = 0; i < 3; i++)
        fill(s);
    assert_int_equal(count_files(s), 3);
    assert_int_equal(verified(s).count, 3600);
    _cleanup_close_ int dir = path_open_dir_at(s->root, "audit", &e);
    OK(renameat(dir, "log.1", dir, "aside")); /* a file in the middle is gone */
    assert_bad(s, "record ");
    OK(renameat(dir, "aside", dir, "log.1"));
    for (unsigned i = 0; i < AUDIT_FILES_MAX; i++)
        fill(s);
    assert_int_equal(count_files(s), AUDIT_FILES_MAX);
    struct audit_summary sum = verified(s);
    assert_true(sum.first > 1 && sum.last == 3600 + 1200 * AUDIT_FILES_MAX);
    char oldest[AUDIT_NAME_MAX];
    audit_file_name(AUDIT_FILES_MAX - 1, oldest);
    OK(unlinkat(dir, oldest, 0)); /* more was dropped than rotation has */
    assert_bad(s, "it is missing, and so is all up to record ");
}

/* Killed between the two names of the newest file. */
static void test_rotation_cut_short(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    record_some(s);
    _cleanup_close_ int dir = path_open_dir_at(s->root, "audit", &e);
    OK(renameat(dir, "log", dir, "log.1"));
    assert_int_equal(verified(s).last, 5);
    record(s, "six");
    assert_int_equal(verified(s).last, 6);
    assert_int_equal(verified(s).count, 6);
}

static void test_grants(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    _cleanup_plan_ struct plan p;
    plan_init(&p);
    (void)strcpy(p.id, "aa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    OK(audit_log_grants(s, &p, &e));
    assert_int_equal(verified(s).count, 0);
    record_some(s);
    OK(plan_add_grant(&p, 6, "capability CHOWN", "--cap-add CHOWN", &e));
    OK(plan_add_grant(&p, 4, "memory 2 GiB", "--memory 2g", &e));
    OK(audit_log_grants(s, &p, &e));
    assert_int_equal(p.grants[0].record, 6);
    assert_int_equal(p.grants[1].record, 7);
    _cleanup_close_ int dir = path_open_dir_at(s->root, "audit", &e);
    OK(unlinkat(dir, "log", 0));
    OK(mkdirat(dir, "log", 0700)); /* nothing can be written */
    assert_true(audit_log_grants(s, &p, &e) < 0);
    assert_non_null(strstr(e.text, "'capability CHOWN' is not granted, as the audit log cannot record it"));
    assert_null(audit_log_warning());
    audit_note_container(s, AUDIT_START, &p, NULL);
    assert_non_null(strstr(audit_log_warning(), "not in the audit log: container.start"));
}

#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, temp_store_open, temp_store_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_longest_line),
        WITH_STORE(test_chain),
        WITH_STORE(test_changed),
        WITH_STORE(test_changed_then_written),
        WITH_STORE(test_lost_files),
        WITH_STORE(test_torn),
        WITH_STORE(test_torn_changed),
        WITH_STORE(test_rotation),
        WITH_STORE(test_rotation_cut_short),
        WITH_STORE(test_grants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
