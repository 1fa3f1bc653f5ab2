/* SPDX-License-Identifier: Apache-2.0 */
/* Values of casemate.conf that keys of several purposes have (policy_reading.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "plan/policy_reading.h"

#define PERCENT_MAX 100

int policy_value_bool(const char *value, bool *ret, struct err *e)
{
    if (!str_equal(value, "yes") && !str_equal(value, "no"))
        return err_set(e, EINVAL, "'%s' is neither yes nor no", value);
    *ret = str_equal(value, "yes");
    return 0;
}

int policy_value_source(const struct conf_entry *entry, char *text, size_t size, struct err *e)
{
    int n = snprintf(text, size, "policy: %s:%u", entry->file, entry->line);
    return n < 0 || (size_t)n >= size ? err_set(e, ENAMETOOLONG, "the file's name is too long") : 0;
}

int policy_reading_right(struct policy_reading *r, const struct conf_entry *entry,
                         enum policy_right_kind kind, const char *value, struct err *e)
{
    char source[300];
    int result = policy_value_source(entry, source, sizeof(source), e);
    struct policy_rights *rights = r->grant ? &r->grant->rights : &r->policy->rights;
    return result < 0 ? result : policy_rights_add(rights, kind, value, source, e);
}

int policy_value_share(const char *value, int (*plain)(const char *, uint64_t *, struct err *),
                       struct policy_share *ret, struct err *e)
{
    char digits[8];
    uint64_t number = 0;
    size_t n = strlen(value);
    bool percent = n > 1 && value[n - 1] == '%';
    if (percent && n >= sizeof(digits))
        return err_set(e, EINVAL, "'%s' is not 1%% to 100%%", value);
    if (percent)
        (void)snprintf(digits, sizeof(digits), "%.*s", (int)(n - 1), value);
    int r = percent ? num_parse_u64(digits, PERCENT_MAX, &number, e) : plain(value, &number, e);
    if (r == 0 && number == 0)
        r = err_set(e, EINVAL, "'%s' must be more than 0", value);
    if (r == 0)
        *ret = (struct policy_share){number, percent};
    return r;
}

int policy_value_size(const char *value, uint64_t *ret, struct err *e)
{
    uint64_t size = 0;
    int r = num_parse_size(value, &size, e);
    if (r == 0 && size == 0)
        r = err_set(e, EINVAL, "'%s' must be more than 0", value);
    if (r == 0)
        *ret = size;
    return r;
}
