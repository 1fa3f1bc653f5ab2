/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules (cgroup.h): on v1 lines for the devices controller, in order; on v2 one program that asks the rules from the last to the
 * first, because a later rule wins (BPF_PROG_TYPE_CGROUP_DEVICE, bpf(2)).
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "oci/cgroup.h"
#include "oci/rootless.h"

#define RULE_LENGTH 8 /* most instructions of one rule */
#define ENDS 8        /* around all rules */
#define ANY (-1)
#define ALL_ACCESS (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)

struct rule {
    bool allow;
    char type;                          /* 'a', 'b', 'c' */
    int64_t major_number, minor_number; /* ANY */
    uint32_t access;
};

/* What a container always has, whatever the rules before said: config-linux.md, "Default Devices", pseudo terminals, and making nodes,
 * which the mount options of its file systems make harmless. */
static const struct rule always[] = {
    {true, 'c', ANY, ANY, BPF_DEVCG_ACC_MKNOD},
    {true, 'b', ANY, ANY, BPF_DEVCG_ACC_MKNOD},
    {true, 'c', 1, 3, ALL_ACCESS},
    {true, 'c', 1, 8, ALL_ACCESS},
    {true, 'c', 1, 7, ALL_ACCESS},
    {true, 'c', 5, 0, ALL_ACCESS},
    {true, 'c', 1, 5, ALL_ACCESS},
    {true, 'c', 1, 9, ALL_ACCESS},
    {true, 'c', 136, ANY, ALL_ACCESS},
    {true, 'c', 5, 2, ALL_ACCESS},
};

static int64_t number_of(const struct schema_number *n)
{
    return n->set ? n->value : ANY;
}

static struct rule rule_of(const struct oci_device_rule *d)
{
    const char *access = str_set(d->access) ? d->access : "rwm";
    return (struct rule){
        .allow = d->allow,
        .type = str_set(d->type) ? *d->type : 'a',
        .major_number = number_of(&d->major),
        .minor_number = number_of(&d->minor),
        .access = (strchr(access, 'r') ? (uint32_t)BPF_DEVCG_ACC_READ : 0) |
                  (strchr(access, 'w') ? (uint32_t)BPF_DEVCG_ACC_WRITE : 0) |
                  (strchr(access, 'm') ? (uint32_t)BPF_DEVCG_ACC_MKNOD : 0),
    };
}

/* ---- v1 ---- */

static void number_text(int64_t number, char *ret, size_t size)
{
    if (number == ANY)
        (void)snprintf(ret, size, "*");
    else
        (void)snprintf(ret, size, "%" PRId64, number);
}

static int write_v1(int dir, const struct rule *rule, struct err *e)
{
    char major_text[24], minor_text[24];
    const char *file = rule->allow ? "devices.allow" : "devices.deny";
    if (rule->type == 'a') /* the controller knows "a" for everything only */
        return io_write_existing_at(dir, file, "a", e);
    number_text(rule->major_number, major_text, sizeof(major_text));
    number_text(rule->minor_number, minor_text, sizeof(minor_text));
    return io_write_existingf_at(dir, file, e, "%c %s:%s %s%s%s", rule->type, major_text, minor_text,
                                 rule->access & BPF_DEVCG_ACC_READ ? "r" : "",
                                 rule->access & BPF_DEVCG_ACC_WRITE ? "w" : "",
                                 rule->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
}

/* ---- v2 ---- */

struct program {
    uint64_t *code;
    size_t length;
};

/* struct bpf_insn as x86-64 and arm64 have it, without bit fields. */
static void add(struct program *p, uint8_t code, uint8_t to, uint8_t from, int16_t offset, uint32_t value)
{
    p->code[p->length++] = (uint64_t)code | (uint64_t)to << 8 | (uint64_t)from << 12 |
                           (uint64_t)(uint16_t)offset << 16 | (uint64_t)value << 32;
}

static void add_end(struct program *p, bool allow)
{
    add(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, allow);
    add(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Registers: 2 type, 3 access, 4 major, 5 minor (struct bpf_cgroup_dev_ctx). */
static void add_beginning(struct program *p)
{
    add(p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1, 0, 0);
    add(p, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0);
    add(p, BPF_ALU | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
    add(p, BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
    add(p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_4, BPF_REG_1, 4, 0);
    add(p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_5, BPF_REG_1, 8, 0);
}

/* An allow rule decides when it covers all that is asked, a deny rule when it covers some of it; else the next one is asked. */
static void add_rule(struct program *p, const struct rule *rule)
{
    size_t length = (rule->type != 'a') + (rule->major_number != ANY) + (rule->minor_number != ANY) + 3 + 2;
    size_t end = p->length + length;
#define TO_END ((int16_t)(end - p->length - 1))
    if (rule->type != 'a')
        add(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, TO_END,
            rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    if (rule->major_number != ANY)
        add(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_4, 0, TO_END, (uint32_t)rule->major_number);
    if (rule->minor_number != ANY)
        add(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_5, 0, TO_END, (uint32_t)rule->minor_number);
    add(p, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0);
    add(p, BPF_ALU | BPF_AND | BPF_K, BPF_REG_1, 0, 0, rule->allow ? ~rule->access : rule->access);
    add(p, BPF_JMP | (rule->allow ? BPF_JNE : BPF_JEQ) | BPF_K, BPF_REG_1, 0, TO_END, 0);
#undef TO_END
    add_end(p, rule->allow);
}

static int load(const struct program *p, struct err *e)
{
    union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
                           .insns = (uint64_t)(uintptr_t)p->code,
                           .insn_cnt = (uint32_t)p->length,
                           .license = (uint64_t)(uintptr_t) "Apache-2.0"};
    int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
    return fd < 0 ? err_errno(e, "load the program that judges devices") : fd;
}

/* In the place of the program that an earlier call has attached. */
static int attach(int dir, int program, struct err *e)
{
    uint32_t ids[16];
    union bpf_attr asked = {0};
    asked.query.target_fd = (uint32_t)dir;
    asked.query.attach_type = BPF_CGROUP_DEVICE;
    asked.query.prog_ids = (uint64_t)(uintptr_t)ids;
    asked.query.prog_cnt = ARRAY_SIZE(ids);
    uint32_t before = syscall(SYS_bpf, BPF_PROG_QUERY, &asked, sizeof(asked)) < 0 ? 0 : asked.query.prog_cnt;
    union bpf_attr attr = {.target_fd = (uint32_t)dir,
                           .attach_bpf_fd = (uint32_t)program,
                           .attach_type = BPF_CGROUP_DEVICE,
                           .attach_flags = BPF_F_ALLOW_MULTI};
    if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) < 0)
        return err_errno(e, "attach the program that judges devices");
    for (uint32_t i = 0; i < before && i < ARRAY_SIZE(ids); i++) {
        union bpf_attr by_id = {.prog_id = ids[i]};
        _cleanup_close_ int old = (int)syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &by_id, sizeof(by_id));
        union bpf_attr detach = {
            .target_fd = (uint32_t)dir, .attach_bpf_fd = (uint32_t)old, .attach_type = BPF_CGROUP_DEVICE};
        if (old >= 0)
            (void)syscall(SYS_bpf, BPF_PROG_DETACH, &detach, sizeof(detach));
    }
    return 0;
}

static int set_v2(int dir, const struct schema_list *rules, struct err *e)
{
    size_t count = rules->count + ARRAY_SIZE(always);
    struct program p = {.code = calloc(ENDS + RULE_LENGTH * count, sizeof(uint64_t))};
    _cleanup_free_ void *code = p.code;
    if (!code)
        return err_oom(e);
    add_beginning(&p);
    for (size_t i = 0; i < ARRAY_SIZE(always); i++)
        add_rule(&p, &always[i]);
    for (size_t i = rules->count; i > 0; i--) {
        const struct rule rule = rule_of(OCI_ITEM(rules, struct oci_device_rule, i - 1));
        add_rule(&p, &rule);
    }
    add_end(&p, true); /* what no rule speaks of is as if there were no controller */
    _cleanup_close_ int program = load(&p, e);
    return program < 0 ? program : attach(dir, program, e);
}

static int set_v1(int dir, const struct schema_list *rules, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < rules->count && r == 0 && dir >= 0; i++) {
        const struct rule rule = rule_of(OCI_ITEM(rules, struct oci_device_rule, i));
        r = write_v1(dir, &rule, e);
    }
    for (size_t i = 0; i < ARRAY_SIZE(always) && r == 0 && dir >= 0; i++)
        r = write_v1(dir, &always[i], e);
    return r;
}

int oci_cgroup_set_devices(const struct oci_cgroup *g, const struct schema_list *rules, struct err *e)
{
    int unified = oci_cgroup_unified(g);
    if (rules->count == 0)
        return 0;
    int r =
        g->v2 ? unified < 0 ? 0 : set_v2(unified, rules, e) : set_v1(oci_cgroup_dir(g, "devices"), rules, e);
    if (r == -EPERM &&
        oci_is_rootless()) { /* may load no program and write no rule, and can make no device */
        err_clear(e);
        return 0;
    }
    return r < 0 ? err_wrap(e, "linux.resources.devices") : 0;
}
