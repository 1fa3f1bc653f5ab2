/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The beginning of a file as a string, at most `room` - 1 bytes. Never waits (O_NONBLOCK). Returns the length, or -1 when it
 * cannot be opened or read. */
ssize_t read_file(const char *path, char *ret_text, size_t room);

/* Does a directory have an entry? */
bool directory_has_entries(const char *path);
