/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The newcomer's page: one line per practice with what could be seen from inside, whether good or bad. It says nothing that it
 * has not tried: what only the engine knows is left to `casemate explain`.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hello/expect.h"
#include "hello/hello.h"
#include "hello/probe.h"

#define LINE_TEXT_MAX 51 /* what is left of 80 columns, and the end */
#define MIB (1024LL * 1024)
#define SHOWN_IN_GIB_FROM (10 * 1024 * MIB)
#define POWERS_SHOWN 4

enum verdict {
    HOLDS,
    BROKEN,
    NOT_INSIDE, /* cannot be seen from inside */
};

struct line {
    enum verdict verdict;
    char text[LINE_TEXT_MAX];
};

static void say(struct line *line, bool holds, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void say(struct line *line, bool holds, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(line->text, sizeof(line->text), format, ap);
    va_end(ap);
    line->verdict = holds ? HOLDS : BROKEN;
}

static void show_nothing(const struct probe *p, struct line *line)
{
    (void)p;
    line->verdict = NOT_INSIDE;
    (void)snprintf(line->text, sizeof(line->text), "not visible inside: casemate explain");
}

static const char *first_existing(const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (access(paths[i], F_OK) == 0)
            return paths[i];
    return NULL;
}

static void show_network(const struct probe *p, struct line *line)
{
    static const char *const sockets[] = {"/run/casemate", "/run/docker.sock", "/var/run/docker.sock",
                                          "/run/containerd/containerd.sock", "/run/podman/podman.sock"};
    const char *engine = first_existing(sockets, ARRAY_SIZE(sockets));
    size_t n = p->interfaces.count;
    if (engine)
        say(line, false, "%s is in here", engine);
    else if (p->metadata_route)
        say(line, false, "the metadata service, 169.254.169.254, has a route");
    else
        say(line, true, "%zu interface%s, no engine socket, no metadata", n, n == 1 ? "" : "s");
}

static void show_limits(const struct probe *p, struct line *line)
{
    char memory[48] = "all memory", cpu[48] = "all processors", pids[48] = "no process limit";
    const struct limits *l = &p->limits;
    if (l->memory >= 0)
        (void)snprintf(memory, sizeof(memory),
                       l->memory < SHOWN_IN_GIB_FROM ? "memory %lld MiB" : "memory %lld GiB",
                       l->memory / (l->memory < SHOWN_IN_GIB_FROM ? MIB : 1024 * MIB));
    if (l->millicores >= 0)
        (void)snprintf(cpu, sizeof(cpu), "%lld.%02lld processors", l->millicores / 1000,
                       l->millicores % 1000 / 10);
    if (l->pids >= 0)
        (void)snprintf(pids, sizeof(pids), "%lld processes", l->pids);
    say(line, l->memory >= 0 && l->millicores >= 0 && l->pids >= 0 && l->pids <= EXPECT_PIDS_MAX,
        "%s, %s, %s", memory, cpu, pids);
}

static void show_host(const struct probe *p, struct line *line)
{
    bool holds = p->host_info.count <= EXPECT_HOST_INFO_MAX &&
                 p->proc_writable.count <= EXPECT_PROC_WRITABLE_MAX && p->sys_writable.count == 0;
    say(line, holds, "hidden %zu of %zu host facts; writable settings %zu",
        p->host_info_tried - p->host_info.count, p->host_info_tried,
        p->proc_writable.count + p->sys_writable.count);
}

static void show_capabilities(const struct probe *p, struct line *line)
{
    const struct identity *me = &p->identity;
    int effective = me->caps_count[CAPS_EFFECTIVE], bounding = me->caps_count[CAPS_BOUNDING];
    if (effective < 0 || bounding < 0)
        say(line, false, "/proc/self/status cannot be read");
    else
        say(line, effective == 0 && bounding == 0, "%d of %d; within reach %d", effective, me->caps_known,
            bounding);
}

static void show_syscalls(const struct probe *p, struct line *line)
{
    size_t families = p->socket_families.count;
    bool holds =
        p->syscalls.count <= EXPECT_SYSCALLS_MAX && families <= EXPECT_FAMILIES_MAX && !p->int80 && !p->x32;
    say(line, holds, "%zu of %zu reachable; %zu socket families; %s32-bit", p->syscalls.count,
        p->syscalls_tried, families, p->int80 || p->x32 ? "" : "no ");
}

static void show_image(const struct probe *p, struct line *line)
{
    static const char *const heavy[] = {"/bin/sh",      "/bin/bash", "/bin/busybox", "/usr/bin/apt",
                                        "/usr/bin/dnf", "/sbin/apk", "/usr/bin/gcc", "/usr/sbin/sshd"};
    const char *found = first_existing(heavy, ARRAY_SIZE(heavy));
    (void)p;
    if (found)
        say(line, false, "%s is in here", found);
    else
        say(line, true, "no shell, no package manager, no compiler");
}

static void show_user(const struct probe *p, struct line *line)
{
    const struct identity *me = &p->identity;
    bool holds = me->root_host_id != 0 && me->no_new_privs == 1 && !p->setuid.escalates;
    char root[48] = "uid 0 does not exist here";
    if (me->root_host_id >= 0)
        (void)snprintf(root, sizeof(root), "uid 0 here is host id %lld", me->root_host_id);
    say(line, holds, "%s; no_new_privs %s", root, me->no_new_privs == 1 ? "on" : "off");
}

static void show_secrets(const struct probe *p, struct line *line)
{
    const struct names *variables = &p->identity.environment;
    for (size_t i = 0; i < names_kept(variables); i++) {
        if (variables->name[i] && name_is_secret(variables->name[i])) {
            say(line, false, "the environment has %.32s", variables->name[i]);
            return;
        }
    }
    say(line, true, "none among %zu environment variables", variables->count);
}

static void show_files(const struct probe *p, struct line *line)
{
    size_t bad = p->mounts_without_nosuid.count;
    if (p->leaked.count > 0)
        say(line, false, "%zu open files of the engine leaked in", p->leaked.count);
    else if (bad > 0)
        say(line, false, "%zu of %zu mounts let setuid work", bad, p->mounts.count);
    else
        say(line, p->mounts.count > 0, "%zu mounts, all nosuid; no file leaked in", p->mounts.count);
}

static void show_ports(const struct probe *p, struct line *line)
{
    size_t n = p->listeners.count;
    say(line, n == 0, "%zu port%s open in here", n, n == 1 ? "" : "s");
}

static const struct {
    const char *title;
    void (*show)(const struct probe *p, struct line *line);
} practices[] = {
    {"updates", show_nothing},
    {"lean and clean", show_nothing},
    {"API and network", show_network},
    {"resource limits", show_limits},
    {"host isolation", show_host},
    {"capabilities", show_capabilities},
    {"system calls", show_syscalls},
    {"trusted images", show_nothing},
    {"scanning", show_nothing},
    {"minimal base images", show_image},
    {"least-privileged user", show_user},
    {"secrets", show_secrets},
    {"files and logs", show_files},
    {"encryption and access", show_ports},
};

struct look {
    const char *good, *bad, *dim, *bold, *plain;
};

static struct look look_choose(void)
{
    static const struct look bare = {"", "", "", "", ""};
    static const struct look coloured = {"\033[32m", "\033[31m", "\033[2m", "\033[1m", "\033[0m"};
    const char *no_color = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no_color && *no_color) ? coloured : bare;
}

static void line_print(const struct look *look, size_t number, const char *title, const struct line *line)
{
    static const char *const marks[] = {[HOLDS] = "ok", [BROKEN] = "!!", [NOT_INSIDE] = "--"};
    const char *const colours[] = {[HOLDS] = look->good, [BROKEN] = look->bad, [NOT_INSIDE] = look->dim};
    printf("%s%s%s %2zu  %-21s  %s%s%s\n", colours[line->verdict], marks[line->verdict], look->plain, number,
           title, line->verdict == NOT_INSIDE ? look->dim : "", line->text,
           line->verdict == NOT_INSIDE ? look->plain : "");
}

static void powers_print(const struct power_results *powers)
{
    size_t shown = 0;
    printf("\n%zu powers tried, from mount to reboot: ", powers->tried);
    if (powers->working == 0) {
        puts("none works.");
        return;
    }
    printf("%zu work%s\n  ", powers->working, powers->working == 1 ? "s" : "");
    for (size_t i = 0; i < powers->tried && shown < POWERS_SHOWN; i++)
        if (powers->works[i])
            printf("%s%s", shown++ ? ", " : "", powers->name[i]);
    if (powers->working > shown)
        printf(" and %zu more", powers->working - shown);
    putchar('\n');
}

int verb_evidence(int argc, char **argv)
{
    static struct probe probe;
    struct look look = look_choose();
    size_t held = 0, shown = 0;
    (void)argv;
    if (argc > 1)
        return verb_help(argc, argv);

    probe_collect(&probe);
    printf("\n%sHello from inside a container.%s This is what it tried, and what came of it.\n\n", look.bold,
           look.plain);
    for (size_t i = 0; i < ARRAY_SIZE(practices); i++) {
        struct line line;
        practices[i].show(&probe, &line);
        line_print(&look, i + 1, practices[i].title, &line);
        held += line.verdict == HOLDS;
        shown += line.verdict != NOT_INSIDE;
    }
    powers_print(&probe.powers);
    printf("%s%zu of the %zu practices visible in here hold.%s The rest: casemate explain\n\n",
           held == shown ? look.good : look.bad, held, shown, look.plain);
    return 0;
}
