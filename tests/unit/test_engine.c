/* SPDX-License-Identifier: Apache-2.0 */
/* Units of src/engine and src/store that need no kernel help: names, id blocks, records, locks, the image under the plan. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/ids.h"
#include "base/io.h"
#include "engine/lock.h"
#include "engine/merge.h"
#include "engine/names.h"
#include "engine/record.h"
#include "store/idpool.h"
#include "temp_store.h"

#define ID_A "aa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ID_B "bb7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

#define OK(call) assert_int_equal(call, 0)

static int make_container(const struct store *s, const char *id)
{
    return mkdirat(s->containers, id, 0700);
}

static void test_names(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    char id[ID_LENGTH + 1];
    OK(make_container(s, ID_A));
    OK(names_claim(s, "web", ID_A, &e));
    assert_int_equal(names_claim(s, "web", ID_B, &e), -EEXIST);
    assert_non_null(strstr(e.text, "already in use by container \"" ID_A "\""));
    assert_int_equal(names_find(s, "web", id, &e), 1);
    assert_string_equal(id, ID_A);
    names_release(s, "web", ID_B); /* not B's to give */
    assert_int_equal(names_find(s, "web", id, &e), 1);
    names_release(s, "web", ID_A);
    assert_int_equal(names_find(s, "web", id, &e), 0);
    assert_int_equal(names_find(s, "../containers", id, &e), 0);
}

/* A command was killed between claiming the name and placing the directory. */
static void test_name_of_killed_command(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    char id[ID_LENGTH + 1];
    OK(names_claim(s, "web", ID_A, &e));
    OK(names_claim(s, "web", ID_B, &e));
    assert_int_equal(names_find(s, "web", id, &e), 1);
    assert_string_equal(id, ID_B);
}

/* More claims than there are pairs of words: it goes on with longer names, all different. */
static void test_random_names(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    OK(make_container(s, ID_A));
    for (int i = 0; i < 4200; i++) {
        _cleanup_free_ char *name = NULL;
        int r = names_claim_random(s, ID_A, &name, &e);
        assert_true(r == 0 || r == -EEXIST);
        if (r == -EEXIST) {
            assert_true(i > 3000);
            return;
        }
        assert_true(strlen(name) < PLAN_NAME_MAX);
    }
}

static void count_block(unsigned block, const char *id, void *context)
{
    assert_true(block >= 1);
    assert_true(str_equal(id, ID_A) || str_equal(id, ID_B));
    ++*(int *)context;
}

static void test_id_blocks(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    int a = idpool_claim(s, ID_A, &e);
    int b = idpool_claim(s, ID_B, &e);
    int count = 0;
    assert_true(a >= 1 && b >= 1 && a != b);
    idpool_for_each(s, count_block, &count);
    assert_int_equal(count, 2);
    OK(idpool_release(s, (unsigned)a, ID_B, &e)); /* not B's: stays */
    count = 0;
    idpool_for_each(s, count_block, &count);
    assert_int_equal(count, 2);
    OK(idpool_release(s, (unsigned)a, ID_A, &e));
    OK(idpool_release(s, (unsigned)a, ID_A, &e));
    /* The block that has just been given back is not the next one. */
    assert_int_not_equal(idpool_claim(s, ID_A, &e), a);
}

static void test_id_blocks_run_out(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    unsigned claimed = 0;
    int r;
    while ((r = idpool_claim(s, ID_A, &e)) > 0)
        claimed++;
    assert_int_equal(r, -EUSERS);
    assert_int_equal(claimed, IDS_BLOCK_COUNT - 2);
    OK(idpool_release(s, 77, ID_A, &e));
    assert_int_equal(idpool_claim(s, ID_A, &e), 77);
}

/* Two processes claim at once: no block is given twice. */
static void test_id_blocks_at_once(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    pid_t pid = fork();
    assert_true(pid >= 0);
    for (int i = 0; i < 100; i++)
        if (idpool_claim(s, pid == 0 ? ID_A : ID_B, &e) < 0 && pid == 0)
            _exit(1);
    if (pid == 0)
        _exit(0);
    int status = -1;
    int count = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    idpool_for_each(s, count_block, &count);
    assert_int_equal(count, 200);
}

static int open_container_dir(const struct store *s, struct container *c)
{
    memset(c, 0, sizeof(*c));
    (void)strcpy(c->id, ID_A);
    if (make_container(s, ID_A) < 0)
        return -1;
    c->shim_dir = -1;
    c->dir = openat(s->containers, ID_A, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return c->dir;
}

static void test_start_record(void **state)
{
    struct err e = {0};
    struct container c;
    const struct container_start start = {
        .time = 1764000000123456789, .pid = 4711, .pid_start = UINT64_MAX / 4, .shim_pid = 4712, .block = 9};
    struct container_start read;
    assert_true(open_container_dir(*state, &c) >= 0);
    OK(record_read_start(c.dir, &read, &e));
    assert_int_equal(read.time, 0);
    OK(record_write_start(c.dir, &start, &e));
    OK(record_read_start(c.dir, &read, &e));
    assert_int_equal(read.time, start.time);
    assert_int_equal(read.pid, start.pid);
    assert_int_equal(read.pid_start, start.pid_start);
    assert_int_equal(read.shim_pid, start.shim_pid);
    assert_int_equal(read.block, start.block);
    record_forget_start(c.dir);
    OK(record_read_start(c.dir, &read, &e));
    assert_int_equal(read.time, 0);
    close(c.dir);
}

static void test_damaged_start_record(void **state)
{
    struct err e = {0};
    struct container c;
    struct container_start read;
    static const char *const damaged[] = {
        "",
        "{",
        "{\"version\":2,\"time\":1,\"pid\":1,\"pid_start\":1,\"shim_pid\":1,\"block\":1}",
        "{\"version\":1,\"time\":1,\"pid\":99999999999,\"pid_start\":1,\"shim_pid\":1,\"block\":1}",
        "{\"version\":1,\"time\":1,\"pid\":1,\"pid_start\":1,\"shim_pid\":1,\"block\":4095}",
        "{\"version\":1,\"time\":-1,\"pid\":1,\"pid_start\":1,\"shim_pid\":1,\"block\":1}"};
    assert_true(open_container_dir(*state, &c) >= 0);
    for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
        OK(io_replace_file_at(c.dir, RECORD_STARTED, damaged[i], strlen(damaged[i]), 0600, false, &e));
        assert_true(record_read_start(c.dir, &read, &e) < 0);
        assert_non_null(strstr(e.text, RECORD_STARTED));
        err_clear(&e);
    }
    close(c.dir);
}

static void test_error_record(void **state)
{
    struct container c;
    char text[ERR_TEXT_MAX];
    assert_true(open_container_dir(*state, &c) >= 0);
    record_read_error(c.dir, text, sizeof(text));
    assert_string_equal(text, "");
    record_write_error(c.dir, "exec: no such file");
    record_read_error(c.dir, text, sizeof(text));
    assert_string_equal(text, "exec: no such file");
    record_write_error(c.dir, "");
    record_read_error(c.dir, text, sizeof(text));
    assert_string_equal(text, "");
    close(c.dir);
}

static void test_locks(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    struct container c;
    assert_true(open_container_dir(s, &c) >= 0);
    assert_true(lock_no_waiter(&c));
    int waiter = lock_waiter(&c, &e);
    assert_true(waiter >= 0);
    assert_false(lock_no_waiter(&c));
    close(waiter);
    assert_true(lock_no_waiter(&c));
    int lock = lock_container(s, &c, &e);
    assert_true(lock >= 0);
    close(lock);
    /* Removed and made anew under the same name meanwhile: not the one we know. */
    OK(renameat(s->containers, ID_A, s->staging, "gone"));
    assert_int_equal(lock_container(s, &c, &e), -ENOENT);
    OK(make_container(s, ID_A));
    assert_int_equal(lock_container(s, &c, &e), -ENOENT);
    close(c.dir);
}

static struct image *image_of(void)
{
    static struct image i;
    struct err e = {0};
    memset(&i, 0, sizeof(i));
    OK(str_list_add(&i.entrypoint, "/entry", &e));
    OK(str_list_add(&i.cmd, "serve", &e));
    OK(str_list_add(&i.env, "PATH=/image/bin", &e));
    OK(str_list_add(&i.env, "MODE=image", &e));
    OK(str_list_add(&i.labels, "k=image", &e));
    OK(str_list_add(&i.volumes, "/data", &e));
    OK(str_list_add(&i.volumes, "/log", &e));
    OK(str_copy("app:app", &i.user, &e));
    OK(str_copy("/srv", &i.working_dir, &e));
    OK(str_copy("SIGINT", &i.stop_signal, &e));
    return &i;
}

static void image_drop(struct image *i)
{
    str_list_clear(&i->entrypoint);
    str_list_clear(&i->cmd);
    str_list_clear(&i->env);
    str_list_clear(&i->labels);
    str_list_clear(&i->volumes);
    free(i->user);
    free(i->working_dir);
    free(i->stop_signal);
}

static void test_merge_takes_the_image(void **state)
{
    (void)state;
    struct err e = {0};
    struct image *i = image_of();
    _cleanup_plan_ struct plan p;
    plan_init(&p);
    OK(merge_image(&p, i, &e));
    assert_int_equal(p.entrypoint.count, 1);
    assert_string_equal(p.entrypoint.items[0], "/entry");
    assert_string_equal(p.command.items[0], "serve");
    assert_string_equal(str_list_env(&p.env, "PATH"), "/image/bin");
    assert_string_equal(str_list_env(&p.env, "MODE"), "image");
    assert_string_equal(p.user, "app:app");
    assert_string_equal(p.working_dir, "/srv");
    assert_string_equal(p.stop_signal, "SIGINT");
    assert_int_equal(p.mount_count, 2);
    image_drop(i);
}

static void test_merge_prefers_the_user(void **state)
{
    (void)state;
    struct err e = {0};
    struct image *i = image_of();
    _cleanup_plan_ struct plan p;
    plan_init(&p);
    OK(str_list_add(&p.entrypoint, "/bin/sh", &e));
    p.entrypoint_given = true;
    OK(str_list_add(&p.env, "MODE=user", &e));
    OK(str_list_add(&p.labels, "k=user", &e));
    OK(str_copy("0", &p.user, &e));
    OK(str_copy("/", &p.working_dir, &e));
    OK(str_copy("SIGQUIT", &p.stop_signal, &e));
    struct plan_mount *m = plan_add_mount(&p, PLAN_MOUNT_TMPFS, &e);
    OK(str_copy("/data", &m->target, &e));
    OK(merge_image(&p, i, &e));
    assert_int_equal(p.command.count, 0); /* the image's arguments belong to the image's entrypoint */
    assert_string_equal(p.entrypoint.items[0], "/bin/sh");
    assert_string_equal(str_list_env(&p.env, "MODE"), "user");
    assert_string_equal(str_list_env(&p.labels, "k"), "user");
    assert_string_equal(p.user, "0");
    assert_string_equal(p.working_dir, "/");
    assert_string_equal(p.stop_signal, "SIGQUIT");
    assert_int_equal(p.mount_count, 2); /* /data is the user's, /log comes from the image */
    assert_int_equal(p.mounts[0].type, PLAN_MOUNT_TMPFS);
    image_drop(i);
}

static void test_merge_needs_a_command(void **state)
{
    (void)state;
    struct err e = {0};
    struct image empty;
    memset(&empty, 0, sizeof(empty));
    _cleanup_plan_ struct plan p;
    plan_init(&p);
    assert_int_equal(merge_image(&p, &empty, &e), -EINVAL);
    assert_non_null(strstr(e.text, "no command specified"));
}

int main(void)
{
    if (geteuid() != 0)
        return 77; /* the store belongs to root */
#define STORED(f) cmocka_unit_test_setup_teardown(f, temp_store_open, temp_store_close)
    const struct CMUnitTest tests[] = {
        STORED(test_names),
        STORED(test_name_of_killed_command),
        STORED(test_random_names),
        STORED(test_id_blocks),
        STORED(test_id_blocks_run_out),
        STORED(test_id_blocks_at_once),
        STORED(test_start_record),
        STORED(test_damaged_start_record),
        STORED(test_error_record),
        STORED(test_locks),
        cmocka_unit_test(test_merge_takes_the_image),
        cmocka_unit_test(test_merge_prefers_the_user),
        cmocka_unit_test(test_merge_needs_a_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
