/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second doors into the kernel of an x86-64 process. Always false on other processors.
 */
#pragma once

#include <stdbool.h>

/* The 32-bit entry, `int 0x80`: does getpid answer with a process id? */
bool try_int80(void);

/* The x32 numbers (bit 30). */
bool try_x32(void);
