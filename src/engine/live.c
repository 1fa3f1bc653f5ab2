/* SPDX-License-Identifier: Apache-2.0 */
/* containers/<id>/live.json (live.h). Reading is strict, as of the plan. */
#include "engine/live.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/json.h"

#define LIVE_VERSION 1
#define LIVE_MAX 65536U
#define STATUS_MAX 255
#define STOPPED_FILE "user-stopped" /* empty; only where there was no room for LIVE_FILE */

int live_init(const struct plan *p, struct live *ret_live, struct err *e)
{
    struct live live = {0};
    int r = restart_parse(p->restart ? p->restart : "", &live.restart, e);
    if (r == 0)
        *ret_live = live;
    return r;
}

static int parse_restart(struct json_object *o, struct live *live, struct err *e)
{
    const char *policy = NULL;
    uint64_t status = 0;
    int r = json_get_string(o, "restart", &policy, e);
    if (r > 0)
        r = restart_parse(policy, &live->restart, e);
    if (r >= 0)
        r = json_get_bool(o, "user_stopped", &live->user_stopped, e);
    if (r >= 0)
        r = json_get_u64(o, "restart_count", &live->restart_count, e);
    if (r >= 0)
        r = json_get_u64(o, "delay", &live->delay, e);
    if (r >= 0)
        r = json_get_i64(o, "failed", &live->failed, e);
    if (r >= 0)
        r = json_get_u64(o, "fail_status", &status, e);
    if (r >= 0)
        r = json_get_i64(o, "attempt", &live->attempt, e);
    if (r >= 0 && status > STATUS_MAX)
        return err_set(e, ERANGE, "'fail_status' is out of range");
    live->fail_status = (int)status;
    return r < 0 ? r : 0;
}

static int parse(const struct buf *text, struct live *live, struct err *e)
{
    _cleanup_json_ struct json_object *o = NULL;
    uint64_t version = 0;
    int r = json_parse(text->data ? text->data : "", text->length, &o, e);
    if (r == 0 && !json_object_is_type(o, json_type_object))
        return err_set(e, EINVAL, "not an object");
    if (r == 0)
        r = json_get_u64(o, "version", &version, e);
    if (r >= 0 && version != LIVE_VERSION)
        return err_set(e, EPROTO, "version %llu is not known", (unsigned long long)version);
    return r < 0 ? r : parse_restart(o, live, e);
}

int live_read(int dir, const struct plan *p, struct live *ret_live, struct err *e)
{
    struct live live = {0};
    struct err absent = {0};
    _cleanup_buf_ struct buf text = {0};
    int r = live_init(p, &live, e);
    if (r < 0)
        return r;
    r = io_read_file_at(dir, LIVE_FILE, LIVE_MAX, &text, &absent);
    if (r < 0 && r != -ENOENT) {
        *e = absent;
        return r;
    }
    if (r == 0 && parse(&text, &live, e) < 0)
        return err_wrap(e, "%s", LIVE_FILE);
    if (live.restart.kind != RESTART_NO && faccessat(dir, STOPPED_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        live.user_stopped = true;
    *ret_live = live;
    return 0;
}

static int format_restart(struct json_object *o, const struct live *live, struct err *e)
{
    char policy[RESTART_TEXT_MAX];
    restart_format(&live->restart, policy);
    int r = json_add_string(o, "restart", policy, e);
    if (r == 0 && live->user_stopped)
        r = json_add_bool(o, "user_stopped", true, e);
    if (r == 0 && live->restart_count)
        r = json_add_u64(o, "restart_count", live->restart_count, e);
    if (r == 0 && live->delay)
        r = json_add_u64(o, "delay", live->delay, e);
    if (r == 0 && live->failed)
        r = json_add_object(o, "failed", json_object_new_int64(live->failed), e);
    if (r == 0 && live->fail_status)
        r = json_add_u64(o, "fail_status", (uint64_t)live->fail_status, e);
    if (r == 0 && live->attempt)
        r = json_add_object(o, "attempt", json_object_new_int64(live->attempt), e);
    return r;
}

int live_write(int dir, const struct live *live, bool sync, struct err *e)
{
    _cleanup_json_ struct json_object *o = json_object_new_object();
    if (!o)
        return err_oom(e);
    int r = json_add_u64(o, "version", LIVE_VERSION, e);
    if (r == 0)
        r = format_restart(o, live, e);
    if (r < 0)
        return r;
    size_t length = 0;
    const char *text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &length);
    r = text ? io_replace_file_at(dir, LIVE_FILE, text, length, 0600, sync, e) : err_oom(e);
    if (r == 0)
        (void)unlinkat(dir, STOPPED_FILE, 0);
    return r < 0 ? err_wrap(e, "%s", LIVE_FILE) : 0;
}

int live_write_stopped(int dir, struct live *live, bool sync, struct err *e)
{
    live->user_stopped = true;
    int r = live_write(dir, live, sync, e);
    if (r != -ENOSPC && r != -EDQUOT)
        return r;
    err_clear(e);
    _cleanup_close_ int fd = openat(dir, STOPPED_FILE, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? err_errno(e, STOPPED_FILE) : 0;
}
