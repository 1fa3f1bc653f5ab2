/* SPDX-License-Identifier: Apache-2.0 */
/* The table of `casemate logs --removed`. */
#pragma once

#include "base/err.h"
#include "store/root.h"

int logs_removed_list(const struct store *s, struct err *e);
