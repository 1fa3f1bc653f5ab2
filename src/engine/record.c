/* SPDX-License-Identifier: Apache-2.0 */
/* Records of starts (record.h). */
#include "engine/record.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/ids.h"
#include "base/io.h"
#include "base/json.h"

#define RECORD_VERSION 1
#define RECORD_MAX 4096

int record_write_start(int dir, const struct container_start *start, struct err *e)
{
    char text[RECORD_MAX];
    int n = snprintf(
        text, sizeof(text),
        "{\"version\":%d,\"time\":%lld,\"pid\":%d,\"pid_start\":%llu,\"shim_pid\":%d,\"block\":%u}\n",
        RECORD_VERSION, (long long)start->time, (int)start->pid, (unsigned long long)start->pid_start,
        (int)start->shim_pid, start->block);
    return io_replace_file_at(dir, RECORD_STARTED, text, (size_t)n, 0600, false, e);
}

static int parse_start(struct json_object *o, struct container_start *ret, struct err *e)
{
    struct container_start s = {0};
    uint64_t version = 0, time = 0, pid = 0, shim_pid = 0, block = 0;
    int r = json_get_u64(o, "version", &version, e);
    if (r >= 0 && version != RECORD_VERSION)
        return err_set(e, EPROTO, "version %llu is not known", (unsigned long long)version);
    if (r >= 0)
        r = json_get_u64(o, "time", &time, e);
    if (r >= 0)
        r = json_get_u64(o, "pid", &pid, e);
    if (r >= 0)
        r = json_get_u64(o, "pid_start", &s.pid_start, e);
    if (r >= 0)
        r = json_get_u64(o, "shim_pid", &shim_pid, e);
    if (r >= 0)
        r = json_get_u64(o, "block", &block, e);
    if (r < 0)
        return r;
    if (time > INT64_MAX || pid > INT_MAX || shim_pid > INT_MAX || block >= IDS_BLOCK_COUNT)
        return err_set(e, ERANGE, "a number is out of range");
    s.time = (int64_t)time;
    s.pid = (pid_t)pid;
    s.shim_pid = (pid_t)shim_pid;
    s.block = (unsigned)block;
    *ret = s;
    return 0;
}

int record_read_start(int dir, struct container_start *ret, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_json_ struct json_object *o = NULL;
    struct err absent = {0};
    int r = io_read_file_at(dir, RECORD_STARTED, RECORD_MAX, &text, &absent);
    if (r == -ENOENT) {
        *ret = (struct container_start){0};
        return 0;
    }
    if (r < 0) {
        *e = absent;
        return r;
    }
    r = json_parse(text.data, text.length, &o, e);
    if (r == 0)
        r = parse_start(o, ret, e);
    return r < 0 ? err_wrap(e, "%s", RECORD_STARTED) : 0;
}

void record_forget_start(int dir)
{
    (void)unlinkat(dir, RECORD_STARTED, 0);
}

void record_write_error(int dir, const char *text)
{
    struct err ignored = {0};
    if (*text)
        (void)io_replace_file_at(dir, RECORD_ERROR, text, strlen(text), 0600, false, &ignored);
    else
        (void)unlinkat(dir, RECORD_ERROR, 0);
}

void record_read_error(int dir, char *ret_text, size_t size)
{
    _cleanup_buf_ struct buf text = {0};
    struct err ignored = {0};
    ret_text[0] = '\0';
    if (io_read_file_at(dir, RECORD_ERROR, ERR_TEXT_MAX, &text, &ignored) == 0 && text.data)
        (void)snprintf(ret_text, size, "%s", text.data);
}
