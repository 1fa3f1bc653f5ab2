/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container under Casemate's defaults may show at most. The same figures stand in tests/attack/probe_expect.py.
 */
#pragma once

#define EXPECT_SYSCALLS_MAX 220
#define EXPECT_POWERS_MAX 5
#define EXPECT_FAMILIES_MAX 3
#define EXPECT_PROC_WRITABLE_MAX 1
#define EXPECT_HOST_INFO_MAX 5
#define EXPECT_PIDS_MAX 512
