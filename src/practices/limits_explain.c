/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence for practice 4: the limits that the kernel holds for the container's first process, v1 and v2. */
#include <errno.h>
#include <stdio.h>

#include "base/identity.h"
#include "base/num.h"
#include "practices/refuse.h"
#include "practices/registry.h"

#define NANO UINT64_C(1000000000)
#define V1_UNLIMITED (UINT64_C(1) << 62) /* the kernel writes the largest number of pages in bytes */
#define LIMITS_MAX 65536
#define PATH_SHOWN 4096

/* A number that a control group file holds; PLAN_UNSET: no limit. */
struct limit {
    uint64_t value;
    char *source;
};

static void limit_clear(struct limit *l)
{
    free(l->source);
}
#define _cleanup_limit_ _cleanup_(limit_clear)

static int parse_limit(const char *text, uint64_t *ret, struct err *e)
{
    *ret = PLAN_UNSET;
    if (str_equal(text, "max") || text[0] == '-')
        return 0;
    int r = num_parse_u64(text, UINT64_MAX, ret, e);
    if (r == 0 && *ret >= V1_UNLIMITED)
        *ret = PLAN_UNSET;
    return r;
}

/* v1 where the controller is there, else v2. */
static int read_limit(const struct subject *s, const char *controller, const char *v1, const char *v2,
                      struct limit *ret, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    struct err absent = {0};
    int r = subject_read_cgroup(s, controller, v1, &text, &ret->source, &absent);
    if (r < 0)
        r = subject_read_cgroup(s, NULL, v2, &text, &ret->source, e);
    return r < 0 ? r : parse_limit(text.data ? text.data : "", &ret->value, e);
}

/* In force: not looser than planned. The kernel rounds memory down to pages. */
static enum evidence_state judge(uint64_t is, uint64_t planned)
{
    if (planned == PLAN_UNSET || planned == PLAN_UNLIMITED)
        return is == PLAN_UNSET ? EVIDENCE_GRANTED : EVIDENCE_HOLDS;
    return is == PLAN_UNSET || is > planned ? EVIDENCE_BROKEN : EVIDENCE_HOLDS;
}

int limits_not_delegated(const struct subject *s, const char *controller, const char *v2, const char *what,
                         const char *instead, struct evidence *ret, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    struct err absent = {0};
    if (!identity_rootless() || subject_has_group(s, controller) ||
        (subject_has_group(s, NULL) && subject_read_cgroup(s, NULL, v2, &text, NULL, &absent) == 0))
        return 0;
    int r = evidence_add(ret, 4, EVIDENCE_NOT_ENFORCED, what, "", e,
                         "not limited%s: no delegation of control groups (systemd-run --user --scope -p "
                         "Delegate=yes casemate run ...)",
                         instead);
    return r < 0 ? r : 1;
}

static int explain_memory(const struct subject *s, struct evidence *ret, struct err *e)
{
    _cleanup_limit_ struct limit memory = {0};
    char text[SIZE_TEXT] = "not limited";
    int r = limits_not_delegated(s, "memory", "memory.max", "memory", " in all, only each process's data",
                                 ret, e);
    if (r != 0)
        return r < 0 ? r : 0;
    r = read_limit(s, "memory", "memory.limit_in_bytes", "memory.max", &memory, e);
    if (r < 0)
        return r;
    if (memory.value != PLAN_UNSET)
        size_text(memory.value, text);
    return evidence_add(ret, 4, judge(memory.value, s->plan->memory), "memory", memory.source, e, "%s", text);
}

/* v1 limits memory and swap together, v2 swap alone. */
static int read_swap(const struct subject *s, struct limit *ret, struct err *e)
{
    _cleanup_limit_ struct limit memory = {0};
    _cleanup_buf_ struct buf text = {0};
    struct err absent = {0};
    if (subject_read_cgroup(s, "memory", "memory.memsw.limit_in_bytes", &text, &ret->source, &absent) < 0) {
        int r = subject_read_cgroup(s, NULL, "memory.swap.max", &text, &ret->source, e);
        return r < 0 ? r : parse_limit(text.data ? text.data : "", &ret->value, e);
    }
    int r = parse_limit(text.data ? text.data : "", &ret->value, e);
    if (r == 0)
        r = read_limit(s, "memory", "memory.limit_in_bytes", "memory.max", &memory, e);
    if (r == 0 && ret->value != PLAN_UNSET)
        ret->value = ret->value > memory.value ? ret->value - memory.value : 0;
    return r;
}

static int explain_swap(const struct subject *s, struct evidence *ret, struct err *e)
{
    _cleanup_limit_ struct limit swap = {0};
    struct err absent = {0};
    char text[SIZE_TEXT] = "not limited";
    const struct plan *p = s->plan;
    int r = limits_not_delegated(s, "memory", "memory.swap.max", "swap", "", ret, e);
    if (r != 0)
        return r < 0 ? r : 0;
    if (read_swap(s, &swap, &absent) < 0)
        return absent.code == ENOENT ? evidence_add(ret, 4, EVIDENCE_UNKNOWN, "swap", "", e,
                                                    "this kernel does not count swap by control group")
                                     : err_set(e, absent.code, "%s", absent.text);
    uint64_t planned = p->memory_swap == PLAN_UNSET || p->memory_swap == PLAN_UNLIMITED ? PLAN_UNSET
                       : p->memory == PLAN_UNSET                                        ? PLAN_UNSET
                                                 : p->memory_swap - p->memory;
    if (swap.value == 0)
        (void)snprintf(text, sizeof(text), "none");
    else if (swap.value != PLAN_UNSET)
        size_text(swap.value, text);
    return evidence_add(ret, 4, judge(swap.value, planned), "swap", swap.source, e, "%s", text);
}

/* Quota and period: two files on v1, "QUOTA PERIOD" on v2. In units of 1e-9 processors. */
static int read_cpus(const struct subject *s, struct limit *ret, struct err *e)
{
    _cleanup_buf_ struct buf quota = {0};
    _cleanup_buf_ struct buf period = {0};
    struct err absent = {0};
    uint64_t us = 0;
    const char *period_text = NULL;
    int r = subject_read_cgroup(s, "cpu", "cpu.cfs_quota_us", &quota, &ret->source, &absent);
    if (r == 0) {
        r = subject_read_cgroup(s, "cpu", "cpu.cfs_period_us", &period, NULL, e);
        period_text = period.data;
    } else {
        r = subject_read_cgroup(s, NULL, "cpu.max", &quota, &ret->source, e);
        char *blank = r == 0 && quota.data ? strchr(quota.data, ' ') : NULL;
        if (blank)
            *blank++ = '\0';
        period_text = blank;
    }
    if (r == 0)
        r = parse_limit(quota.data ? quota.data : "", &ret->value, e);
    if (r < 0 || ret->value == PLAN_UNSET)
        return r;
    r = num_parse_u64(period_text ? period_text : "", UINT32_MAX, &us, e);
    if (r == 0 && us == 0)
        r = err_set(e, EINVAL, "the period of the processor limit is 0");
    if (r == 0)
        ret->value = ret->value * NANO / us;
    return r;
}

static int explain_cpus(const struct subject *s, struct evidence *ret, struct err *e)
{
    _cleanup_limit_ struct limit cpus = {0};
    int r = limits_not_delegated(s, "cpu", "cpu.max", "processors", "", ret, e);
    if (r != 0)
        return r < 0 ? r : 0;
    r = read_cpus(s, &cpus, e);
    if (r < 0)
        return r;
    enum evidence_state state = judge(cpus.value, s->plan->cpus_nano);
    return cpus.value == PLAN_UNSET ? evidence_add(ret, 4, state, "processors", cpus.source, e, "not limited")
                                    : evidence_add(ret, 4, state, "processors", cpus.source, e, "%llu.%02llu",
                                                   (unsigned long long)(cpus.value / NANO),
                                                   (unsigned long long)(cpus.value % NANO / (NANO / 100)));
}

static int explain_pids(const struct subject *s, struct evidence *ret, struct err *e)
{
    _cleanup_limit_ struct limit pids = {0};
    int r = limits_not_delegated(s, "pids", "pids.max", "processes",
                                 " in all, only for each user in it (nproc)", ret, e);
    if (r != 0)
        return r < 0 ? r : 0;
    r = read_limit(s, "pids", "pids.max", "pids.max", &pids, e);
    if (r < 0)
        return r;
    enum evidence_state state = judge(pids.value, s->plan->pids);
    return pids.value == PLAN_UNSET ? evidence_add(ret, 4, state, "processes", pids.source, e, "not limited")
                                    : evidence_add(ret, 4, state, "processes", pids.source, e, "%llu",
                                                   (unsigned long long)pids.value);
}

/* /proc/PID/limits is a table with fixed headings (proc(5)); only those that the practice sets are shown. */
static const struct {
    const char *name;
    const char *heading;
} ulimits[] = {
    {"nofile", "Max open files"},
    {"core", "Max core file size"},
    {"memlock", "Max locked memory"},
    {"nproc", "Max processes"},
};

static const struct plan_ulimit *planned_ulimit(const struct plan *p, const char *name)
{
    for (size_t i = 0; i < p->ulimit_count; i++)
        if (str_equal(p->ulimits[i].name, name))
            return &p->ulimits[i];
    return NULL;
}

static uint64_t ulimit_value(const char *word)
{
    uint64_t value = PLAN_UNSET;
    struct err ignored = {0};
    return num_parse_u64(word, UINT64_MAX, &value, &ignored) < 0 ? PLAN_UNSET : value;
}

/* The limit by user stands for the group's, where that is not to be had: one that a lower one of the group covers is in force. */
static bool group_covers(const struct subject *s, const struct plan_ulimit *planned)
{
    _cleanup_limit_ struct limit pids = {0};
    struct err ignored = {0};
    return str_equal(planned->name, "nproc") &&
           read_limit(s, "pids", "pids.max", "pids.max", &pids, &ignored) == 0 &&
           judge(pids.value, planned->hard) == EVIDENCE_HOLDS;
}

static int explain_ulimit(const struct subject *s, const char *text, size_t i, struct evidence *ret,
                          struct err *e)
{
    char soft[32], hard[32], source[SUBJECT_SOURCE];
    const char *line = strstr(text, ulimits[i].heading);
    const struct plan_ulimit *planned = planned_ulimit(s->plan, ulimits[i].name);
    if (!line || sscanf(line + strlen(ulimits[i].heading), "%31s %31s", soft, hard) != 2)
        return err_set(e, EINVAL, "limits of the container have no '%s'", ulimits[i].heading);
    /* A process may raise its soft limit up to the hard one, and servers do: the bound is the hard one. */
    enum evidence_state state = planned ? judge(ulimit_value(hard), planned->hard) : EVIDENCE_HOLDS;
    if (state == EVIDENCE_BROKEN && group_covers(s, planned))
        state = EVIDENCE_HOLDS;
    return evidence_add(ret, 4, state, ulimits[i].name, subject_source(s, "limits", source), e,
                        "%s, at most %s", soft, hard);
}

static int explain_ulimits(const struct subject *s, struct evidence *ret, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = subject_read(s, "limits", LIMITS_MAX, &text, e);
    for (size_t i = 0; i < ARRAY_SIZE(ulimits) && r == 0; i++)
        r = explain_ulimit(s, text.data, i, ret, e);
    return r;
}

/* The kernel writes the size as "size=65536k". */
static uint64_t size_option(const char *data)
{
    char text[32];
    uint64_t bytes = 0;
    struct err ignored = {0};
    const char *size = data ? strstr(data, "size=") : NULL;
    size_t n = size ? strcspn(size += strlen("size="), ",") : 0;
    if (n == 0 || n >= sizeof(text))
        return PLAN_UNSET;
    memcpy(text, size, n);
    text[n] = '\0';
    return num_parse_size(text, &bytes, &ignored) < 0 ? PLAN_UNSET : bytes;
}

static int explain_shm(const struct subject *s, struct evidence *ret, struct err *e)
{
    _cleanup_mount_table_ struct mount_table mounts = {0};
    char source[SUBJECT_SOURCE], text[SIZE_TEXT] = "not limited";
    int r = subject_mounts(s, &mounts, e);
    if (r < 0)
        return r;
    const struct mount_entry *m = mount_table_at(&mounts, "/dev/shm");
    if (!m && s->plan->ipc_mode && str_equal(s->plan->ipc_mode, "none"))
        return evidence_add(ret, 4, EVIDENCE_HOLDS, "/dev/shm", subject_source(s, "mountinfo", source), e,
                            "none");
    uint64_t size = size_option(m ? m->data : NULL);
    if (size != PLAN_UNSET)
        size_text(size, text);
    return evidence_add(ret, 4, judge(size, s->plan->shm_size), "/dev/shm",
                        subject_source(s, "mountinfo", source), e, "%s", text);
}

static int explain_oom_score(const struct subject *s, struct evidence *ret, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    char source[SUBJECT_SOURCE];
    int score = 0;
    int r = subject_read(s, "oom_score_adj", LIMITS_MAX, &text, e);
    if (r < 0)
        return r;
    if (!text.data || sscanf(text.data, "%d", &score) != 1)
        return err_set(e, EINVAL, "oom_score_adj of the container is no number");
    bool planned = s->plan->oom_score_adj == PLAN_SCORE_UNSET ? score > 0 : score >= s->plan->oom_score_adj;
    return evidence_add(ret, 4, planned ? EVIDENCE_HOLDS : EVIDENCE_BROKEN, "ended before the host",
                        subject_source(s, "oom_score_adj", source), e, "score %d", score);
}

int limits_explain(const struct subject *s, struct evidence *ret, struct err *e)
{
    int r = explain_memory(s, ret, e);
    if (r == 0)
        r = explain_swap(s, ret, e);
    if (r == 0)
        r = explain_cpus(s, ret, e);
    if (r == 0)
        r = explain_pids(s, ret, e);
    if (r == 0)
        r = explain_ulimits(s, ret, e);
    if (r == 0)
        r = explain_oom_score(s, ret, e);
    if (r == 0)
        r = limits_explain_io(s, ret, e);
    if (r == 0)
        r = limits_explain_disk(s, ret, e);
    return r < 0 ? r : explain_shm(s, ret, e);
}
