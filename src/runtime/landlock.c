/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock for containers (landlock.h). Needs no_new_privs. */
#include "runtime/landlock.h"

#include <errno.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/sandbox.h"
#include "base/syscalls.h"

/* linux/landlock.h: ABI 1 has bits 0-12, ABI 2 adds REFER, ABI 3 TRUNCATE. Rights on devices (ABI 5) stay free: terminals need ioctl. */
#define RIGHTS_ABI1 ((1ULL << 13) - 1)
#define RIGHT_REFER (1ULL << 13)
#define RIGHT_TRUNCATE (1ULL << 14)
#define RIGHTS_READ (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_NODES (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)

#define ABI_SCOPES 6
#define SCOPE_ABSTRACT_SOCKETS 1ULL /* LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET */

/* Rights that make sense on something that is not a directory. */
#define RIGHTS_FILE                                                                              \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
     RIGHT_TRUNCATE)

static int add(int ruleset, int fd, uint64_t rights, struct err *e)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    if (sys_landlock_add_path(ruleset, &rule) == 0)
        return 0;
    rule.allowed_access = rights & RIGHTS_FILE;
    if (errno == EINVAL && sys_landlock_add_path(ruleset, &rule) == 0)
        return 0;
    return err_errno(e, "landlock rule");
}

static int add_writable(int ruleset, int root_fd, const char *path, uint64_t rights, struct err *e)
{
    struct err absent = {0};
    _cleanup_close_ int fd = path_open_in_root(root_fd, path, O_PATH, 0, &absent);
    return fd < 0 ? 0 : add(ruleset, fd, rights, e);
}

int landlock_apply(int root_fd, bool root_read_only, const struct str_list *writable, int program,
                   bool outside_sockets, struct err *e)
{
    static const char *const always[] = {"/dev", "/proc"};
    int abi = sandbox_landlock_abi();
    if (abi == 0)
        return 0;
    uint64_t handled = RIGHTS_ABI1 | (abi >= 2 ? RIGHT_REFER : 0) | (abi >= 3 ? RIGHT_TRUNCATE : 0);
    uint64_t change = handled & ~(uint64_t)RIGHTS_NODES;
    const struct landlock_rules attr = {.handled_fs = handled,
                                        .scoped = outside_sockets ? SCOPE_ABSTRACT_SOCKETS : 0};
    size_t size = outside_sockets && abi >= ABI_SCOPES ? sizeof(attr) : sizeof(attr.handled_fs);
    _cleanup_close_ int ruleset = sys_landlock_create_ruleset(&attr, size, 0);
    if (ruleset < 0)
        return err_errno(e, "landlock ruleset");
    int r = add(ruleset, root_fd, root_read_only ? RIGHTS_READ : change, e);
    if (r == 0 && program >= 0)
        r = add(ruleset, program, LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE, e);
    for (size_t i = 0; i < ARRAY_SIZE(always) && r == 0 && root_read_only; i++)
        r = add_writable(ruleset, root_fd, always[i], change, e);
    for (size_t i = 0; i < writable->count && r == 0 && root_read_only; i++)
        r = add_writable(ruleset, root_fd, writable->items[i], change, e);
    if (r == 0 && sys_landlock_restrict_self(ruleset) < 0)
        r = err_errno(e, "landlock");
    return r;
}
