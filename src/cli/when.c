/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time (when.h). */
#include "cli/when.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/num.h"

/* -EINVAL without text when it is no date of ours. */
static int parse_local(const char *text, int64_t *ret_ns)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        struct tm tm = {.tm_isdst = -1};
        const char *end = strptime(text, formats[i], &tm);
        time_t seconds = end && !*end ? mktime(&tm) : -1;
        if (seconds >= 0 && seconds <= INT64_MAX / CLOCK_SECOND) {
            *ret_ns = (int64_t)seconds * CLOCK_SECOND;
            return 0;
        }
    }
    return -EINVAL;
}

int when_parse(const char *text, int64_t now, int64_t *ret_ns, struct err *e)
{
    uint64_t ns = 0;
    struct err ignored = {0};
    if (*text && strspn(text, "0123456789.") == strlen(text)) {
        if (num_parse_nano(text, &ns, e) < 0 || ns > INT64_MAX)
            return err_set(e, EINVAL, "'%s' is no time in seconds since 1970", text);
        *ret_ns = (int64_t)ns;
        return 0;
    }
    if (strlen(text) > 4 && text[4] == '-') {
        if (parse_local(text, ret_ns) == 0 || clock_parse(text, ret_ns, &ignored) == 0)
            return 0;
    } else if (num_parse_duration(text, &ns, &ignored) == 0 && ns <= INT64_MAX) {
        *ret_ns = now - (int64_t)ns;
        return 0;
    }
    return err_set(e, EINVAL,
                   "'%s' is no time: a date (2026-11-24T08:00:00Z), seconds since 1970, or a span before now "
                   "(10m)",
                   text);
}
