/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules about devices of a control group: on v1 lines of the devices controller, on v2 a program of the kernel's that is asked at each open and
 * mknod (BPF_PROG_TYPE_CGROUP_DEVICE, bpf(2)).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DEVICE_ANY (-1)

struct device_rule {
    bool allow;
    char type;                          /* 'a' for both, 'b', 'c' */
    int64_t major_number, minor_number; /* DEVICE_ANY */
    uint32_t access;                    /* BPF_DEVCG_ACC_* */
};

/* Loads a program that asks the rules in their order: an allow rule decides when it covers all that is asked, a deny rule when it covers some of
 * it; `otherwise` is what no rule decides. Its descriptor. */
int device_program_load(const struct device_rule *rules, size_t count, bool otherwise, struct err *e);

/* One line for the controller of v1, whose directory that is. It knows 'a' for everything only. */
int device_rule_write(int dir, const struct device_rule *rule, struct err *e);
