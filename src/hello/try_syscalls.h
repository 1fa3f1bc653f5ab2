/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which system calls a process can reach at all.
 */
#pragma once

#include "hello/names.h"

/* Tries every system call of the table once, in children. Adds the reachable ones to `reachable` in
 * the order of their numbers and returns how many were tried. */
size_t try_syscalls(struct names *reachable);
