/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a seccomp filter program on a system call that is only described, so that filters of either architecture can be
 * judged anywhere.
 */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

/* What the program returns (SECCOMP_RET_* with data). Fails the test for a program that the kernel would refuse. */
uint32_t bpf_eval(const struct sock_filter *code, size_t len, const struct seccomp_data *data);
