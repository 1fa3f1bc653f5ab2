/* SPDX-License-Identifier: Apache-2.0 */
/* workers/unpack without its sandbox: the archives of the fuzz corpus become files, names are taken apart. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/ids.h"
#include "base/path.h"
#include "workers/unpack/layer.h"
#include "workers/unpack/members.h"
#include "workers/unpack/name.h"

#define PLACE "/var/tmp" /* tmpfs may lack extended attributes of users */

struct place {
    char path[64];
    int fd;
};

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    (void)snprintf(p->path, sizeof(p->path), PLACE "/casemate-unit-XXXXXX");
    if (!mkdtemp(p->path))
        return -1;
    p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = p;
    return p->fd < 0 ? -1 : 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    struct err e = {0};
    close(p->fd);
    int r = path_remove_tree_at(AT_FDCWD, p->path, &e);
    free(p);
    return r;
}

static int open_corpus(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", UNPACK_CORPUS, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static int unpack(struct place *p, const char *name, struct message_unpack_layer_done *ret_done,
                  struct err *e)
{
    _cleanup_close_ int fd = open_corpus(name);
    _cleanup_stream_ struct stream *stream = NULL;
    int r = stream_open(fd, LAYER_DETECT, true, &stream, e);
    return r < 0 ? r : layer_unpack(stream, p->fd, IDS_BLOCK_SIZE, NULL, ret_done, e);
}

static void check_kinds(struct place *p, const char *archive)
{
    struct message_unpack_layer_done done = {0};
    struct err e = {0};
    struct stat st;
    struct stat link;
    char value[2] = {0};
    if (unpack(p, archive, &done, &e) < 0)
        fail_msg("%s: %s", archive, e.text);
    assert_int_equal(done.devices_dropped, 2);
    assert_int_equal(done.setid_files, 1);
    assert_int_equal(done.ids_above_block, 1);
    assert_int_equal(done.files_bytes, 40 + 1);
    assert_int_equal(fstatat(p->fd, "d/f", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(st.st_uid, IDS_OVERFLOW);
    assert_int_equal(st.st_mode, S_IFREG | 04755);
    assert_int_equal(fstatat(p->fd, "h", &link, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(st.st_ino, link.st_ino);
    assert_int_equal(fstatat(p->fd, "d", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 02775);
    assert_int_equal(fstatat(p->fd, "d/x", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISCHR(st.st_mode) && st.st_rdev == 0);
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/d", p->path);
    assert_int_equal(getxattr(path, "user.overlay.opaque", value, sizeof(value)), 1);
    assert_int_equal(faccessat(p->fd, "c", F_OK, AT_SYMLINK_NOFOLLOW), -1);
    assert_int_equal(faccessat(p->fd, ".wh..wh.plnk", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

static void test_kinds(void **state)
{
    if (geteuid() != 0)
        skip();
    check_kinds(*state, "kinds.tar");
}

static void test_kinds_gzip(void **state)
{
    if (geteuid() != 0)
        skip();
    check_kinds(*state, "kinds.tar.gz");
    check_kinds(*state, "two_members.gz"); /* over what is there: every entry finds something in its place */
    check_kinds(*state, "kinds.tar.zst");
}

static void test_sparse(void **state)
{
    static const struct {
        const char *archive;
        off_t size;
        off_t data;
        const char *name;
    } cases[] = {
        {"sparse_1_0.tar", 100000, 5000, "f"},
        {"sparse_0_1.tar", 10000, 5000, "f"},
        {"sparse_0_0.tar", 10000, 10, "x"},
        {"sparse_old_gnu.tar", 6 * 65536, 5 * 65536, "f"},
    };
    struct place *p = *state;
    if (geteuid() != 0)
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct message_unpack_layer_done done = {0};
        struct err e = {0};
        struct stat st;
        char c = 0;
        if (unpack(p, cases[i].archive, &done, &e) < 0)
            fail_msg("%s: %s", cases[i].archive, e.text);
        _cleanup_close_ int fd = openat(p->fd, cases[i].name, O_RDONLY | O_CLOEXEC);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_size, cases[i].size);
        assert_int_equal(pread(fd, &c, 1, cases[i].data), 1);
        assert_int_equal(c, 'x');
        assert_int_equal(pread(fd, &c, 1, cases[i].data - 1), 1);
        assert_int_equal(c, 0);
    }
}

static void test_long_names(void **state)
{
    static const char *const archives[] = {"pax.tar", "gnu_long.tar", "ustar_prefix.tar", "base256.tar"};
    if (geteuid() != 0)
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(archives); i++) {
        struct message_unpack_layer_done done = {0};
        struct err e = {0};
        if (unpack(*state, archives[i], &done, &e) < 0)
            fail_msg("%s: %s", archives[i], e.text);
        assert_true(done.entries > 0);
    }
}

static void test_members(void **state)
{
    static const struct {
        const char *name;
        char first;
    } expected[] = {{"a/layer.tar", 'x'}, {"b/layer.tar", 'x'}, {"d", 'x'}};
    (void)state;
    for (int seekable = 0; seekable < 2; seekable++) {
        struct message_unpack_index_done done = {0};
        struct message_unpack_member member;
        struct err e = {0};
        _cleanup_close_ int archive = open_corpus("members_links.tar");
        _cleanup_fclose_ FILE *spool = tmpfile();
        _cleanup_fclose_ FILE *answer = tmpfile();
        assert_true(spool && answer);
        assert_int_equal(members_find(archive, seekable, fileno(spool), fileno(answer), &done, &e), 0);
        assert_int_equal(done.in_place, seekable);
        assert_int_equal(done.members, ARRAY_SIZE(expected));
        for (size_t i = 0; i < done.members; i++) {
            char c = 0;
            assert_int_equal(pread(fileno(answer), &member, sizeof(member), (off_t)(i * sizeof(member))),
                             sizeof(member));
            assert_string_equal(member.name, expected[i].name);
            assert_int_equal(member.size, 1);
            assert_int_equal(pread(done.in_place ? archive : fileno(spool), &c, 1, (off_t)member.offset), 1);
            assert_int_equal(c, expected[i].first);
        }
    }
}

static void test_names(void **state)
{
    static const struct {
        const char *path;
        enum name_kind kind;
        const char *parent;
        const char *base;
    } cases[] = {
        {"a", NAME_PLAIN, "", "a"},
        {"/a//./b/", NAME_PLAIN, "a", "b"},
        {"./", NAME_ROOT, "", ""},
        {"", NAME_ROOT, "", ""},
        {"d/.wh.x", NAME_WHITEOUT, "d", "x"},
        {".wh..x", NAME_WHITEOUT, "", ".x"},
        {"d/.wh..wh..opq", NAME_OPAQUE, "d", ".wh..wh..opq"},
        {".wh..wh.aufs", NAME_IGNORED, "", ".wh..wh.aufs"},
        {".wh..wh.plnk/1.2", NAME_IGNORED, ".wh..wh.plnk", "1.2"},
        {"...", NAME_PLAIN, "", "..."},
    };
    static const char *const refused[] = {"..", "a/..", "../a", ".wh.", ".wh..", ".wh...", ".wh.a/b"};
    struct name n;
    struct err e = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(name_parse(cases[i].path, &n, &e), 0);
        assert_int_equal(n.kind, cases[i].kind);
        assert_string_equal(n.parent, cases[i].parent);
        assert_string_equal(n.base, cases[i].base);
    }
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        assert_int_equal(name_parse(refused[i], &n, &e), -EBADMSG);
}

int main(void)
{
    (void)umask(0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kinds, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_kinds_gzip, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_sparse, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_long_names, make_place, remove_place),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
