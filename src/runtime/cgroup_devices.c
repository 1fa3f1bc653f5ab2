/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which devices the processes of a group may open (cgroup_limits.h): on v1 the devices controller, on v2 a program of the kernel's that is asked at each
 * open and mknod (BPF_PROG_TYPE_CGROUP_DEVICE, bpf(2)). Nodes can only be made by the engine, so this is the second lock; it is the only one that
 * keeps apart who may read and who may write a node that was granted.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/identity.h"
#include "base/io.h"
#include "base/str.h"
#include "runtime/cgroup_limits.h"

#define ANY UINT32_MAX
#define RULE_LENGTH 8
#define PROGRAM_MAX (6 + RULE_LENGTH * (SPEC_DEVICES_MAX + 8) + 2)
#define READ_WRITE (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)

struct rule {
    uint32_t type;                       /* BPF_DEVCG_DEV_* */
    uint32_t access;                     /* BPF_DEVCG_ACC_* */
    uint32_t major_number, minor_number; /* minor: ANY for all */
};

/* null, zero, full, random, urandom, tty, ptmx and the pty slaves of runtime/devices.c: read and write, never mknod */
static const struct rule common[] = {
    {BPF_DEVCG_DEV_CHAR, READ_WRITE, 1, 3}, {BPF_DEVCG_DEV_CHAR, READ_WRITE, 1, 5},
    {BPF_DEVCG_DEV_CHAR, READ_WRITE, 1, 7}, {BPF_DEVCG_DEV_CHAR, READ_WRITE, 1, 8},
    {BPF_DEVCG_DEV_CHAR, READ_WRITE, 1, 9}, {BPF_DEVCG_DEV_CHAR, READ_WRITE, 5, 0},
    {BPF_DEVCG_DEV_CHAR, READ_WRITE, 5, 2}, {BPF_DEVCG_DEV_CHAR, READ_WRITE, 136, ANY}};

static struct rule rule_of(const struct spec_device *d)
{
    return (struct rule){
        .type = S_ISBLK(d->mode) ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR,
        .access =
            (d->read ? (uint32_t)BPF_DEVCG_ACC_READ : 0) | (d->write ? (uint32_t)BPF_DEVCG_ACC_WRITE : 0),
        .major_number = major(d->number),
        .minor_number = minor(d->number),
    };
}

static int allow_v1(int dir, const struct rule *rule, struct err *e)
{
    char number[16] = "*";
    if (rule->minor_number != ANY)
        (void)snprintf(number, sizeof(number), "%u", rule->minor_number);
    return io_write_existingf_at(dir, "devices.allow", e, "%c %u:%s %s%s",
                                 rule->type == BPF_DEVCG_DEV_BLOCK ? 'b' : 'c', rule->major_number, number,
                                 rule->access & BPF_DEVCG_ACC_READ ? "r" : "",
                                 rule->access & BPF_DEVCG_ACC_WRITE ? "w" : "");
}

static int restrict_v1(int dir, const struct spec_resources *resources, struct err *e)
{
    int r = io_write_existing_at(dir, "devices.deny", "a", e);
    for (size_t i = 0; i < ARRAY_SIZE(common) && r == 0; i++)
        r = allow_v1(dir, &common[i], e);
    for (size_t i = 0; i < resources->device_count && r == 0; i++) {
        const struct rule rule = rule_of(&resources->devices[i]);
        r = allow_v1(dir, &rule, e);
    }
    return r;
}

/* A program that is being written. */
struct program {
    uint64_t code[PROGRAM_MAX];
    size_t length;
};

static void add(struct program *p, uint8_t code, uint8_t to, uint8_t from, int16_t offset, uint32_t value)
{
    /* struct bpf_insn as x86-64 and arm64 have it: without its bit fields, whose assignments compilers warn of. */
    p->code[p->length++] = (uint64_t)code | (uint64_t)to << 8 | (uint64_t)from << 12 |
                           (uint64_t)(uint16_t)offset << 16 | (uint64_t)value << 32;
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

/* Allows what the rule covers whole; everything else goes on behind it. */
static void add_rule(struct program *p, const struct rule *rule)
{
    size_t end = p->length + (rule->minor_number == ANY ? RULE_LENGTH - 1 : RULE_LENGTH);
#define TO_END ((int16_t)(end - p->length - 1))
    add(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, TO_END, rule->type);
    add(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_4, 0, TO_END, rule->major_number);
    if (rule->minor_number != ANY)
        add(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_5, 0, TO_END, rule->minor_number);
    add(p, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0);
    add(p, BPF_ALU | BPF_AND | BPF_K, BPF_REG_1, 0, 0, ~rule->access);
    add(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_1, 0, TO_END, 0);
#undef TO_END
    add(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1);
    add(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
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

static int restrict_v2(int dir, const struct spec_resources *resources, struct err *e)
{
    struct program p = {.length = 0};
    add_beginning(&p);
    for (size_t i = 0; i < ARRAY_SIZE(common); i++)
        add_rule(&p, &common[i]);
    for (size_t i = 0; i < resources->device_count; i++) {
        const struct rule rule = rule_of(&resources->devices[i]);
        add_rule(&p, &rule);
    }
    add(&p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
    add(&p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    _cleanup_close_ int program = load(&p, e);
    if (program < 0)
        return program;
    union bpf_attr attr = {
        .target_fd = (uint32_t)dir, .attach_bpf_fd = (uint32_t)program, .attach_type = BPF_CGROUP_DEVICE};
    return syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) < 0
               ? err_errno(e, "attach the program that judges devices")
               : 0;
}

/* Whether a device was granted in part, which nothing else enforces. */
static bool in_part(const struct spec_resources *resources)
{
    for (size_t i = 0; i < resources->device_count; i++)
        if (!resources->devices[i].read || !resources->devices[i].write)
            return true;
    return false;
}

int cgroup_restrict_devices(const struct cgroup *g, const struct spec_resources *resources, struct err *e)
{
    struct err failed = {0};
    if (g->dirs[CGROUP_DEVICES] >= 0)
        return restrict_v1(g->dirs[CGROUP_DEVICES], resources, e);
    if (g->unified < 0 || identity_rootless())
        return 0;
    int r = restrict_v2(g->unified, resources, &failed);
    if (r < 0 && in_part(resources)) {
        *e = failed;
        return r;
    }
    return 0;
}
