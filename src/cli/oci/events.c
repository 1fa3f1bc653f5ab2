/* SPDX-License-Identifier: Apache-2.0 */
/* events: what a container uses, and when it has run out of memory; JSON lines. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/oci/oci.h"
#include "oci/stats.h"

#define INTERVAL_DEFAULT (5 * (uint64_t)CLOCK_SECOND)
#define WATCH_MS 1000 /* how often v1, which tells nobody, is asked for OOM kills */

struct events_options {
    uint64_t interval;
    bool stats;
};

static const struct option_entry table[] = {
    {"interval", 0, OPTION_DURATION, "TIME", "Time between two lines (5s)",
     offsetof(struct events_options, interval)},
    {"stats", 0, OPTION_BOOL, NULL, "Print what is used now, once", offsetof(struct events_options, stats)},
    {0},
};

static int print_event(const char *type, const char *id, struct json_object *data, struct err *e)
{
    _cleanup_json_ struct json_object *o = json_object_new_object();
    int r = o ? json_add_string(o, "type", type, e) : err_oom(e);
    if (r == 0)
        r = json_add_string(o, "id", id, e);
    if (data && json_add_object(o, "data", data, e) < 0)
        r = -ENOMEM;
    if (r == 0) {
        printf("%s\n",
               json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
        (void)fflush(stdout);
    }
    return r;
}

static int print_stats(const struct oci_container *c, const struct oci_cgroup *g, struct err *e)
{
    struct json_object *data = NULL;
    int r = oci_stats(g, &data, e);
    return r == 0 ? print_event("stats", c->id, data, e) : r;
}

/* Until the container's process has ended. */
static int follow(const struct oci_container *c, const struct oci_cgroup *g, int process, uint64_t interval,
                  struct err *e)
{
    int64_t next = clock_monotonic() + (int64_t)interval;
    uint64_t kills = oci_oom_kills(g);
    for (;;) {
        struct pollfd p = {.fd = process, .events = POLLIN};
        int64_t left = (next - clock_monotonic()) / 1000000;
        int n = poll(&p, 1, (int)(left < 0 ? 0 : left > WATCH_MS ? WATCH_MS : left));
        if (n < 0 && errno != EINTR)
            return err_errno(e, "poll");
        uint64_t now = oci_oom_kills(g);
        int r = now > kills ? print_event("oom", c->id, NULL, e) : 0;
        kills = now > kills ? now : kills;
        if (r == 0 && n == 0 && clock_monotonic() >= next) {
            r = print_stats(c, g, e);
            next += (int64_t)interval;
        }
        if (r < 0 || n > 0)
            return r;
    }
}

static int run(const struct invocation *in, struct err *e)
{
    struct events_options o = {.interval = INTERVAL_DEFAULT};
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    _cleanup_oci_cgroup_ struct oci_cgroup g = {0};
    int r = options_apply(in, &o, e);
    if (r == 0 && o.interval == 0)
        r = err_set(e, EINVAL, "--interval: must be above 0");
    if (r == 0)
        r = oci_open_argument(in, false, &c, e);
    _cleanup_close_ int process = r < 0 ? -1 : oci_container_process(&c, e);
    if (r < 0 || process < 0)
        return r < 0 ? r : process;
    r = oci_cgroup_open(&c.cgroup, &g, e);
    if (r < 0)
        return r;
    return o.stats ? print_stats(&c, &g, e) : follow(&c, &g, process, o.interval, e);
}

const struct verb oci_verb_events = {
    .name = "oci events",
    .group = VERB_HIDDEN,
    .usage = "CONTAINER",
    .summary = "Print what a container uses, again and again, and when it has run out of memory",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {table},
    .run = run,
};
