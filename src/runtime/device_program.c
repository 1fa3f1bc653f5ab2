/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own judge of devices, written for a list of rules (device_program.h). */
#include "runtime/device_program.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define RULE_LENGTH 8 /* most instructions of one rule */
#define ENDS 8        /* around all rules */

static void number_text(int64_t number, char *ret, size_t size)
{
    if (number == DEVICE_ANY)
        (void)snprintf(ret, size, "*");
    else
        (void)snprintf(ret, size, "%" PRId64, number);
}

int device_rule_write(int dir, const struct device_rule *rule, struct err *e)
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

static void add_rule(struct program *p, const struct device_rule *rule)
{
    size_t length =
        (rule->type != 'a') + (rule->major_number != DEVICE_ANY) + (rule->minor_number != DEVICE_ANY) + 3 + 2;
    size_t end = p->length + length;
#define TO_END ((int16_t)(end - p->length - 1))
    if (rule->type != 'a')
        add(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, TO_END,
            rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    if (rule->major_number != DEVICE_ANY)
        add(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_4, 0, TO_END, (uint32_t)rule->major_number);
    if (rule->minor_number != DEVICE_ANY)
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

int device_program_load(const struct device_rule *rules, size_t count, bool otherwise, struct err *e)
{
    struct program p = {.code = calloc(ENDS + RULE_LENGTH * count, sizeof(uint64_t))};
    _cleanup_free_ void *code = p.code;
    if (!code)
        return err_oom(e);
    add_beginning(&p);
    for (size_t i = 0; i < count; i++)
        add_rule(&p, &rules[i]);
    add_end(&p, otherwise);
    return load(&p, e);
}
