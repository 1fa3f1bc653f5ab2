/* SPDX-License-Identifier: Apache-2.0 */
/* The records of health checks (health.h), and what results mean. */
#include "engine/health.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/json.h"
#include "base/num.h"

#define STATE_FILE "health.state"
#define LOG_FILE "health.json"
#define STATE_WORD "casemate-health"
#define STATE_FORMAT "1"
#define STATE_MAX 160
#define LOG_VERSION 1
/* Five results, each byte of output as \u00xx. */
#define LOG_MAX (HEALTH_RESULTS * (HEALTH_OUTPUT_MAX * 6U + 512U))

#define SECOND 1000000000ULL
#define INTERVAL_DEFAULT (30 * SECOND) /* these are Docker's */
#define TIMEOUT_DEFAULT (30 * SECOND)
#define START_INTERVAL_DEFAULT (5 * SECOND)
#define RETRIES_DEFAULT 3
#define TIME_MAX (INT64_MAX / 4) /* so that sums of times do not overflow */

enum word { WORD_NAME, WORD_FORMAT, WORD_START, WORD_STATUS, WORD_STREAK, WORD_COUNT };

static const char *const names[] = {[HEALTH_NONE] = "none",
                                    [HEALTH_STARTING] = "starting",
                                    [HEALTH_HEALTHY] = "healthy",
                                    [HEALTH_UNHEALTHY] = "unhealthy"};

const char *health_status_name(enum health_status status)
{
    return names[status];
}

bool health_wanted(const struct plan *p)
{
    return p->health_test.count > 1 && !str_equal(p->health_test.items[0], "NONE");
}

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
    if (value == PLAN_UNSET || value == 0)
        return fallback;
    return value > TIME_MAX ? TIME_MAX : value;
}

void health_times(const struct plan *p, struct health_times *ret)
{
    *ret = (struct health_times){
        .interval = or_default(p->health_interval, INTERVAL_DEFAULT),
        .timeout = or_default(p->health_timeout, TIMEOUT_DEFAULT),
        .start_period = or_default(p->health_start_period, 0),
        .start_interval = or_default(p->health_start_interval, START_INTERVAL_DEFAULT),
        .retries = or_default(p->health_retries, RETRIES_DEFAULT),
    };
}

void health_clear(struct health *h)
{
    for (size_t i = 0; i < h->count; i++)
        free(h->results[i].output);
    *h = (struct health){0};
}

static int parse_status(const char *text, enum health_status *ret, struct err *e)
{
    for (size_t i = HEALTH_STARTING; i < ARRAY_SIZE(names); i++) {
        if (str_equal(names[i], text)) {
            *ret = (enum health_status)i;
            return 0;
        }
    }
    return err_set(e, EINVAL, STATE_FILE ": unknown status");
}

/* 0 when the line is there and belongs to this run of the container. */
static int read_state(const struct container *c, struct health *ret, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_str_list_ struct str_list words = {0};
    uint64_t start = 0;
    int r = io_read_file_at(c->dir, STATE_FILE, STATE_MAX, &text, e);
    if (r < 0)
        return r;
    if (text.length == 0 || text.data[text.length - 1] != '\n')
        return err_set(e, EINVAL, STATE_FILE ": not one line");
    text.data[text.length - 1] = '\0';
    r = str_list_split(text.data, ' ', WORD_COUNT, &words, e);
    if (r == 0 && (words.count != WORD_COUNT || !str_equal(words.items[WORD_NAME], STATE_WORD) ||
                   !str_equal(words.items[WORD_FORMAT], STATE_FORMAT)))
        return err_set(e, EINVAL, STATE_FILE ": unknown form");
    if (r == 0)
        r = num_parse_u64(words.items[WORD_START], INT64_MAX, &start, e);
    if (r == 0 && (int64_t)start != c->start.time)
        return err_set(e, ENOENT, STATE_FILE " is of an earlier run");
    if (r == 0)
        r = num_parse_u64(words.items[WORD_STREAK], INT64_MAX, &ret->streak, e);
    return r < 0 ? r : parse_status(words.items[WORD_STATUS], &ret->status, e);
}

enum health_status health_status_of(const struct container *c)
{
    struct health h = {0};
    struct err absent = {0};
    if (!health_wanted(&c->plan))
        return HEALTH_NONE;
    return read_state(c, &h, &absent) < 0 ? HEALTH_STARTING : h.status;
}

static int read_result(struct json_object *o, struct health *h, struct err *e)
{
    struct health_result x = {0};
    const char *output = "";
    int64_t code = 0;
    if (!json_object_is_type(o, json_type_object))
        return err_set(e, EINVAL, LOG_FILE ": not a result");
    int r = json_get_i64(o, "start", &x.start, e);
    if (r >= 0)
        r = json_get_i64(o, "end", &x.end, e);
    if (r >= 0)
        r = json_get_i64(o, "exit_code", &code, e);
    if (r >= 0)
        r = json_get_string(o, "output", &output, e);
    if (r >= 0 && (code < INT_MIN || code > INT_MAX))
        r = err_set(e, ERANGE, LOG_FILE ": exit code");
    if (r >= 0)
        r = str_copy(output, &x.output, e);
    if (r < 0)
        return r;
    x.exit_code = (int)code;
    h->results[h->count++] = x;
    return 0;
}

static int read_results(const struct container *c, struct health *h, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_json_ struct json_object *o = NULL;
    struct json_object *array = NULL;
    uint64_t version = 0;
    int64_t start = 0;
    int r = io_read_file_at(c->dir, LOG_FILE, LOG_MAX, &text, e);
    if (r == 0)
        r = json_parse(text.data ? text.data : "", text.length, &o, e);
    if (r == 0 && !json_object_is_type(o, json_type_object))
        r = err_set(e, EINVAL, LOG_FILE ": not an object");
    if (r == 0)
        r = json_get_u64(o, "version", &version, e);
    if (r >= 0)
        r = json_get_i64(o, "run", &start, e);
    if (r >= 0 && (version != LOG_VERSION || start != c->start.time))
        return err_set(e, ENOENT, LOG_FILE " is of another run");
    if (r >= 0)
        r = json_get_array(o, "results", &array, e);
    size_t count = array ? json_object_array_length(array) : 0;
    for (size_t i = 0; r >= 0 && i < count && i < HEALTH_RESULTS; i++)
        r = read_result(json_object_array_get_idx(array, i), h, e);
    return r;
}

void health_read(const struct container *c, struct health *ret)
{
    struct err absent = {0};
    *ret = (struct health){.status = HEALTH_STARTING};
    if (!health_wanted(&c->plan)) {
        ret->status = HEALTH_NONE;
        return;
    }
    if (read_state(c, ret, &absent) < 0)
        *ret = (struct health){.status = HEALTH_STARTING};
    (void)read_results(c, ret, &absent);
}

bool health_add(struct health *h, const struct container *c, struct health_result *result)
{
    struct health_times times;
    enum health_status before = h->status;
    health_times(&c->plan, &times);
    if (h->count == HEALTH_RESULTS) {
        free(h->results[0].output);
        memmove(&h->results[0], &h->results[1], sizeof(h->results[0]) * (HEALTH_RESULTS - 1));
        h->count--;
    }
    h->results[h->count++] = *result;
    result->output = NULL;
    if (result->exit_code == 0) {
        h->streak = 0;
        h->status = HEALTH_HEALTHY;
        return before != h->status;
    }
    if (before == HEALTH_STARTING && result->start - c->start.time < (int64_t)times.start_period)
        return false;
    h->streak++;
    if (h->streak >= times.retries)
        h->status = HEALTH_UNHEALTHY;
    return before != h->status;
}

static int format_results(const struct health *h, struct json_object *o, struct err *e)
{
    struct json_object *array = json_object_new_array();
    int r = array ? json_add_object(o, "results", array, e) : err_oom(e);
    for (size_t i = 0; r == 0 && i < h->count; i++) {
        const struct health_result *x = &h->results[i];
        struct json_object *item = json_object_new_object();
        if (!item || json_object_array_add(array, item) < 0) {
            json_object_put(item);
            return err_oom(e);
        }
        r = json_add_object(item, "start", json_object_new_int64(x->start), e);
        if (r == 0)
            r = json_add_object(item, "end", json_object_new_int64(x->end), e);
        if (r == 0)
            r = json_add_object(item, "exit_code", json_object_new_int64(x->exit_code), e);
        if (r == 0)
            r = json_add_string(item, "output", x->output ? x->output : "", e);
    }
    return r;
}

static int write_results(const struct container *c, const struct health *h, struct err *e)
{
    _cleanup_json_ struct json_object *o = json_object_new_object();
    int r = o ? json_add_u64(o, "version", LOG_VERSION, e) : err_oom(e);
    if (r == 0)
        r = json_add_object(o, "run", json_object_new_int64(c->start.time), e);
    if (r == 0)
        r = format_results(h, o, e);
    if (r < 0)
        return r;
    size_t length = 0;
    const char *text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &length);
    return text ? io_replace_file_at(c->dir, LOG_FILE, text, length, 0600, false, e) : err_oom(e);
}

int health_write(const struct container *c, const struct health *h, struct err *e)
{
    char text[STATE_MAX];
    int n = snprintf(text, sizeof(text), STATE_WORD " " STATE_FORMAT " %" PRId64 " %s %" PRIu64 "\n",
                     c->start.time, names[h->status], h->streak);
    int r = write_results(c, h, e);
    return r < 0 ? r : io_replace_file_at(c->dir, STATE_FILE, text, (size_t)n, 0600, false, e);
}

int64_t health_due(const struct container *c, int64_t now)
{
    struct health_times times;
    _cleanup_health_ struct health h = {0};
    health_times(&c->plan, &times);
    health_read(c, &h);
    int64_t last = h.count ? h.results[h.count - 1].end : c->start.time;
    if (last > now) /* the clock was set back */
        last = now;
    bool starting = h.status == HEALTH_STARTING && now - c->start.time < (int64_t)times.start_period;
    uint64_t interval =
        starting && times.start_interval < times.interval ? times.start_interval : times.interval;
    return last + (int64_t)interval;
}
