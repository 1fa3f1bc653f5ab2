/* SPDX-License-Identifier: Apache-2.0 */
/* System calls by number (callname.h). */
#include "base/callname.h"

#include <stddef.h>

static const struct {
    int number;
    const char *name;
} calls[] = {
#define SYSCALL(number, name) {number, #name},
#if defined(__x86_64__)
#include "base/syscalls_x86_64.h"
#else
#include "base/syscalls_arm64.h"
#endif
#undef SYSCALL
};

const char *call_name(int number)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (calls[i].number == number)
            return calls[i].name;
    return NULL;
}
