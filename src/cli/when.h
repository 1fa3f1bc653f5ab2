/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time as --since and --until take them. */
#pragma once

#include <stdint.h>

#include "base/err.h"

/*
 * ns since the epoch from: seconds since 1970 ("1700000000", "1700000000.5"), a date with zone (RFC 3339), a date in local time
 * ("2026-11-24", "2026-11-24T08:00", "2026-11-24T08:00:05"), or a span before `now` ("10m", "1h30m").
 */
int when_parse(const char *text, int64_t now, int64_t *ret_ns, struct err *e);
