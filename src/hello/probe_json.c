/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the probe as one JSON object. The keys are fixed: tests/attack/probe_expect.py and other engines' figures are compared
 * by them; a change of meaning raises PROBE_FORMAT. Limits that are not set or not visible are null. Pure ASCII, whatever names hold.
 */
#include <stdio.h>

#include "hello/probe.h"

#define PROBE_FORMAT 1

/* Between two members and around the whole. */
struct writer {
    bool one_line;
    bool first;
};

static void key(struct writer *w, const char *name)
{
    if (!w->first)
        putchar(',');
    fputs(w->one_line ? "" : "\n  ", stdout);
    printf("\"%s\":%s", name, w->one_line ? "" : " ");
    w->first = false;
}

static void value_text(const char *text)
{
    putchar('"');
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            printf("\\%c", *p);
        else if (*p < 0x20 || *p >= 0x7f)
            printf("\\u%04x", *p);
        else
            putchar(*p);
    }
    putchar('"');
}

static void put_number(struct writer *w, const char *name, long long value)
{
    key(w, name);
    printf("%lld", value);
}

/* -1 is "none". */
static void put_limit(struct writer *w, const char *name, long long value)
{
    key(w, name);
    if (value < 0)
        fputs("null", stdout);
    else
        printf("%lld", value);
}

static void put_bool(struct writer *w, const char *name, bool value)
{
    key(w, name);
    fputs(value ? "true" : "false", stdout);
}

static void put_text(struct writer *w, const char *name, const char *value)
{
    key(w, name);
    if (value)
        value_text(value);
    else
        fputs("null", stdout);
}

static void put_names(struct writer *w, const char *name, const struct names *list)
{
    key(w, name);
    putchar('[');
    for (size_t i = 0; i < names_kept(list); i++) {
        if (i > 0)
            putchar(',');
        value_text(list->name[i] ? list->name[i] : "");
    }
    putchar(']');
}

static void put_syscalls(struct writer *w, const struct probe *p)
{
    put_number(w, "syscalls_tried", (long long)p->syscalls_tried);
    put_number(w, "syscalls_reachable", (long long)p->syscalls.count);
    put_names(w, "syscalls_reachable_names", &p->syscalls);
    put_bool(w, "int80_works", p->int80);
    put_bool(w, "x32_works", p->x32);
}

static void put_powers(struct writer *w, const struct power_results *r)
{
    put_number(w, "powers_tried", (long long)r->tried);
    put_number(w, "powers_working", (long long)r->working);
    key(w, "powers");
    putchar('{');
    for (size_t i = 0; i < r->tried; i++)
        printf("%s\"%s\":%d", i > 0 ? "," : "", r->name[i], r->works[i]);
    putchar('}');
}

static void put_capabilities(struct writer *w, const struct identity *me)
{
    static const char *const names[CAPS_SETS] = {"cap_inh", "cap_prm", "cap_eff", "cap_bnd", "cap_amb"};
    char hex[16];
    put_number(w, "caps_known", me->caps_known);
    for (size_t i = 0; i < CAPS_SETS; i++) {
        put_number(w, names[i], me->caps_count[i]);
        (void)snprintf(hex, sizeof(hex), "%s_hex", names[i]);
        put_text(w, hex, me->caps_hex[i]);
    }
    put_number(w, "no_new_privs", me->no_new_privs);
    put_number(w, "seccomp", me->seccomp_mode);
    put_number(w, "seccomp_filters", me->seccomp_filters);
}

static void put_ids(struct writer *w, const struct identity *me)
{
    char mask[8];
    put_number(w, "uid", me->uid);
    put_number(w, "euid", me->euid);
    put_number(w, "gid", me->gid);
    put_number(w, "egid", me->egid);
    key(w, "groups");
    putchar('[');
    for (size_t i = 0; i < me->groups_count && i < GROUPS_MAX_SHOWN; i++)
        printf("%s%lld", i > 0 ? "," : "", (long long)me->groups[i]);
    putchar(']');
    (void)snprintf(mask, sizeof(mask), "%04o", (unsigned)me->umask);
    put_text(w, "umask", mask);
    put_limit(w, "uid0_host", me->root_host_id);
    key(w, "namespaces");
    putchar('{');
    for (size_t i = 0; i < NAMESPACES; i++)
        printf("%s\"%s\":%llu", i > 0 ? "," : "", me->namespaces[i].name, me->namespaces[i].inode);
    putchar('}');
    put_names(w, "environment", &me->environment);
}

static void value_limit(long long value)
{
    if (value < 0)
        fputs("null", stdout);
    else
        printf("%lld", value);
}

static void put_limits(struct writer *w, const struct probe *p)
{
    put_text(w, "limits_source", p->limits.source);
    put_limit(w, "pids_limit", p->limits.pids);
    put_limit(w, "memory_limit", p->limits.memory);
    put_limit(w, "swap_limit", p->limits.swap);
    key(w, "cpu_limit");
    if (p->limits.millicores < 0)
        fputs("null", stdout);
    else
        printf("%lld.%03lld", p->limits.millicores / 1000, p->limits.millicores % 1000);
    key(w, "rlimits");
    putchar('{');
    for (size_t i = 0; i < RLIMITS; i++) {
        printf("%s\"%s\":{\"soft\":", i > 0 ? "," : "", p->identity.limits[i].name);
        value_limit(p->identity.limits[i].soft);
        fputs(",\"hard\":", stdout);
        value_limit(p->identity.limits[i].hard);
        putchar('}');
    }
    putchar('}');
}

static void put_files(struct writer *w, const struct probe *p)
{
    put_number(w, "proc_writable_count", (long long)p->proc_writable.count);
    put_names(w, "proc_writable", &p->proc_writable);
    put_number(w, "sys_writable_count", (long long)p->sys_writable.count);
    put_names(w, "sys_writable", &p->sys_writable);
    put_number(w, "host_info_tried", (long long)p->host_info_tried);
    put_names(w, "host_info", &p->host_info);
    put_names(w, "mounts", &p->mounts);
    put_names(w, "mounts_without_nosuid", &p->mounts_without_nosuid);
    put_names(w, "device_nodes", &p->devices);
    put_names(w, "leaked_fds", &p->leaked);
    put_bool(w, "suid_tried", p->setuid.tried);
    put_bool(w, "suid_escalates", p->setuid.escalates);
    put_text(w, "suid_why_not", p->setuid.why_not);
}

void probe_print_json(const struct probe *probe, bool one_line)
{
    struct writer w = {.one_line = one_line, .first = true};
    putchar('{');
    put_number(&w, "probe_format", PROBE_FORMAT);
    put_syscalls(&w, probe);
    put_powers(&w, &probe->powers);
    put_names(&w, "socket_families", &probe->socket_families);
    put_names(&w, "netlink_protocols", &probe->netlink_protocols);
    put_bool(&w, "metadata_route", probe->metadata_route);
    put_names(&w, "interfaces", &probe->interfaces);
    put_names(&w, "listeners", &probe->listeners);
    put_capabilities(&w, &probe->identity);
    put_ids(&w, &probe->identity);
    put_limits(&w, probe);
    put_files(&w, probe);
    fputs(one_line ? "}\n" : "\n}\n", stdout);
}
