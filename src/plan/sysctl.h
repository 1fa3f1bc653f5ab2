/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --sysctl NAME=VALUE: only settings that belong to a namespace of the container, and values that hold nothing but what the kernel
 * reads there. The check that counts, as names are paths below /proc/sys and one wrong character would reach the host's.
 */
#pragma once

#include "base/err.h"

#define SYSCTL_TEXT_MAX 256

/* Checks one NAME=VALUE. -EINVAL: grammar; -EPERM: a setting of the host, refused by practice 5. */
int sysctl_check(const char *entry, struct err *e);
