/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles of ours as text, made part of a program by gen_texts when Casemate is built: what a worker compiles from need not be trusted as
 * a file. Internal to src/seccomp.
 */
#pragma once

#include <stddef.h>

extern const char text_default[]; /* data/seccomp/default.json */
extern const size_t text_default_length;
extern const char text_common[]; /* data/seccomp/common.json */
extern const size_t text_common_length;
