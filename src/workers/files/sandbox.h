/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox of casemate-files. Returns the descriptor of the session's root. */
#pragma once

#include "base/messages.h"

/* `fd` is what the session brings, `readable` (-1: none) the one thing that a directory of the caller's may be read for. */
int sandbox_enter_session(const struct message_files_session *session, int fd, int readable, const int *lower,
                          size_t lower_count, struct err *e);
