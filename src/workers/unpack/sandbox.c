/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What casemate-unpack may still do (sandbox.h). It already is in a user namespace whose ids are the neutral range, without
 * network. Here: an empty root in a mount namespace of its own, Landlock (only the target directory), four capabilities
 * over files of the neutral range, the system-call filter.
 */
#include "workers/unpack/sandbox.h"

#include <linux/capability.h>

#include "base/sandbox.h"

#define CAP_BIT(cap) (1ULL << (cap))

int sandbox_enter_unpack(int root_fd, struct err *e)
{
    const int writable[] = {root_fd, -1};
    const struct sandbox_profile profile = {
        .writable_dirs = writable,
        .keep_caps = root_fd < 0 ? 0
                                 : CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) |
                                       CAP_BIT(CAP_FSETID),
    };
    int r = sandbox_enter_empty_root(e);
    if (r < 0 && sandbox_landlock_abi() == 0) /* one of the two keeps it from the files of the host */
        return err_wrap(e, "enter the sandbox");
    r = sandbox_enter(&profile, e);
    if (r < 0)
        return r;
    return sandbox_filter("unpack", e);
}
