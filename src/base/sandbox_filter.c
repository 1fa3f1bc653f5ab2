/* SPDX-License-Identifier: Apache-2.0 */
/* The last wall of a worker (sandbox.h). A file of its own: only programs that link the filters take it in. */
#include <errno.h>
#include <string.h>

#include "base/sandbox.h"
#include "seccomp/tables.h"

int sandbox_filter(const char *role, struct err *e)
{
    const struct filter *f = filter_find(role);
    if (!f)
        return err_set(e, ENOENT, "system call filter '%s' is not built in", role);
    int r = filter_install(f);
    return r < 0 ? err_set(e, -r, "install the system call filter: %s", strerror(-r)) : 0;
}
