/* SPDX-License-Identifier: Apache-2.0 */
/* volume.json (volume_record.h): ours, yet read strictly, since it may come from another version or a disk that lost something. */
#include "engine/volume_record.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/json.h"
#include "base/num.h"

#define FILE_NAME "volume.json"
#define FILE_SIZE_MAX (4U << 20)
#define ENTRIES_MAX 4096
#define INODES_LEAST 16
#define SIZE_LEAST (UINT64_C(1) << 20)

static int add_limit(struct json_object *o, const char *key, uint64_t value, struct err *e)
{
    return value == VOLUME_UNLIMITED ? 0 : json_add_u64(o, key, value, e);
}

int volume_record_write(int dir, const struct volume *v, struct err *e)
{
    _cleanup_json_ struct json_object *o = json_object_new_object();
    if (!o)
        return err_oom(e);
    int r = json_add_u64(o, "version", VOLUME_VERSION, e);
    if (r == 0)
        r = json_add_object(o, "created", json_object_new_int64(v->created), e);
    if (r == 0)
        r = json_add_bool(o, "anonymous", v->anonymous, e);
    if (r == 0)
        r = json_add_strings(o, "labels", &v->labels, e);
    if (r == 0)
        r = json_add_strings(o, "options", &v->options, e);
    if (r == 0)
        r = add_limit(o, "size", v->size, e);
    if (r == 0)
        r = add_limit(o, "inodes", v->inodes, e);
    if (r < 0)
        return r;
    size_t length = 0;
    const char *text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &length);
    return text ? io_replace_file_at(dir, FILE_NAME, text, length, 0600, !v->anonymous, e) : err_oom(e);
}

static int read_members(struct json_object *o, struct volume *v, struct err *e)
{
    uint64_t version = 0;
    if (!json_object_is_type(o, json_type_object))
        return err_set(e, EINVAL, "not an object");
    int r = json_get_u64(o, "version", &version, e);
    if (r >= 0 && version != VOLUME_VERSION)
        return err_set(e, EPROTONOSUPPORT, "version %llu is not known (this Casemate knows %d)",
                       (unsigned long long)version, VOLUME_VERSION);
    if (r >= 0)
        r = json_get_i64(o, "created", &v->created, e);
    if (r >= 0)
        r = json_get_bool(o, "anonymous", &v->anonymous, e);
    if (r >= 0)
        r = json_get_strings(o, "labels", ENTRIES_MAX, &v->labels, e);
    if (r >= 0)
        r = json_get_strings(o, "options", ENTRIES_MAX, &v->options, e);
    if (r >= 0)
        r = json_get_u64(o, "size", &v->size, e);
    if (r >= 0)
        r = json_get_u64(o, "inodes", &v->inodes, e);
    return r < 0 ? r : 0;
}

/* A volume from before there was a record: all that is known is the directory's own time. */
static int read_directory(int dir, struct volume *v, struct err *e)
{
    struct stat st;
    if (fstat(dir, &st) < 0)
        return err_errno(e, "volume %s", v->name);
    v->created = st.st_ctim.tv_sec * CLOCK_SECOND + st.st_ctim.tv_nsec;
    v->anonymous = id_valid(v->name);
    return 0;
}

int volume_read(int dir, const char *name, struct volume *ret_volume, struct err *e)
{
    _cleanup_volume_ struct volume v;
    _cleanup_buf_ struct buf text = {0};
    _cleanup_json_ struct json_object *o = NULL;
    struct err missing = {0};
    volume_init(&v);
    int r = str_copy(name, &v.name, e);
    if (r < 0)
        return r;
    r = io_read_file_at(dir, FILE_NAME, FILE_SIZE_MAX, &text, &missing);
    if (r == -ENOENT) {
        r = read_directory(dir, &v, e);
    } else if (r < 0) {
        *e = missing;
    } else {
        v.recorded = true;
        r = json_parse(text.data ? text.data : "", text.length, &o, e);
        if (r == 0)
            r = read_members(o, &v, e);
    }
    if (r < 0)
        return err_wrap(e, "volume %s", name);
    *ret_volume = v;
    volume_init(&v);
    return 0;
}

static int set_inodes(struct volume *v, const char *value, struct err *e)
{
    uint64_t inodes = 0;
    int r = num_parse_u64(value, INT64_MAX, &inodes, e);
    if (r == 0 && inodes < INODES_LEAST)
        r = err_set(e, EINVAL, "the least is %d", INODES_LEAST);
    if (r == 0)
        v->inodes = inodes;
    return r < 0 ? err_wrap(e, "option inodes") : 0;
}

static int set_size(struct volume *v, const char *value, struct err *e)
{
    uint64_t size = 0;
    int r = num_parse_size(value, &size, e);
    if (r == 0 && size < SIZE_LEAST)
        r = err_set(e, EINVAL, "the least is 1m");
    if (r == 0)
        v->size = size;
    return r < 0 ? err_wrap(e, "option size") : 0;
}

int volume_add_option(struct volume *v, const char *option, struct err *e)
{
    const char *size = str_after(option, "size=");
    const char *inodes = str_after(option, "inodes=");
    int r =
        size ? set_size(v, size, e)
        : inodes
            ? set_inodes(v, inodes, e)
            : err_set(e, ENOTSUP,
                      "the volume option '%.64s' is not supported (size= and inodes= are); a directory of "
                      "the host is shared with --volume /PATH:/PATH",
                      option);
    return r < 0 ? r : str_list_set_env(&v->options, option, e);
}
