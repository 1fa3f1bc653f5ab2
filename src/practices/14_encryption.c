/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 14, encryption and access: own CA, TLS 1.3, SSH with a forced command, undeclared ports closed. */
#include "practices/registry.h"

const struct practice practice_encryption = {
    .number = 14,
    .id = "encryption",
    .title = "encryption and access",
    .what = "encrypts every way in and gives general users no other",
    .missing = "root on this host is the only way in: no API, no TLS, no SSH access",
};
