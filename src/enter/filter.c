/* SPDX-License-Identifier: Apache-2.0 */
/* The system-call filter, and where its listener goes. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "enter/enter.h"

void install_filter(void)
{
    const struct sock_filter *code = job_items(job->filter_offset, job->filter_count, sizeof(*code));
    const struct sock_fprog program = {.len = (unsigned short)job->filter_count,
                                       .filter = (struct sock_filter *)(uintptr_t)code};
    bool listens = job->flags & ENTER_LISTENER;
    unsigned flags = job->filter_flags | (listens ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);
    long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (r < 0)
        fail(1, "linux.seccomp: install the filter", NULL);
    if (!listens)
        return;
    tell(ENTER_NOTIFIES, (int)r);
    await_answer();
    close((int)r);
}
