/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and numbers of Linux capabilities (linux/capability.h). A table and nothing else, libc only, so that the
 * profile compiler and its build tool use the same names as the runtime.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CAP_NUMBER_LAST 40 /* CAP_CHECKPOINT_RESTORE, the last of Linux 5.9 to 6.18 */
#define CAP_NUMBERS (CAP_NUMBER_LAST + 1)
#define CAP_BIT(n) (UINT64_C(1) << (n))
#define CAP_MASK_ALL (CAP_BIT(CAP_NUMBERS) - 1)

/* "CAP_CHOWN" and so on for 0..CAP_NUMBER_LAST, NULL for other numbers. */
const char *cap_name(unsigned number);

/* The number of `len` bytes of name: any case, with or without "CAP_". -1 when there is no such capability. */
int cap_number(const char *name, size_t len);
