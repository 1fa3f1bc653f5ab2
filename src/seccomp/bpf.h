/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns rules into a seccomp filter program: a binary tree over ranges of system-call numbers, with the argument
 * comparisons of a call at its leaf. Internal to src/seccomp.
 *
 * What no profile decides:
 *   - another ABI (32-bit, x32; SECCOMP_NR_X32 and above) gets ENOSYS, or the process is killed where the default
 *     action kills
 *   - numbers above SECCOMP_NR_NEWEST and above every number that the profile names get ENOSYS where the default action
 *     is ERRNO, so that C libraries fall back to older calls; otherwise the default action
 * For the OCI runtime (profile.h) what libseccomp and runc do instead:
 *   - an ABI without rules of its own: the calling thread is killed
 *   - numbers above every number that the profile names get ENOSYS unless the default action lets them through
 */
#pragma once

#include <linux/filter.h>
#include <stddef.h>

#include "base/err.h"
#include "seccomp/rules.h"

/* One program of `n` sets of rules: the first for the machine itself, the others for its older ABIs. On success *ret_code belongs to the
 * caller (free()). -E2BIG when the kernel would not take the program. */
int bpf_generate(const struct rules *const *all, size_t n, struct sock_filter **ret_code, size_t *ret_len,
                 struct err *e);
