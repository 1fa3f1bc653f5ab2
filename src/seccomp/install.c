/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Installing a filter (tables.h). By the bare system call: libc has no function for it.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "seccomp/tables.h"

int filter_install(const struct filter *f)
{
    struct sock_fprog program = {.len = f->len, .filter = (struct sock_filter *)(unsigned long)f->code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}
