/* SPDX-License-Identifier: Apache-2.0 */
/* Names of this architecture's system calls. */
#pragma once

/* NULL for a number that no call has, as of Linux 6.18. */
const char *call_name(int number);
