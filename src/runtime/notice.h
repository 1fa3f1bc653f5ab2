/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ceiling filter with a listener: what it refuses with EPERM, and switches of identity that the kernel is going to refuse, are shown to
 * who holds the listener before they are answered. Nothing is decided by that:
 *
 *   - A call that the ceiling refuses is never let through by the listener's holder (shim/denials.c), which answers EPERM.
 *   - For setuid(2), chown(2) and their like, which the ceiling allows, the holder lets the kernel answer. Only those calls are shown that
 *     the kernel must refuse: without CAP_SETUID and with no_new_privs the ids of all processes are for good those that the first one has,
 *     so the filter can compare arguments with them.
 *   - When nobody holds the listener any more the kernel answers such calls with ENOSYS: refused all the same, and nobody waits.
 *
 * Processes of exec have the plain ceiling: there is no listener for them.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "runtime/user.h"
#include "seccomp/tables.h"

/* Puts the ceiling on the calling thread. `capabilities` is what the program will have. *ret_listener (O_CLOEXEC) is -1 where there can be
 * none, because the caller is under a listener already; then this is filter_install. Needs no_new_privs. */
int notice_install(const struct filter *ceiling, const struct user_identity *who, uint64_t capabilities,
                   int *ret_listener, struct err *e);
