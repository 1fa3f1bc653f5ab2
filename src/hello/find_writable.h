/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the kernel that this process may write to.
 */
#pragma once

#include "hello/names.h"
#include "hello/read_mounts.h"

/* Regular files below `root` ("/proc" or "/sys") on mounts that are not read-only, which can be opened for writing. The
 * directories of processes in /proc are left out: what a process may write there is its own. Nothing is written, and
 * only files of procfs, sysfs and cgroupfs are opened at all; for others (debugfs, tracefs …) the mode decides. */
void find_writable(const struct mounts *mounts, const char *root, struct names *ret_files);

/* Character and block devices in /dev and the directories below it, but for the terminals in /dev/pts. */
void find_devices(struct names *ret_devices);
