/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation between a runtime command and the container's process that it makes (base/enterproto.h). */
#pragma once

#include "base/enterproto.h"
#include "base/err.h"

/* The process's side. */
int oci_sync_tell(int socket, enum enter_step step, int fd, struct err *e);
/* Waits for the byte that answers; -ECHILD when the command is gone. */
int oci_sync_await(int socket, struct err *e);
/* Says what failed and ends the process. */
_Noreturn void oci_sync_fail(int socket, const struct err *e);

/* The command's side: 1 and *ret_fd (-1: none came), 0 when the process is gone, or has executed the program. ENTER_FAILED becomes an error,
 * whose exit status is in *ret_status; so is the number that comes with ENTER_NOTIFIES. */
int oci_sync_receive(int socket, enum enter_step *ret_step, int *ret_fd, int *ret_status, struct err *e);
int oci_sync_answer(int socket, struct err *e);
