/* SPDX-License-Identifier: Apache-2.0 */
/* Figures as people read them (human.h). */
#include "cli/human.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

static void scale(uint64_t bytes, double unit, const char *const *names, int digits, char *ret_text)
{
    double value = (double)bytes;
    double limit = unit == 1000 ? 999.5 : 1024; /* what would be printed as 1000 belongs to the next unit */
    while (value >= limit && names[1]) {
        value /= unit;
        names++;
    }
    snprintf(ret_text, HUMAN_TEXT_MAX, "%.*g%s", digits, value, *names);
}

void human_size(uint64_t bytes, char *ret_text)
{
    static const char *const names[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB", NULL};
    scale(bytes, 1000, names, 3, ret_text);
}

void human_memory(uint64_t bytes, char *ret_text)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL};
    scale(bytes, 1024, names, 4, ret_text);
}

void human_span(int64_t ns, char *ret_text)
{
    int64_t seconds = ns > 0 ? ns / CLOCK_SECOND : 0;
    int64_t minutes = seconds / 60;
    int64_t hours = (seconds + 1800) / 3600; /* rounded */
    const struct {
        int64_t count;
        const char *one, *many;
        int64_t below;
    } steps[] = {
        {seconds, "1 second", "seconds", 60},
        {minutes, "About a minute", "minutes", 60},
        {hours, "About an hour", "hours", 48},
        {hours / 24, "1 day", "days", 14},
        {hours / 24 / 7, "1 week", "weeks", 8},
        {hours / 24 / 30, "1 month", "months", 24},
        {hours / 24 / 365, "1 year", "years", INT64_MAX},
    };
    size_t i = 0;
    while (steps[i].count >= steps[i].below)
        i++;
    if (seconds == 0)
        snprintf(ret_text, HUMAN_TEXT_MAX, "Less than a second");
    else if (steps[i].count == 1)
        snprintf(ret_text, HUMAN_TEXT_MAX, "%s", steps[i].one);
    else
        snprintf(ret_text, HUMAN_TEXT_MAX, "%" PRId64 " %s", steps[i].count, steps[i].many);
}

void human_age(int64_t then, int64_t now, char *ret_text)
{
    char span[HUMAN_TEXT_MAX];
    if (then == 0) {
        snprintf(ret_text, HUMAN_TEXT_MAX, "N/A");
        return;
    }
    human_span(now - then, span);
    snprintf(ret_text, HUMAN_TEXT_MAX, "%.*s ago", HUMAN_TEXT_MAX - 5, span);
}
