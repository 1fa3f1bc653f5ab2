/* SPDX-License-Identifier: Apache-2.0 */
/* A volume as JSON in Docker's shape (inspect.h); what Docker has no place for stands below "Casemate". */
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/inspect.h"
#include "cli/inspect_json.h"
#include "cli/volumes.h"
#include "store/quota.h"

/* Docker writes it in seconds, with the local offset. */
static void add_created(struct members *m, int64_t ns)
{
    char text[64] = "";
    char date[32] = "", zone[8] = "";
    struct tm tm;
    time_t seconds = (time_t)(ns / CLOCK_SECOND);
    if (localtime_r(&seconds, &tm)) {
        (void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
        (void)strftime(zone, sizeof(zone), "%z", &tm);
        if (tm.tm_gmtoff == 0)
            (void)snprintf(text, sizeof(text), "%sZ", date);
        else
            (void)snprintf(text, sizeof(text), "%s%.3s:%s", date, zone, zone + 3);
    }
    members_text(m, "CreatedAt", text);
}

static void add_map(struct members *m, const char *key, const struct str_list *entries)
{
    if (entries->count > 0)
        members_map(m, key, entries);
    else
        members_null(m, key);
}

/* What the kernel limits the files to, and what they take; null where nothing is limited. */
static void add_disk(struct members *m, int dir)
{
    struct quota_state q;
    struct err ignored = {0};
    _cleanup_close_ int data = volume_open_data(dir, &ignored);
    if (data < 0 || quota_read(data, &q, &ignored) < 0 || q.project == 0) {
        members_null(m, "Disk");
        return;
    }
    struct members disk = members_object(m, "Disk");
    members_number(&disk, "Size", q.limit.bytes == QUOTA_NONE ? -1 : (int64_t)q.limit.bytes);
    members_number(&disk, "Inodes", q.limit.inodes == QUOTA_NONE ? -1 : (int64_t)q.limit.inodes);
    members_number(&disk, "UsedSize", (int64_t)q.bytes);
    members_number(&disk, "UsedInodes", (int64_t)q.inodes);
    members_join(m, &disk);
}

static void add_casemate(struct members *top, int dir, const struct str_list *users)
{
    struct members m = members_object(top, "Casemate");
    add_disk(&m, dir);
    members_list(&m, "Users", users, false);
    members_join(top, &m);
}

int inspect_volume(const struct store *s, const char *name, struct json_object **ret_json, struct err *e)
{
    _cleanup_volume_ struct volume v;
    _cleanup_str_list_ struct str_list users = {0};
    _cleanup_free_ char *path = NULL;
    _cleanup_json_ struct json_object *json = json_object_new_object();
    volume_init(&v);
    if (!json)
        return err_oom(e);
    _cleanup_close_ int dir = volume_open(s, name, e);
    int r = dir < 0 ? dir : volume_read(dir, name, &v, e);
    if (r == 0)
        r = volume_users(s, dir, &v, &users, e);
    if (r == 0)
        r = volumes_mountpoint(name, &path, e);
    if (r == 0 && v.anonymous)
        r = str_list_add(&v.labels, VOLUMES_ANONYMOUS_LABEL "=", e);
    if (r < 0)
        return r;
    struct members m = {.object = json};
    add_created(&m, v.created);
    members_text(&m, "Driver", "local");
    add_map(&m, "Labels", &v.labels);
    members_text(&m, "Mountpoint", path);
    members_text(&m, "Name", v.name);
    add_map(&m, "Options", &v.options);
    members_text(&m, "Scope", "local");
    add_casemate(&m, dir, &users);
    if (m.failed)
        return err_oom(e);
    *ret_json = steal_ptr(json);
    return 0;
}
