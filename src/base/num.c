/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers from text (num.h). Used on command lines and on fields of our own files. */
#include "base/num.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define NANO 1000000000ULL

/* Reads digits of `base` from *at on; *ret_digits is how many there were. -ERANGE on overflow. */
static int read_digits(const char **at, unsigned base, uint64_t *ret_value, size_t *ret_digits)
{
    uint64_t value = 0;
    size_t digits = 0;
    for (; **at >= '0' && **at < (char)('0' + base); (*at)++, digits++)
        if (num_mul_overflows(value, base, &value) ||
            num_add_overflows(value, (uint64_t)(**at - '0'), &value))
            return -ERANGE;
    *ret_value = value;
    *ret_digits = digits;
    return 0;
}

static int parse_whole(const char *s, unsigned base, uint64_t max, uint64_t *ret_value, struct err *e)
{
    const char *at = s;
    uint64_t value;
    size_t digits;
    int r = read_digits(&at, base, &value, &digits);
    if (r == 0 && (digits == 0 || *at))
        return err_set(e, EINVAL, "'%s' is not a number", s);
    if (r < 0 || value > max)
        return err_set(e, ERANGE, "%s is too large (at most %llu)", s, (unsigned long long)max);
    *ret_value = value;
    return 0;
}

int num_parse_u64(const char *s, uint64_t max, uint64_t *ret_value, struct err *e)
{
    if (s[0] == '0' && s[1])
        return err_set(e, EINVAL, "'%s' is not a plain decimal number", s);
    return parse_whole(s, 10, max, ret_value, e);
}

int num_parse_octal(const char *s, uint64_t max, uint64_t *ret_value, struct err *e)
{
    return parse_whole(s, 8, max, ret_value, e);
}

/* Reads "12" or "12.5" as 12 * 1e9 + fraction. The integer part stays below 2^64 / 1e9 only when `whole` is split off, so
 * both parts are returned. */
static int read_fixed(const char **at, uint64_t *ret_whole, uint64_t *ret_nano)
{
    size_t digits;
    uint64_t nano = 0;
    int r = read_digits(at, 10, ret_whole, &digits);
    if (r < 0)
        return r;
    if (**at == '.') {
        (*at)++;
        const char *start = *at;
        for (uint64_t unit = NANO / 10; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
            nano += (uint64_t)(**at - '0') * unit;
        if (*at == start && digits == 0)
            return -EINVAL;
    } else if (digits == 0) {
        return -EINVAL;
    }
    *ret_nano = nano;
    return 0;
}

int num_parse_nano(const char *s, uint64_t *ret_nano, struct err *e)
{
    const char *at = s;
    uint64_t whole;
    uint64_t nano;
    if (read_fixed(&at, &whole, &nano) < 0 || *at)
        return err_set(e, EINVAL, "'%s' is not a decimal number", s);
    uint64_t value;
    if (num_mul_overflows(whole, NANO, &value) || num_add_overflows(value, nano, &value))
        return err_set(e, ERANGE, "%s is too large", s);
    *ret_nano = value;
    return 0;
}

int num_parse_size(const char *s, uint64_t *ret_bytes, struct err *e)
{
    static const char units[] = "bkmgtp";
    const char *at = s;
    uint64_t whole;
    uint64_t nano;
    unsigned power = 0;
    if (read_fixed(&at, &whole, &nano) < 0)
        return err_set(e, EINVAL, "'%s' is not a size (examples: 512m, 1.5g, 65536)", s);
    if (*at) {
        const char *unit = strchr(units, *at | 0x20);
        if (!unit || !*unit)
            return err_set(e, EINVAL, "'%s' has no known unit (b, k, m, g, t, p)", s);
        power = (unsigned)(unit - units);
        at++;
        if (power > 0 && (strcasecmp(at, "b") == 0 || strcasecmp(at, "ib") == 0))
            at += strlen(at);
        if (*at)
            return err_set(e, EINVAL, "'%s' has no known unit (b, k, m, g, t, p)", s);
    }
    uint64_t scale = 1ULL << (10 * power);
    uint64_t value;
    uint64_t fraction = (uint64_t)((__extension__(unsigned __int128) nano * scale) / NANO);
    if (num_mul_overflows(whole, scale, &value) || num_add_overflows(value, fraction, &value) ||
        value > INT64_MAX)
        return err_set(e, ERANGE, "%s is too large", s);
    *ret_bytes = value;
    return 0;
}

int num_parse_duration(const char *s, uint64_t *ret_ns, struct err *e)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", NANO}, {"m", 60 * NANO}, {"h", 3600 * NANO}};
    const char *at = s;
    uint64_t total = 0;
    if (!*s)
        return err_set(e, EINVAL, "'%s' is not a duration (examples: 10, 1m30s, 500ms)", s);
    while (*at) {
        uint64_t whole;
        uint64_t nano;
        if (read_fixed(&at, &whole, &nano) < 0)
            return err_set(e, EINVAL, "'%s' is not a duration (examples: 10, 1m30s, 500ms)", s);
        size_t length = strcspn(at, "0123456789.");
        uint64_t unit = 0;
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
            if (strlen(units[i].name) == length && strncmp(at, units[i].name, length) == 0)
                unit = units[i].ns;
        if (length == 0 && total == 0)
            unit = NANO;
        if (unit == 0)
            return err_set(e, EINVAL, "'%s' is not a duration (examples: 10, 1m30s, 500ms)", s);
        uint64_t part;
        uint64_t fraction = (uint64_t)((__extension__(unsigned __int128) nano * unit) / NANO);
        if (num_mul_overflows(whole, unit, &part) || num_add_overflows(part, fraction, &part) ||
            num_add_overflows(total, part, &total))
            return err_set(e, ERANGE, "%s is too long", s);
        at += length;
    }
    *ret_ns = total;
    return 0;
}
