/* SPDX-License-Identifier: Apache-2.0 */
/* What lists keep of containers (engine/shown.h): kept is what was read, changes are seen, and a damaged file is no file. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/json.h"
#include "base/shimproto.h"
#include "engine/mend.h"
#include "engine/names.h"
#include "engine/record.h"
#include "engine/shown.h"
#include "temp_store.h"

#define OK(call) assert_int_equal(call, 0)
#define SETTLE_MS 120

/* What a list has seen: the first container of it, and how many there were. */
struct seen {
    size_t count;
    bool kept;
    enum container_status status;
    char name[32], command[32], label[32], target[32];
};

static void fill(struct plan *p, const char *id)
{
    struct err e = {0};
    plan_init(p);
    memcpy(p->id, id, sizeof(p->id));
    memset(p->image_id, 'a', ID_LENGTH);
    p->created = 5;
    OK(str_copy("web", &p->name, &e));
    OK(str_copy("localhost/x:1", &p->image_reference, &e));
    OK(str_list_add(&p->entrypoint, "/bin/run", &e));
    OK(str_list_add(&p->command, "", &e));
    OK(str_list_add(&p->labels, "tier=front", &e));
    struct plan_mount *m = plan_add_mount(p, PLAN_MOUNT_TMPFS, &e);
    OK(str_copy("/scratch", &m->target, &e));
}

static void make_named(const struct store *s, const char *id, const char *name)
{
    struct err e = {0};
    _cleanup_plan_ struct plan p;
    _cleanup_json_ struct json_object *o = NULL;
    fill(&p, id);
    OK(mkdirat(s->containers, id, 0700));
    _cleanup_close_ int dir = openat(s->containers, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    OK(mkdirat(dir, "shim", 0700));
    OK(plan_to_json(&p, &o, &e));
    const char *text = json_object_to_json_string(o);
    OK(io_replace_file_at(dir, "plan.json", text, strlen(text), 0600, false, &e));
    OK(names_claim(s, name, id, &e));
}

static void make(const struct store *s, const char *id)
{
    make_named(s, id, "web");
}

static int note(struct container *c, void *context, struct err *e)
{
    struct seen *seen = context;
    (void)e;
    seen->count++;
    seen->kept = c->dir < 0;
    seen->status = c->status;
    (void)snprintf(seen->name, sizeof(seen->name), "%s", c->plan.name);
    (void)snprintf(seen->command, sizeof(seen->command), "%s,%s", c->plan.entrypoint.items[0],
                   c->plan.command.items[0]);
    (void)snprintf(seen->label, sizeof(seen->label), "%s", c->plan.labels.items[0]);
    assert_null(c->plan.mounts[0].source);
    (void)snprintf(seen->target, sizeof(seen->target), "%s", c->plan.mounts[0].target);
    return 0;
}

static struct seen list(const struct store *s, struct shown_counts *counts)
{
    struct seen seen = {0};
    struct err e = {0};
    OK(shown_for_each(s, note, &seen, counts, &e));
    assert_int_equal(counts->all, seen.count);
    return seen;
}

/* So that another change moves a time of the file system. */
static void settle(void)
{
    const struct timespec t = {.tv_nsec = SETTLE_MS * 1000000L};
    nanosleep(&t, NULL);
}

static void same(const struct seen *seen, bool kept, enum container_status status)
{
    assert_int_equal(seen->count, 1);
    assert_int_equal(seen->kept, kept);
    assert_int_equal(seen->status, status);
    assert_string_equal(seen->name, "web");
    assert_string_equal(seen->command, "/bin/run,");
    assert_string_equal(seen->label, "tier=front");
    assert_string_equal(seen->target, "/scratch");
}

static void make_id(char id[ID_LENGTH + 1], char digit)
{
    memset(id, digit, ID_LENGTH);
    id[ID_LENGTH] = '\0';
}

/* Read, kept, and read again when something has changed; too new to be kept at first. */
static void test_kept(void **state)
{
    const struct store *s = *state;
    char id[ID_LENGTH + 1];
    struct shown_counts counts;
    struct err e = {0};
    make_id(id, 'b');
    make(s, id);
    for (int i = 0; i < 2; i++) {
        struct seen seen = list(s, &counts);
        same(&seen, false, CONTAINER_CREATED);
    }
    settle();
    struct seen read = list(s, &counts);
    struct seen kept = list(s, &counts);
    same(&read, false, CONTAINER_CREATED);
    same(&kept, true, CONTAINER_CREATED);
    assert_int_equal(counts.running, 0);
    assert_false(mend_counted(s, &counts));

    /* It is started: another record, and a shim that holds its lock. */
    _cleanup_close_ int dir = openat(s->containers, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int lock = openat(dir, "shim/" SHIM_LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    OK(flock(lock, LOCK_EX));
    const struct container_start start = {.time = 7, .pid = 1, .shim_pid = 1, .block = 1};
    OK(record_write_start(dir, &start, &e));
    read = list(s, &counts);
    same(&read, false, CONTAINER_RUNNING);
    settle();
    (void)list(s, &counts);
    kept = list(s, &counts);
    same(&kept, true, CONTAINER_RUNNING);
    assert_int_equal(counts.running, 1);
    assert_true(mend_counted(s, &counts)); /* it runs without a block */

    /* No record changes when a shim is killed. */
    close_fd(&lock);
    read = list(s, &counts);
    same(&read, false, CONTAINER_DEAD);
    read = list(s, &counts);
    same(&read, false, CONTAINER_DEAD);
}

static void test_exit_is_seen(void **state)
{
    const struct store *s = *state;
    char id[ID_LENGTH + 1];
    struct shown_counts counts;
    struct err e = {0};
    const struct container_start start = {.time = 7, .pid = 1, .shim_pid = 1, .block = 1};
    static const char *const ends[] = {"casemate-exit 1 3 0 0 9 0\n", "casemate-exit 1 0 0 0 9 0\n"};
    make_id(id, 'c');
    make(s, id);
    _cleanup_close_ int dir = openat(s->containers, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int shim = openat(dir, "shim", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    OK(record_write_start(dir, &start, &e));
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        OK(io_replace_file_at(shim, SHIM_EXIT_FILE, ends[i], strlen(ends[i]), 0600, false, &e));
        struct seen seen = list(s, &counts);
        same(&seen, false, CONTAINER_EXITED);
        settle();
        (void)list(s, &counts);
        seen = list(s, &counts);
        same(&seen, true, CONTAINER_EXITED);
    }
}

#define MANY 9 /* more than it takes for the sockets to be asked for together */

/* As a shim does it; the working directory goes there for a moment, as a name has few bytes. */
static int listen_in(int shim_dir)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SHIM_SOCKET_FILE};
    _cleanup_close_ int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    OK(fchdir(shim_dir));
    OK(bind(fd, (struct sockaddr *)&address, sizeof(address)));
    OK(listen(fd, 1));
    OK(fchdir(back));
    return fd;
}

struct shim {
    int lock, socket;
};

static struct shim run_one(const struct store *s, char digit)
{
    char id[ID_LENGTH + 1], name[] = {digit, '\0'};
    struct err e = {0};
    const struct container_start start = {.time = 7, .pid = 1, .shim_pid = 1, .block = 1};
    make_id(id, digit);
    make_named(s, id, name);
    _cleanup_close_ int dir = openat(s->containers, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int shim = openat(dir, "shim", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct shim x = {openat(shim, SHIM_LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600), listen_in(shim)};
    OK(flock(x.lock, LOCK_EX));
    OK(record_write_start(dir, &start, &e));
    return x;
}

static size_t count_running(const struct store *s)
{
    struct shown_counts counts;
    (void)list(s, &counts);
    assert_int_equal(counts.all, MANY);
    return counts.running;
}

/* Of many, the sockets tell which shims live; of one whose socket is not found, its lock does. */
static void test_sockets(void **state)
{
    const struct store *s = *state;
    struct shim shims[MANY];
    for (int i = 0; i < MANY; i++)
        shims[i] = run_one(s, (char)('1' + i));
    settle();
    for (int i = 0; i < 2; i++)
        assert_int_equal(count_running(s), MANY);

    close_fd(&shims[0].socket); /* does not listen, but lives */
    assert_int_equal(count_running(s), MANY);
    close_fd(&shims[1].lock); /* not what a shim can do: it shows that its lock was not tried */
    assert_int_equal(count_running(s), MANY);

    close_fd(&shims[0].lock); /* killed, both */
    close_fd(&shims[1].socket);
    for (int i = 0; i < 2; i++)
        assert_int_equal(count_running(s), MANY - 2);

    /* Another socket, in the place of one that has ended, is not that one. */
    char path[ID_LENGTH + sizeof("/shim/" SHIM_SOCKET_FILE)], id[ID_LENGTH + 1];
    make_id(id, '3');
    (void)snprintf(path, sizeof(path), "%s/shim", id);
    _cleanup_close_ int dir = openat(s->containers, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close_fd(&shims[2].socket);
    close_fd(&shims[2].lock);
    OK(unlinkat(dir, SHIM_SOCKET_FILE, 0));
    shims[2].socket = listen_in(dir);
    assert_int_equal(count_running(s), MANY - 3);
    for (int i = 2; i < MANY; i++) {
        close_fd(&shims[i].lock);
        close_fd(&shims[i].socket);
    }
    assert_int_equal(count_running(s), 0);
}

/* Cut off or damaged at any place, it is read as nothing or as what it was, never beyond its end. */
static void test_damaged(void **state)
{
    const struct store *s = *state;
    char id[ID_LENGTH + 1];
    struct shown_counts counts;
    struct err e = {0};
    make_id(id, 'd');
    make(s, id);
    settle();
    (void)list(s, &counts);
    _cleanup_buf_ struct buf whole = {0};
    OK(io_read_file_at(s->run, SHOWN_FILE, 1 << 20, &whole, &e));
    for (size_t cut = 0; cut < whole.length; cut++) {
        OK(io_replace_file_at(s->run, SHOWN_FILE, whole.data, cut, 0600, false, &e));
        struct seen seen = list(s, &counts);
        same(&seen, false, CONTAINER_CREATED);
    }
    for (size_t at = 0; at < whole.length; at++) {
        _cleanup_buf_ struct buf changed = {0};
        OK(buf_add(&changed, whole.data, whole.length, whole.length, &e));
        changed.data[at] = (char)0xff;
        OK(io_replace_file_at(s->run, SHOWN_FILE, changed.data, changed.length, 0600, false, &e));
        struct shown_entries entries;
        shown_read(s, &entries);
        for (size_t i = 0; i < entries.count; i++) {
            struct container c = CONTAINER_INIT;
            plan_init(&c.plan);
            (void)shown_restore(&entries.items[i], &c, &e);
            container_close(&c);
        }
        shown_clear(&entries);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept, temp_store_open, temp_store_close),
        cmocka_unit_test_setup_teardown(test_exit_is_seen, temp_store_open, temp_store_close),
        cmocka_unit_test_setup_teardown(test_sockets, temp_store_open, temp_store_close),
        cmocka_unit_test_setup_teardown(test_damaged, temp_store_open, temp_store_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
