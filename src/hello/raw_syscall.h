/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls without the C library between: the result is what the kernel says (a negative errno), nothing is cached, and no
 * return address lies on the stack, so that vfork can be tried.
 */
#pragma once

#define RAW_ARGS 6

#if defined(__x86_64__)

static inline long raw_syscall(long number, const long *a)
{
    long result;
    register long r10 __asm__("r10");
    register long r8 __asm__("r8");
    register long r9 __asm__("r9");
    r10 = a[3];
    r8 = a[4];
    r9 = a[5];
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

static inline long raw_syscall(long number, const long *a)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a[0];
    register long x1 __asm__("x1") = a[1];
    register long x2 __asm__("x2") = a[2];
    register long x3 __asm__("x3") = a[3];
    register long x4 __asm__("x4") = a[4];
    register long x5 __asm__("x5") = a[5];
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}

#else
#error "hello knows the system calls of x86-64 and arm64 only"
#endif

/* The usual shape: raw(SYS_x, a, b ...), missing arguments are 0. */
#define raw(number, ...) raw_syscall((number), (const long[RAW_ARGS]){__VA_ARGS__})
