/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files that the engine writes into the view: /etc/hosts and its like. They live on one tmpfs of the container, not in a
 * directory of the engine: a bind from there would show the host's path in /proc/self/mountinfo.
 */
#pragma once

#include "base/err.h"
#include "runtime/spec.h"

/* Writes the texts of the spec and attaches each over its target below root_fd. The tmpfs is attached on `place` (a directory that
 * only the engine has written) while this runs. The current directory becomes /. */
int textfiles_attach(const struct spec *s, int root_fd, int place, struct err *e);
