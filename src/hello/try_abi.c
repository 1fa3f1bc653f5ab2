/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 32-bit and x32 system calls (try_abi.h). getpid is asked for, in a child: a filter may end it, a kernel without the entry too.
 */
#include "hello/try_abi.h"

#include "hello/attempt.h"
#include "hello/raw_syscall.h"

#if defined(__x86_64__)

#define I386_GETPID 20
#define X32_GETPID (0x40000000L | 39)

static long int80_getpid(const void *unused)
{
    (void)unused;
    int result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(I386_GETPID) : "r8", "r9", "r10", "r11", "memory");
    return result > 0;
}

static long x32_getpid(const void *unused)
{
    (void)unused;
    return raw(X32_GETPID, 0) > 0;
}

bool try_int80(void)
{
    return attempt_succeeds(int80_getpid, 0);
}

bool try_x32(void)
{
    return attempt_succeeds(x32_getpid, 0);
}

#else

bool try_int80(void)
{
    return false;
}

bool try_x32(void)
{
    return false;
}

#endif
