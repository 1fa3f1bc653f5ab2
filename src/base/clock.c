/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamps (clock.h). */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return t.tv_sec * CLOCK_SECOND + t.tv_nsec;
}

int64_t clock_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void clock_format(int64_t ns, char *ret_text)
{
    int64_t seconds = ns / CLOCK_SECOND;
    int64_t rest = ns % CLOCK_SECOND;
    if (rest < 0) {
        rest += CLOCK_SECOND;
        seconds--;
    }
    time_t t = seconds;
    struct tm tm = {0};
    (void)gmtime_r(&t, &tm);
    char date[24];
    if (tm.tm_year < -1900 || tm.tm_year > 9999 - 1900 ||
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) != 19)
        memcpy(date, "0001-01-01T00:00:00", 20);
    (void)snprintf(ret_text, CLOCK_TEXT_LENGTH + 1, "%s.%09dZ", date, (int)rest);
}

/* ".123" -> nanoseconds; *at moves behind the digits. */
static int64_t read_fraction(const char **at)
{
    int64_t value = 0;
    if (**at != '.')
        return 0;
    (*at)++;
    for (int64_t unit = CLOCK_SECOND / 10; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
        value += (**at - '0') * unit;
    return value;
}

int clock_parse(const char *text, int64_t *ret_ns, struct err *e)
{
    struct tm tm = {0};
    const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!at)
        return err_set(e, EINVAL, "'%.60s' is not a time (example: 2026-11-24T03:40:20Z)", text);
    int64_t fraction = read_fraction(&at);
    int offset = 0;
    if (*at == '+' || *at == '-') {
        struct tm zone = {0};
        const char *end = strptime(at + 1, "%H:%M", &zone);
        if (!end)
            return err_set(e, EINVAL, "'%.60s' is not a time (example: 2026-11-24T03:40:20Z)", text);
        offset = (zone.tm_hour * 3600 + zone.tm_min * 60) * (*at == '-' ? -1 : 1);
        at = end;
    } else if (*at == 'Z' || *at == 'z') {
        at++;
    }
    if (*at)
        return err_set(e, EINVAL, "'%.60s' is not a time (example: 2026-11-24T03:40:20Z)", text);
    int64_t ns = 0;
    if (__builtin_mul_overflow((int64_t)timegm(&tm) - offset, CLOCK_SECOND, &ns) ||
        __builtin_add_overflow(ns, fraction, &ns))
        return err_set(e, ERANGE, "'%.60s' is outside the years 1678 to 2261", text);
    *ret_ns = ns;
    return 0;
}
