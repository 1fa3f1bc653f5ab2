/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the host can be read: thirty places that tell a container about the machine, its kernel and its neighbours and that
 * programs do not need. (What they do need is not counted: cpuinfo, meminfo, stat, uptime, loadavg, version.)
 */
#pragma once

#include "hello/names.h"
#include "hello/read_mounts.h"

/* Adds the names of the places that can be read and hold something; returns how many were tried. */
size_t read_hostinfo(const struct mounts *mounts, struct names *ret_readable);
