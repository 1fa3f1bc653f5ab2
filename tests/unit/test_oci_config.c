/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json: each field of the tables with every kind of wrong value gives an error that names it; what must fit together; what is
 * ignored. The first part walks the tables themselves, so a field that is added is tested.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/json.h"
#include "oci/config_tables.h"

#define OK(call) assert_int_equal(call, 0)
#define NAME_MAX_TEST 256

/* ---- every field, generated ---- */

static struct json_object *good(const struct schema *f);

static struct json_object *good_structure(const struct schema *fields)
{
    struct json_object *o = json_object_new_object();
    for (const struct schema *f = fields; f->name; f++)
        if (f->rules & SCHEMA_REQUIRED)
            json_object_object_add(o, f->name, good(f));
    return o;
}

static struct json_object *list_of(struct json_object *item)
{
    struct json_object *list = json_object_new_array();
    json_object_array_add(list, item);
    return list;
}

static struct json_object *map_of(struct json_object *item)
{
    struct json_object *map = json_object_new_object();
    json_object_object_add(map, "key", item);
    return map;
}

static struct json_object *good(const struct schema *f)
{
    switch (f->kind) {
    case SCHEMA_STRING:
        return json_object_new_string("/x");
    case SCHEMA_BOOL:
        return json_object_new_boolean(true);
    case SCHEMA_NUMBER:
        return json_object_new_int64(f->max);
    case SCHEMA_OBJECT:
        return good_structure(f->fields);
    case SCHEMA_LIST:
        return list_of(good_structure(f->fields));
    case SCHEMA_STRINGS:
        return list_of(json_object_new_string("/x"));
    case SCHEMA_NUMBERS:
        return list_of(json_object_new_int64(f->max));
    case SCHEMA_MAP:
        return map_of(f->fields ? good_structure(f->fields) : json_object_new_string("x"));
    case SCHEMA_CHOICE:
        return json_object_new_string(f->choices->name);
    case SCHEMA_FLAGS:
        return list_of(json_object_new_string(f->choices->name));
    case SCHEMA_JSON:
        return json_object_new_object();
    }
    return NULL;
}

/* Where a field is: the structures around it, outermost first. */
struct chain {
    const struct schema *fields[8];  /* table of each structure */
    const struct schema *through[8]; /* the field of it that leads further in */
    size_t depth;
    char name[NAME_MAX_TEST];
};

/* The document in which `value` (taken; NULL: nothing) stands for field f at the end of the chain. */
static struct json_object *document(const struct chain *c, const struct schema *f, struct json_object *value)
{
    struct json_object *inner = good_structure(c->fields[c->depth - 1]);
    json_object_object_del(inner, f->name);
    if (value)
        json_object_object_add(inner, f->name, value);
    for (size_t i = c->depth - 1; i > 0; i--) {
        struct json_object *outer = good_structure(c->fields[i - 1]);
        enum schema_kind kind = c->through[i - 1]->kind;
        if (kind == SCHEMA_LIST)
            inner = list_of(inner);
        else if (kind == SCHEMA_MAP)
            inner = map_of(inner);
        json_object_object_add(outer, c->through[i - 1]->name, inner);
        inner = outer;
    }
    return inner;
}

static int read_tree(struct json_object *tree, struct err *e)
{
    struct oci_config c = {0};
    int r = schema_read(oci_config_fields, tree, "", &c, e);
    schema_clear(oci_config_fields, &c);
    return r;
}

/* The value (taken) must be refused with the field's name; `inside` is what the name goes on with. */
static void refused(const struct chain *c, const struct schema *f, struct json_object *value,
                    const char *inside)
{
    char name[NAME_MAX_TEST + 32];
    struct err e = {0};
    struct json_object *tree = document(c, f, value);
    (void)snprintf(name, sizeof(name), "%s%s%s%s: ", c->name, *c->name ? "." : "", f->name, inside);
    assert_int_equal(read_tree(tree, &e), -EINVAL);
    if (strncmp(e.text, name, strlen(name)) != 0)
        fail_msg("expected an error about '%s', not '%s'", name, e.text);
    json_object_put(tree);
}

static void accepted(const struct chain *c, const struct schema *f, struct json_object *value)
{
    struct err e = {0};
    struct json_object *tree = document(c, f, value);
    if (read_tree(tree, &e) < 0)
        fail_msg("%s.%s: %s", c->name, f->name, e.text);
    json_object_put(tree);
}

static struct json_object *with_nul(void)
{
    return json_object_new_string_len("/a\0b", 4);
}

static void try_numbers(const struct chain *c, const struct schema *f)
{
    refused(c, f, json_object_new_string("1"), "");
    refused(c, f, json_object_new_double(1.5), "");
    refused(c, f, json_object_new_boolean(true), "");
    if (f->min > INT64_MIN)
        refused(c, f, json_object_new_int64(f->min - 1), "");
    if (f->max < INT64_MAX) {
        refused(c, f, json_object_new_int64(f->max + 1), "");
        refused(c, f, json_object_new_uint64(UINT64_MAX), "");
    }
    accepted(c, f, json_object_new_int64(f->min));
}

static void try_strings(const struct chain *c, const struct schema *f)
{
    refused(c, f, json_object_new_int(5), "");
    refused(c, f, json_object_new_object(), "");
    refused(c, f, with_nul(), "");
    if (f->rules & SCHEMA_NOT_EMPTY)
        refused(c, f, json_object_new_string(""), "");
    if (f->rules & SCHEMA_ABSOLUTE)
        refused(c, f, json_object_new_string("x/y"), "");
}

static void try_lists(const struct chain *c, const struct schema *f)
{
    struct json_object *many = json_object_new_array();
    refused(c, f, json_object_new_object(), "");
    refused(c, f, json_object_new_string("x"), "");
    refused(c, f, list_of(f->kind == SCHEMA_NUMBERS ? json_object_new_string("1") : json_object_new_int(1)),
            "[0]");
    refused(c, f, list_of(NULL), "[0]");
    if (f->kind == SCHEMA_FLAGS) {
        refused(c, f, list_of(json_object_new_string("no-such-word")), "[0]");
        json_object_put(many);
        return;
    }
    if (f->kind == SCHEMA_STRINGS)
        refused(c, f, list_of(with_nul()), "[0]");
    for (size_t i = 0; i <= SCHEMA_ITEMS_MAX; i++)
        json_object_array_add(many, f->kind == SCHEMA_NUMBERS   ? json_object_new_int64(f->max)
                                    : f->kind == SCHEMA_STRINGS ? json_object_new_string("/x")
                                                                : good_structure(f->fields));
    refused(c, f, many, "");
}

static void walk(struct chain *c);

static void walk_into(struct chain *c, const struct schema *f)
{
    struct chain deeper = *c;
    int n = snprintf(deeper.name, sizeof(deeper.name), "%s%s%s%s", c->name, *c->name ? "." : "", f->name,
                     f->kind == SCHEMA_LIST  ? "[0]"
                     : f->kind == SCHEMA_MAP ? ".key"
                                             : "");
    assert_true(n > 0 && (size_t)n < sizeof(deeper.name));
    deeper.through[c->depth - 1] = f;
    deeper.fields[deeper.depth++] = f->fields;
    walk(&deeper);
}

/* linux.seccomp is read twice: field by field, and kept as it is written. */
static bool is_second_view(const struct schema *fields, const struct schema *f)
{
    while (fields < f && strcmp(fields->name, f->name) != 0)
        fields++;
    return fields < f;
}

static void walk(struct chain *c)
{
    for (const struct schema *f = c->fields[c->depth - 1]; f->name; f++) {
        if (is_second_view(c->fields[c->depth - 1], f))
            continue;
        accepted(c, f, good(f));
        if (f->rules & SCHEMA_REQUIRED) {
            refused(c, f, NULL, "");
        } else {
            accepted(c, f, NULL);
        }
        switch (f->kind) {
        case SCHEMA_NUMBER:
            try_numbers(c, f);
            break;
        case SCHEMA_CHOICE:
            refused(c, f, json_object_new_string("no-such-word"), "");
            refused(c, f, json_object_new_int(0), "");
            break;
        case SCHEMA_STRING:
            try_strings(c, f);
            break;
        case SCHEMA_BOOL:
            refused(c, f, json_object_new_string("true"), "");
            refused(c, f, json_object_new_int(1), "");
            break;
        case SCHEMA_LIST:
        case SCHEMA_STRINGS:
        case SCHEMA_NUMBERS:
        case SCHEMA_FLAGS:
            try_lists(c, f);
            break;
        case SCHEMA_OBJECT:
        case SCHEMA_MAP:
        case SCHEMA_JSON:
            refused(c, f, json_object_new_array(), "");
            refused(c, f, json_object_new_string("{}"), "");
            break;
        }
        if (f->fields)
            walk_into(c, f);
    }
}

static void every_field_with_every_wrong_value(void **state)
{
    (void)state;
    struct chain top = {.fields = {oci_config_fields}, .depth = 1};
    walk(&top);
}

/* ---- whole documents ---- */

#define BASE                                                                            \
    "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},\"process\":{\"cwd\":\"/" \
    "\",\"args\":[\"sh\"]%s},"                                                          \
    "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"}%s]%s}%s}"

static int read_text(const char *process, const char *namespaces, const char *linux_part, const char *top,
                     struct oci_config *c, struct err *e)
{
    char text[4096];
    int n = snprintf(text, sizeof(text), BASE, process, namespaces, linux_part, top);
    assert_true(n > 0 && (size_t)n < sizeof(text));
    return oci_config_read(text, (size_t)n, c, e);
}

struct pair_case {
    const char *process, *namespaces, *linux_part, *top;
    int result;
    const char *says; /* how the error begins */
};

static const struct pair_case pairs[] = {
    {"", "", "", "", 0, NULL},
    {"", "", "", ",\"unknown\":{\"a\":[1]}", 0, NULL},
    {"", ",{\"type\":\"pid\"}", "", "", -EINVAL, "linux.namespaces[2].type: pid occurs twice"},
    {"", ",{\"type\":\"network\",\"path\":\"x\"}", "", "", -EINVAL, "linux.namespaces[2].path: "},
    {"", "", "", ",\"hostname\":\"h\"", -EINVAL, "hostname: needs a namespace of the type uts"},
    {"", ",{\"type\":\"uts\"}", "", ",\"hostname\":\"h\"", 0, NULL},
    {"", "", "", ",\"domainname\":\"h\"", -EINVAL, "domainname: "},
    {"", "", ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":1}]", "", -EINVAL,
     "linux.uidMappings: needs a namespace of the type user"},
    {"", ",{\"type\":\"user\"}", "", "", -EINVAL, "linux.uidMappings: is missing"},
    {"", ",{\"type\":\"user\"}", ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":1}]", "",
     -EINVAL, "linux.gidMappings: is missing"},
    {"", ",{\"type\":\"user\",\"path\":\"/proc/1/ns/user\"}", "", "", 0, NULL},
    {"", "", ",\"timeOffsets\":{\"boottime\":{\"secs\":1}}", "", -EINVAL, "linux.timeOffsets: needs"},
    {"", ",{\"type\":\"time\"}", ",\"timeOffsets\":{\"realtime\":{\"secs\":1}}", "", -EINVAL,
     "linux.timeOffsets.realtime: "},
    {"", ",{\"type\":\"time\"}", ",\"timeOffsets\":{\"boottime\":{\"secs\":-1}}", "", 0, NULL},
    {"", "", ",\"sysctl\":{\"kernel.core_pattern\":\"|/x\"}", "", -EINVAL,
     "linux.sysctl: \"kernel.core_pattern\""},
    {"", "", ",\"sysctl\":{\"net.core.somaxconn\":\"9\"}", "", -EINVAL,
     "linux.sysctl: \"net.core.somaxconn\""},
    {"", ",{\"type\":\"network\"}", ",\"sysctl\":{\"net/core/somaxconn\":\"9\"}", "", 0, NULL},
    {"", ",{\"type\":\"network\"}", ",\"sysctl\":{\"net.ipv4/../../kernel/core_pattern\":\"9\"}", "", -EINVAL,
     "linux.sysctl: "},
    {"", ",{\"type\":\"ipc\"}", ",\"sysctl\":{\"kernel.shmmax\":\"9\",\"fs.mqueue.msg_max\":\"9\"}", "", 0,
     NULL},
    {"", "", ",\"intelRdt\":{}", "", -ENOTSUP, "linux.intelRdt: "},
    {"", "", ",\"memoryPolicy\":{}", "", -ENOTSUP, "linux.memoryPolicy: "},
    {"", ",{\"type\":\"network\"}", ",\"netDevices\":{\"et h0\":{}}", "", -EINVAL, "linux.netDevices: "},
    {"", "", ",\"netDevices\":{\"eth0\":{}}", "", -EINVAL, "linux.netDevices: needs a namespace"},
    {"", "", ",\"personality\":{\"domain\":\"LINUX32\",\"flags\":[\"x\"]}", "", -ENOTSUP,
     "linux.personality.flags: "},
    {"", "", ",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerMetadata\":\"x\"}", "", -EINVAL,
     "linux.seccomp.listenerMetadata: "},
    {"", "", ",\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1}]", "", -EINVAL,
     "linux.devices[0].minor: is missing"},
    {"", "", ",\"devices\":[{\"path\":\"/dev/x\",\"type\":\"p\"}]", "", 0, NULL},
    {"", "", ",\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwx\"}]}", "", -EINVAL,
     "linux.resources.devices[0].access: "},
    {"", "", ",\"resources\":{\"devices\":[{\"allow\":false,\"type\":\"cb\"}]}", "", -EINVAL,
     "linux.resources.devices[0].type: "},
    {",\"env\":[\"A=1\",\"B\"]", "", "", "", -EINVAL, "process.env[1]: \"B\" is not NAME=VALUE"},
    {",\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":2,\"hard\":1}]", "", "", "", -EINVAL,
     "process.rlimits[0].soft: "},
    {",\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":1,\"hard\":1},{\"type\":\"RLIMIT_CORE\",\"soft\":1,"
     "\"hard\":1}]",
     "", "", "", -EINVAL, "process.rlimits[1].type: RLIMIT_CORE occurs twice"},
    {",\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"runtime\":5}", "", "", "", -EINVAL, "process.scheduler: "},
    {",\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"priority\":5}", "", "", "", -EINVAL,
     "process.scheduler.priority: "},
    {",\"scheduler\":{\"policy\":\"SCHED_RR\",\"nice\":5}", "", "", "", -EINVAL, "process.scheduler.nice: "},
    {",\"scheduler\":{\"policy\":\"SCHED_RR\",\"priority\":5}", "", "", "", 0, NULL},
    {"", "", "",
     ",\"mounts\":[{\"destination\":\"/x\",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]}]",
     -EINVAL, "mounts[0]: uidMappings and gidMappings"},
};

static void members_that_must_fit_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        const struct pair_case *p = &pairs[i];
        struct err e = {0};
        _cleanup_oci_config_ struct oci_config c = {0};
        int r = read_text(p->process, p->namespaces, p->linux_part, p->top, &c, &e);
        if (r != p->result || (p->says && strncmp(e.text, p->says, strlen(p->says)) != 0))
            fail_msg("case %zu: %d '%s', expected %d '%s'", i, r, e.text, p->result, p->says ? p->says : "");
    }
}

static void versions_of_the_specification(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        bool known;
    } versions[] = {{"1.0.0", true},  {"1.0.2-dev", true}, {"1.3.0", true}, {"0.5.0", false},
                    {"2.0.0", false}, {"1.", false},       {"1.x", false},  {"one", false}};
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        char text[256];
        struct err e = {0};
        _cleanup_oci_config_ struct oci_config c = {0};
        int n = snprintf(text, sizeof(text), "{\"ociVersion\":\"%s\",\"root\":{\"path\":\"r\"}}",
                         versions[i].version);
        assert_int_equal(oci_config_read(text, (size_t)n, &c, &e), versions[i].known ? 0 : -ENOTSUP);
    }
}

static void what_is_read_is_what_was_written(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_oci_config_ struct oci_config c = {0};
    OK(read_text(
        ",\"terminal\":true,\"user\":{\"uid\":7,\"gid\":8,\"umask\":18,\"additionalGids\":[9,10]},\"env\":["
        "\"A=1\"],"
        "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":5,\"hard\":18446744073709551615}],\"oomScoreAdj\":"
        "-5",
        ",{\"type\":\"user\"},{\"type\":\"time\",\"path\":\"/t\"}",
        ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":2}],\"gidMappings\":[{\"containerID\":"
        "0,"
        "\"hostID\":1000,\"size\":2}],\"rootfsPropagation\":\"rslave\",\"devices\":[{\"path\":\"/dev/"
        "f\",\"type\":\"b\","
        "\"major\":8,\"minor\":1,\"fileMode\":384}],\"resources\":{\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3}},"
        "\"unified\":{\"memory.high\":\"5\"},\"cpu\":{\"shares\":18446744073709551615,\"quota\":-1}}",
        ",\"annotations\":{\"k\":\"v\"},\"hooks\":{\"poststop\":[{\"path\":\"/bin/h\",\"timeout\":3}]}", &c,
        &e));
    assert_true(c.process.terminal && c.process.user.uid.value == 7 && c.process.user.umask.value == 18);
    assert_int_equal(c.process.user.additional_gids.count, 2);
    assert_int_equal(*OCI_ITEM(&c.process.user.additional_gids, int64_t, 1), 10);
    assert_string_equal(*OCI_ITEM(&c.process.env, char *, 0), "A=1");
    const struct oci_rlimit *l = OCI_ITEM(&c.process.rlimits, struct oci_rlimit, 0);
    assert_true(l->type == RLIMIT_NOFILE && l->soft.value == 5 && l->hard.value == INT64_MAX);
    assert_true(c.process.oom_score_adj.set && c.process.oom_score_adj.value == -5);
    assert_string_equal(oci_config_namespace(&c, CLONE_NEWTIME)->path, "/t");
    assert_null(oci_config_namespace(&c, CLONE_NEWNET));
    assert_int_equal(c.linux_part.rootfs_propagation, MS_SLAVE | MS_REC);
    const struct oci_device *d = OCI_ITEM(&c.linux_part.devices, struct oci_device, 0);
    assert_true(d->type == S_IFBLK && d->file_mode.value == 0600 && !d->uid.set);
    assert_string_equal(OCI_ITEM(&c.linux_part.resources.rdma, struct oci_rdma, 0)->key, "mlx5_1");
    assert_false(OCI_ITEM(&c.linux_part.resources.rdma, struct oci_rdma, 0)->objects.set);
    assert_string_equal(OCI_ITEM(&c.linux_part.resources.unified, struct oci_pair, 0)->value, "5");
    assert_int_equal(c.linux_part.resources.cpu.quota.value, -1);
    assert_int_equal(c.linux_part.resources.cpu.shares.value, INT64_MAX);
    assert_false(c.linux_part.resources.memory.set);
    assert_string_equal(oci_config_annotation(&c, "k"), "v");
    assert_null(oci_config_annotation(&c, "v"));
    assert_int_equal(OCI_ITEM(&c.hooks.poststop, struct oci_hook, 0)->timeout.value, 3);
}

static void broken_documents(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "null",
                                        "[]",
                                        "5",
                                        "{",
                                        "{}",
                                        "{\"ociVersion\":5}",
                                        "{\"ociVersion\":null}",
                                        "{\"ociVersion\":\"1.0.0\"}",
                                        "{\"ociVersion\":\"1.0.0\",\"root\":{}}"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct err e = {0};
        struct oci_config c = {0};
        assert_true(oci_config_read(texts[i], strlen(texts[i]), &c, &e) < 0);
        assert_true(*e.text && !c.document);
    }
}

/* Ten megabytes in one string, and far too many items in a list. */
static void huge_documents(void **state)
{
    (void)state;
    const size_t size = 10U << 20;
    const size_t list_size = 1U << 16;
    const size_t room = size + 256;
    char *text = malloc(room);
    assert_non_null(text);
    struct err e = {0};
    struct oci_config c = {0};
    size_t n = (size_t)snprintf(text, room, "{\"ociVersion\":\"");
    memset(text + n, 'x', size);
    (void)snprintf(text + n + size, room - n - size, "\",\"root\":{\"path\":\"r\"}}");
    assert_int_equal(oci_config_read(text, strlen(text), &c, &e), -ENOTSUP);
    assert_true(str_after(e.text, "ociVersion: ") != NULL);

    n = (size_t)snprintf(text, room, "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"mounts\":[");
    for (; n < list_size; n += 3)
        memcpy(text + n, "{},", 3);
    (void)snprintf(text + n, room - n, "{}]}");
    e = (struct err){0};
    assert_int_equal(oci_config_read(text, strlen(text), &c, &e), -EINVAL);
    assert_string_equal(e.text, "mounts: has more than 4096 items");
    text[n + 2] = ','; /* and on, up to ten megabytes: memory for all these objects is never asked for */
    for (n += 3; n < size; n += 3)
        memcpy(text + n, "{},", 3);
    (void)snprintf(text + n, room - n, "{}]}");
    e = (struct err){0};
    assert_int_equal(oci_config_read(text, strlen(text), &c, &e), -E2BIG);
    assert_true(str_after(e.text, "JSON: more than 65536 objects and arrays") != NULL);
    e = (struct err){0};
    assert_int_equal(oci_config_read(text, OCI_CONFIG_MAX + 1, &c, &e), -EFBIG);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_with_every_wrong_value),
        cmocka_unit_test(members_that_must_fit_together),
        cmocka_unit_test(versions_of_the_specification),
        cmocka_unit_test(what_is_read_is_what_was_written),
        cmocka_unit_test(broken_documents),
        cmocka_unit_test(huge_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
