/* SPDX-License-Identifier: Apache-2.0 */
/* Units of the policy: reader, keys, patterns, files that may be trusted, and the shipped files against the defaults. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/io.h"
#include "plan/conf.h"
#include "plan/policy_keys.h"

#define OK(call) assert_int_equal(call, 0)
#define MIB (UINT64_C(1) << 20)
#define HEX64 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static int parse(const char *text, struct policy *ret, struct err *e)
{
    return policy_parse("casemate.conf", text, strlen(text), ret, e);
}

/* The text is refused with exactly this message. */
static void refused(const char *text, const char *message)
{
    struct err e = {0};
    _cleanup_policy_ struct policy p = {0};
    assert_true(parse(text, &p, &e) < 0);
    assert_string_equal(e.text, message);
}

static void test_defaults(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_policy_ struct policy p = {0};
    OK(parse("", &p, &e));
    assert_int_equal(p.profile, PLAN_STANDARD);
    assert_int_equal(p.least, PLAN_COMPAT);
    assert_true(p.memory.percent && p.memory.value == 50);
    assert_int_equal(p.memory_min, 512 * MIB);
    assert_int_equal(p.pids, 512);
    assert_int_equal(p.ulimit_count, 3);
    assert_true(p.known_images && p.allow_root && !p.read_only && p.copy_in && p.copy_out);
    assert_int_equal(p.rights.count, 0);
    assert_true(p.machine.memory > 0 && p.machine.processors > 0 && p.machine.processes > 0);
}

static void test_keys(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_policy_ struct policy p = {0};
    OK(parse("# comment\n[casemate]\nprofile = strict\nleast-profile=standard\r\n"
             "[practice \"limits\"]\nmemory = 2g\ncpus = 1.5\npids = 100\nulimit = core=0:unlimited\nulimit "
             "= nofile=5\n"
             "allow-unlimited = swap\nreserve = 20%\n"
             "[practice \"isolation\"]\n  allow-host-path = /srv/a b\n"
             "[practice \"capabilities\"]\nallow-capability = sys_ptrace\nallow-capability = "
             "ALL\nknown-images = no\n"
             "[practice \"syscalls\"]\nallow-apparmor = unconfined\n"
             "[practice \"user\"]\nallow-root = no\n[practice \"files\"]\nread-only = yes\ncopy-in = "
             "no\ncopy-out = no",
             &p, &e));
    assert_int_equal(p.profile, PLAN_STRICT);
    assert_int_equal(p.least, PLAN_STANDARD);
    assert_string_equal(p.least_source, "policy: casemate.conf:4");
    assert_true(!p.memory.percent && p.memory.value == 2048 * MIB);
    assert_int_equal(p.cpus.value, 1500000000);
    assert_int_equal(p.pids, 100);
    assert_int_equal(p.ulimit_count, 3);
    assert_string_equal(p.ulimits[0].name, "nofile");
    assert_int_equal(p.ulimits[0].hard, 5);
    assert_int_equal(p.ulimits[1].hard, PLAN_UNLIMITED);
    assert_true(!p.known_images && !p.allow_root && p.read_only && !p.copy_in && !p.copy_out);
    assert_string_equal(p.allow_root_source, "policy: casemate.conf:22");
    const struct policy_right *right = policy_rights_find(&p.rights, POLICY_ALLOW_HOST_PATH, "/srv/a b");
    assert_non_null(right);
    assert_string_equal(right->source, "policy: casemate.conf:14");
    assert_non_null(policy_rights_find(&p.rights, POLICY_ALLOW_CAPABILITY, "CAP_SYS_PTRACE"));
    assert_non_null(policy_rights_find(&p.rights, POLICY_ALLOW_CAPABILITY, "ALL"));
    assert_non_null(policy_rights_find(&p.rights, POLICY_ALLOW_UNLIMITED, "swap"));
    assert_null(policy_rights_find(&p.rights, POLICY_ALLOW_UNLIMITED, "memory"));
    assert_non_null(policy_rights_find(&p.rights, POLICY_ALLOW_APPARMOR, "unconfined"));
}

static void test_refused(void **state)
{
    (void)state;
    refused("profile = strict\n", "casemate.conf:1: 'profile = strict' stands before the first [section]");
    refused("[casemat]\n", "casemate.conf:1: unknown section [casemat]");
    refused("\n[practice \"limit\"]\n", "casemate.conf:2: unknown section [practice \"limit\"]");
    refused("[casemate]\ncolour = red\n", "casemate.conf:2: unknown key 'colour'");
    refused("[casemate]\nprofile = lax\n",
            "casemate.conf:2: profile: unknown profile 'lax' (standard, strict or compat)");
    refused("[practice \"user\"]\nallow-root = maybe\n",
            "casemate.conf:2: allow-root: 'maybe' is neither yes nor no");
    refused("[practice \"limits\"]\nallow-unlimited = network\n",
            "casemate.conf:2: allow-unlimited: 'network' is none of memory, swap, pids, disk");
    refused("[practice \"limits\"]\nulimit = core=2:1\n",
            "casemate.conf:2: ulimit: 'core=2:1': the soft limit is above the hard one");
    refused("[practice \"capabilities\"]\nallow-capability = CAP_FLY\n",
            "casemate.conf:2: allow-capability: 'CAP_FLY' is not a capability");
    refused("[grant]\n", "casemate.conf:1: [grant] needs a name: [grant \"NAME\"]");
    refused("[casemate\n", "casemate.conf:1: '[casemate' is not [name] or [name \"argument\"]");
    refused("[casemate]\nprofile\n", "casemate.conf:2: 'profile' is not key = value");
    refused("[casemate]\nprofile = a\x01\n", "casemate.conf:2: the line has a control character");
    refused("[practice \"isolation\"]\nallow-host-network = yes\n",
            "casemate.conf:2: unknown key 'allow-host-network'");
}

static void test_numbers_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"memory = 0%",
                                      "memory = 101%",
                                      "memory = 0",
                                      "memory = -1",
                                      "memory = 1x",
                                      "pids = 0",
                                      "pids = 1e3",
                                      "pids = 01",
                                      "pids =",
                                      "cpus = 0",
                                      "cpus = 50 %%",
                                      "shm-size = 0",
                                      "ulimit = =1",
                                      "ulimit = core",
                                      "ulimit = CORE=1",
                                      "reserve = 5%%",
                                      "memory-min = 99999999999999999999"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char text[128];
        struct err e = {0};
        _cleanup_policy_ struct policy p = {0};
        (void)snprintf(text, sizeof(text), "[practice \"limits\"]\n%s\n", bad[i]);
        if (parse(text, &p, &e) == 0)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(e.text, "casemate.conf:2: "));
    }
}

/* A line that is longer than the limit is an error, never a shorter value. */
static void test_never_cut(void **state)
{
    (void)state;
    char text[CONF_LINE_MAX + 128];
    struct err e = {0};
    _cleanup_policy_ struct policy p = {0};
    int n = snprintf(text, sizeof(text), "[practice \"isolation\"]\nallow-host-path = /");
    memset(text + n, 'a', CONF_LINE_MAX);
    text[n + CONF_LINE_MAX] = '\0';
    assert_true(parse(text, &p, &e) < 0);
    assert_string_equal(e.text, "casemate.conf:2: the line is longer than 4095 bytes");
}

static void test_grants(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_policy_ struct policy p = {0};
    _cleanup_str_list_ struct str_list names = {0};
    struct policy_rights rights = {0};
    OK(parse("[grant \"postgres\"]\ncapability = @switch-user\n"
             "[grant \"registry.example.org/team/*:1.*\"]\nallow-host-path = /srv/team\n"
             "[grant \"sha256:" HEX64 "\"]\ncapability = KILL\n"
             "[practice \"limits\"]\nallow-unlimited = pids\n",
             &p, &e));
    OK(str_list_add(&names, "docker.io/library/postgres:15", &e));
    OK(policy_collect_rights(&p, &names, &rights, &e));
    assert_int_equal(rights.count, 2); /* the general one and the image's */
    const struct policy_right *right = policy_rights_find(&rights, POLICY_GIVE_CAPABILITY, "@switch-user");
    assert_non_null(right);
    assert_string_equal(right->source, "policy: casemate.conf:2");
    policy_rights_clear(&rights);
    OK(str_list_add(&names, "registry.example.org/team/web:1.4", &e));
    OK(str_list_add(&names, "sha256:" HEX64, &e));
    OK(policy_collect_rights(&p, &names, &rights, &e));
    assert_int_equal(rights.count, 4);
    policy_rights_clear(&rights);
}

static void test_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *name;
        bool matches;
    } cases[] = {
        {"postgres", "docker.io/library/postgres:15", true},
        {"postgres", "docker.io/library/postgres@sha256:" HEX64, true},
        {"postgres:15", "docker.io/library/postgres:15", true},
        {"postgres:15", "docker.io/library/postgres:16", false},
        {"postgres", "docker.io/evil/postgres:15", false},
        {"postgres", "registry.example.org/library/postgres:15", false},
        {"team/*", "docker.io/team/web:1", true},
        {"team/*", "docker.io/team/a/b:1", false},
        {"localhost:5000/*", "localhost:5000/web:1", true},
        {"localhost:5000/*", "localhost:5001/web:1", false},
        {"*", "docker.io/library/anything:1", true},
        {"*", "registry.example.org/x:1", false},
        {"sha256:" HEX64, "sha256:" HEX64, true},
        {"sha256:" HEX64, "docker.io/library/a@sha256:" HEX64, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err e = {0};
        _cleanup_free_ char *expanded = NULL;
        OK(policy_pattern_expand(cases[i].pattern, &expanded, &e));
        if (policy_pattern_matches(expanded, cases[i].name) != cases[i].matches)
            fail_msg("%s against %s", cases[i].pattern, cases[i].name);
    }
}

static void test_registries(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_policy_ struct policy p = {0};
    OK(parse("[registry \"LOCALHOST:5000\"]\nplain-http = yes\n[registry \"r.example.org\"]\nca-file = "
             "/etc/ca.pem\n",
             &p, &e));
    assert_true(policy_registry_find(&p, "localhost:5000")->plain_http);
    assert_string_equal(policy_registry_find(&p, "r.example.org")->ca_file, "/etc/ca.pem");
    assert_null(policy_registry_find(&p, "example.org"));
    refused("[registry \"r.example.org\"]\nplain-http = yes\n",
            "casemate.conf:2: plain-http: plain HTTP is for registries on the loopback interface only; use "
            "ca-file for your own CA");
    refused("[registry \"a.example.org\"]\n[registry \"a.example.org\"]\n",
            "casemate.conf:2: there are two sections for this registry");
}

static void test_shares(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_policy_ struct policy p = {0};
    OK(policy_init(&p, &e));
    const struct policy_share half = {50, true};
    const struct policy_share fixed = {7, false};
    assert_int_equal(policy_share_of(&half, 1001), 500);
    assert_int_equal(policy_share_of(&half, UINT64_MAX), UINT64_MAX / 2);
    assert_int_equal(policy_share_of(&fixed, 1001), 7);
    p.machine.memory = 16384 * MIB;
    assert_int_equal(policy_total_memory(&p), p.machine.memory - p.machine.memory / 10);
    p.machine.memory = 2048 * MIB;
    assert_int_equal(policy_total_memory(&p), 1536 * MIB);
    p.machine.memory = 600 * MIB; /* less than twice the reserve */
    assert_int_equal(policy_total_memory(&p), 300 * MIB);
}

/* Files on the disk */

struct files {
    char dir[32];
    char conf[64];
};

static void write_file(const char *path, const char *text, mode_t mode)
{
    struct err e = {0};
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    OK(io_write_all(fd, text, strlen(text), &e));
    OK(fchmod(fd, mode));
    close(fd);
}

static void files_make(struct files *f)
{
    strcpy(f->dir, "/tmp/test-policy-XXXXXX"); // NOLINT: the constant fits
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->conf, sizeof(f->conf), "%s/casemate.conf", f->dir);
    OK(setenv("CASEMATE_CONF", f->conf, 1));
}

static void files_remove(const struct files *f)
{
    static const char *const names[] = {"casemate.conf",
                                        "conf.d/10-a.conf",
                                        "conf.d/20-b.conf",
                                        "conf.d/.c.conf",
                                        "conf.d/d.bak",
                                        "conf.d",
                                        ""};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
        (void)remove(path);
    }
    OK(unsetenv("CASEMATE_CONF"));
}

static void load_fails(const char *says)
{
    struct err e = {0};
    _cleanup_policy_ struct policy p = {0};
    assert_true(policy_load(&p, &e) < 0);
    if (!strstr(e.text, says))
        fail_msg("'%s' does not say '%s'", e.text, says);
}

static void test_trusted_files(void **state)
{
    (void)state;
    struct files f;
    struct err e = {0};
    if (geteuid() != 0)
        skip();
    files_make(&f);
    {
        _cleanup_policy_ struct policy p = {0};
        OK(policy_load(&p, &e)); /* absent: the defaults */
        assert_int_equal(p.pids, 512);
    }
    write_file(f.conf, "[practice \"limits\"]\npids = 7\n", 0644);
    {
        _cleanup_policy_ struct policy p = {0};
        OK(policy_load(&p, &e));
        assert_int_equal(p.pids, 7);
    }
    OK(chmod(f.conf, 0664));
    load_fails("may be written by others than root (chmod go-w)");
    OK(chmod(f.conf, 0644));
    OK(chown(f.conf, 1000, 0));
    load_fails("belongs to user 1000 (make it root's: chown root:root)");
    OK(unlink(f.conf));
    OK(mkdir(f.conf, 0755));
    load_fails("is not a regular file");
    files_remove(&f);
}

static void test_drop_ins(void **state)
{
    (void)state;
    struct files f;
    struct err e = {0};
    char path[96];
    if (geteuid() != 0)
        skip();
    files_make(&f);
    write_file(f.conf, "[practice \"limits\"]\npids = 7\n", 0644);
    (void)snprintf(path, sizeof(path), "%s/conf.d", f.dir);
    OK(mkdir(path, 0755));
    (void)snprintf(path, sizeof(path), "%s/conf.d/20-b.conf", f.dir);
    write_file(path, "[practice \"limits\"]\npids = 9\nallow-unlimited = pids\n", 0644);
    (void)snprintf(path, sizeof(path), "%s/conf.d/10-a.conf", f.dir);
    write_file(path, "[practice \"limits\"]\npids = 8\n", 0644);
    (void)snprintf(path, sizeof(path), "%s/conf.d/.c.conf", f.dir);
    write_file(path, "nonsense", 0644);
    (void)snprintf(path, sizeof(path), "%s/conf.d/d.bak", f.dir);
    write_file(path, "nonsense", 0644);
    {
        _cleanup_policy_ struct policy p = {0};
        OK(policy_load(&p, &e));
        assert_int_equal(p.pids, 9);
        assert_string_equal(policy_rights_find(&p.rights, POLICY_ALLOW_UNLIMITED, "pids")->source,
                            "policy: 20-b.conf:3");
    }
    (void)snprintf(path, sizeof(path), "%s/conf.d", f.dir);
    OK(chmod(path, 0777));
    load_fails("must belong to root and be writable by nobody else");
    files_remove(&f);
}

/* The shipped file, with every `#key = value` line taken in, is understood; as it stands it changes nothing. */
static void test_shipped(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_buf_ struct buf text = {0};
    _cleanup_policy_ struct policy p = {0};
    _cleanup_policy_ struct policy all = {0};
    OK(io_read_path(POLICY_DATA "/casemate.conf", CONF_FILE_MAX, &text, &e));
    OK(policy_parse("casemate.conf", text.data, text.length, &p, &e));
    assert_int_equal(p.rights.count + p.grant_count + p.registry_count, 0);
    for (char *s = text.data; s; s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL)
        if (s[0] == '#' && s[1] != ' ')
            s[0] = ' ';
    if (policy_parse("casemate.conf", text.data, text.length, &all, &e) < 0)
        fail_msg("%s", e.text);
    assert_true(all.memory.percent == p.memory.percent && all.memory.value == p.memory.value);
    assert_int_equal(all.memory_min, p.memory_min);
    assert_int_equal(all.cpus.value, p.cpus.value);
    assert_int_equal(all.pids, p.pids);
    assert_int_equal(all.shm_size, p.shm_size);
    assert_int_equal(all.tmpfs_size.value, p.tmpfs_size.value);
    assert_int_equal(all.disk, p.disk);
    assert_int_equal(all.disk_inodes, p.disk_inodes);
    assert_int_equal(all.volume_disk.value, p.volume_disk.value);
    assert_int_equal(all.volume_inodes.value, p.volume_inodes.value);
    assert_int_equal(all.reserve.value, p.reserve.value);
    assert_int_equal(all.reserve_min, p.reserve_min);
    assert_memory_equal(all.ulimits, p.ulimits, sizeof(p.ulimits));
    assert_int_equal(all.profile, p.profile);
    assert_int_equal(all.least, p.least);
    assert_true(all.known_images == p.known_images && all.allow_root == p.allow_root &&
                all.read_only == p.read_only && all.copy_in == p.copy_in && all.copy_out == p.copy_out);
}

/* Each key stands in the shipped file, commented out, and in the manual. */
static void test_documented(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_buf_ struct buf shipped = {0};
    _cleanup_buf_ struct buf manual = {0};
    const char *key;
    OK(io_read_path(POLICY_DATA "/casemate.conf", CONF_FILE_MAX, &shipped, &e));
    OK(io_read_path(POLICY_DATA "/../docs/man/casemate.conf.5.scd", CONF_FILE_MAX, &manual, &e));
    for (size_t i = 0; (key = policy_key_name(i)); i++) {
        char line[64];
        char bold[64];
        (void)snprintf(line, sizeof(line), "\n#%s = ", key);
        (void)snprintf(bold, sizeof(bold), "*%s*", key);
        if (!strstr(shipped.data, line) || !strstr(manual.data, bold))
            fail_msg("%s is not documented", key);
    }
}

static void test_known_images(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_str_list_ struct str_list names = {0};
    struct policy_rights rights = {0};
    if (geteuid() != 0)
        skip();
    OK(setenv("CASEMATE_DATADIR", POLICY_DATA, 1));
    OK(str_list_add(&names, "docker.io/library/postgres:15", &e));
    if (policy_collect_known_images(&names, &rights, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(rights.count, 1);
    assert_string_equal(rights.items[0].value, "@switch-user");
    assert_string_equal(rights.items[0].source, "known image docker.io/library/postgres");
    policy_rights_clear(&rights);
    OK(unsetenv("CASEMATE_DATADIR"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),   cmocka_unit_test(test_keys),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_numbers_refused),
        cmocka_unit_test(test_never_cut),  cmocka_unit_test(test_grants),
        cmocka_unit_test(test_patterns),   cmocka_unit_test(test_registries),
        cmocka_unit_test(test_shares),     cmocka_unit_test(test_trusted_files),
        cmocka_unit_test(test_drop_ins),   cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_documented), cmocka_unit_test(test_known_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
