/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules for the devices controller of v1 (cgroup.h). A group that denies what its list does not have keeps its list but for what has to change:
 * others may be in it, and with groups below it the kernel refuses to begin anew.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "oci/cgroup_devices.h"

#define LIST_FILE "devices.list"
#define LIST_MAX (1U << 20)

/* What is allowed beside everything else, which is denied. */
struct exceptions {
    struct device_rule *items;
    size_t count;
};

static void exceptions_clear(struct exceptions *x)
{
    free(x->items);
}

static struct device_rule *find(const struct exceptions *x, const struct device_rule *r)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->items[i].type == r->type && x->items[i].major_number == r->major_number &&
            x->items[i].minor_number == r->minor_number)
            return &x->items[i];
    return NULL;
}

/* As the kernel does: an exception is added to, and taken from, the one with the same numbers. There is room for all of them. */
static void apply(struct exceptions *x, const struct device_rule *r)
{
    struct device_rule *same = find(x, r);
    if (same)
        same->access = r->allow ? same->access | r->access : same->access & ~r->access;
    else if (r->allow)
        x->items[x->count++] = *r;
}

static int64_t number_from(const char **at)
{
    char *end;
    if (**at == '*') {
        (*at)++;
        return DEVICE_ANY;
    }
    long n = strtol(*at, &end, 10);
    *at = end;
    return n;
}

/* "c 136:* rwm", the kernel's own. */
static struct device_rule parse(const char *line)
{
    struct device_rule r = {.allow = true, .type = *line};
    const char *at = line + 1 + strspn(line + 1, " ");
    r.major_number = number_from(&at);
    at += *at == ':';
    r.minor_number = number_from(&at);
    for (; *at && *at != '\n'; at++)
        r.access |= *at == 'r'   ? (uint32_t)BPF_DEVCG_ACC_READ
                    : *at == 'w' ? (uint32_t)BPF_DEVCG_ACC_WRITE
                    : *at == 'm' ? (uint32_t)BPF_DEVCG_ACC_MKNOD
                                 : 0;
    return r;
}

/* *ret_open: everything is allowed but what the list does not tell. */
static int read_list(int dir, struct exceptions *ret, bool *ret_open, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = io_read_file_at(dir, LIST_FILE, LIST_MAX, &text, e);
    if (r < 0 || text.length == 0)
        return r;
    size_t lines = 0;
    for (const char *at = text.data; (at = strchr(at, '\n')); at++)
        lines++;
    *ret_open = *text.data == 'a';
    ret->items = calloc(lines + 1, sizeof(*ret->items));
    if (!ret->items)
        return err_oom(e);
    for (const char *at = text.data; lines > 0 && !*ret_open; lines--, at = strchr(at, '\n') + 1)
        ret->items[ret->count++] = parse(at);
    return 0;
}

/* What is in `from` and not in `without`. */
static int write_rest(int dir, bool allow, const struct exceptions *from, const struct exceptions *without,
                      struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < from->count && r == 0; i++) {
        struct device_rule rule = from->items[i];
        const struct device_rule *same = find(without, &rule);
        rule.access &= same ? ~same->access : ~0U;
        rule.allow = allow;
        r = rule.access ? device_rule_write(dir, &rule, e) : 0;
    }
    return r;
}

static int deny_everything(int dir, struct err *e)
{
    static const struct device_rule everything = {.allow = false, .type = 'a'};
    int r = device_rule_write(dir, &everything, e);
    return r == -EINVAL ? err_wrap(e, "the control group allows all devices and has groups below it, so the "
                                      "kernel changes neither")
                        : r;
}

/* Everything is denied but what these rules allow. */
static int narrow(int dir, const struct device_rule *rules, size_t count, struct err *e)
{
    bool open = false;
    _cleanup_(exceptions_clear) struct exceptions now = {0};
    _cleanup_(exceptions_clear) struct exceptions wanted = {calloc(count + 1, sizeof(*rules)), 0};
    if (!wanted.items)
        return err_oom(e);
    for (size_t i = 0; i < count; i++)
        apply(&wanted, &rules[i]);
    int r = read_list(dir, &now, &open, e);
    if (r == 0 && open)
        r = deny_everything(dir, e);
    if (r == 0)
        r = write_rest(dir, false, &now, &wanted, e);
    return r == 0 ? write_rest(dir, true, &wanted, &now, e) : r;
}

int oci_devices_write_v1(int dir, const struct device_rule *rules, size_t count, struct err *e)
{
    size_t last = count; /* rule about everything: what comes before it is void */
    int r = 0;
    for (size_t i = 0; i < count; i++)
        last = rules[i].type == 'a' ? i : last;
    if (last < count && !rules[last].allow)
        return narrow(dir, rules + last + 1, count - last - 1, e);
    for (size_t i = last < count ? last : 0; i < count && r == 0; i++)
        r = device_rule_write(dir, &rules[i], e);
    return r;
}
