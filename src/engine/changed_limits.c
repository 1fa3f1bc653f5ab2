/* SPDX-License-Identifier: Apache-2.0 */
/* containers/<id>/limits.json (changed_limits.h). */
#include "engine/changed_limits.h"

#include <errno.h>

#include "base/io.h"
#include "base/json.h"

#define LIMITS_MAX (4U << 20)

/* The limit of processes by user is as high as the group's unless it was given: it follows. */
static void follow_processes(struct plan *p, uint64_t before)
{
    uint64_t now = p->pids == PLAN_UNSET ? PLAN_UNLIMITED : p->pids;
    for (size_t i = 0; i < p->ulimit_count && before != PLAN_UNSET; i++)
        if (str_equal(p->ulimits[i].name, "nproc") && p->ulimits[i].soft == before &&
            p->ulimits[i].hard == before)
            p->ulimits[i].soft = p->ulimits[i].hard = now;
}

int limits_read(int dir, struct plan *p, struct err *e)
{
    uint64_t pids = p->pids;
    struct err absent = {0};
    _cleanup_buf_ struct buf text = {0};
    _cleanup_json_ struct json_object *o = NULL;
    int r = io_read_file_at(dir, LIMITS_FILE, LIMITS_MAX, &text, &absent);
    if (r == -ENOENT)
        return 0;
    if (r < 0) {
        *e = absent;
        return r;
    }
    r = json_parse(text.data ? text.data : "", text.length, &o, e);
    if (r == 0)
        r = plan_limits_from_json(o, p, e);
    if (r < 0)
        return err_wrap(e, "%s", LIMITS_FILE);
    follow_processes(p, pids);
    return 0;
}

int limits_write(int dir, const struct plan *p, struct err *e)
{
    _cleanup_json_ struct json_object *o = NULL;
    int r = plan_limits_to_json(p, &o, e);
    if (r < 0)
        return r;
    size_t length = 0;
    const char *text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &length);
    r = text ? io_replace_file_at(dir, LIMITS_FILE, text, length, 0600, true, e) : err_oom(e);
    return r < 0 ? err_wrap(e, "%s", LIMITS_FILE) : 0;
}
