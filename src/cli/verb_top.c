/* SPDX-License-Identifier: Apache-2.0 */
/* casemate top: the processes of a container, as ps(1) of the host would show them. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/containers.h"
#include "cli/table.h"
#include "engine/processes.h"

#define FIELDS_MAX 32
#define TEXT_MAX 64

struct moment {
    int64_t now, boot; /* ns since the epoch */
    uint64_t memory;   /* of the machine */
};

static int add_number(struct str_list *cells, uint64_t number, struct err *e)
{
    return str_list_addf(cells, e, "%llu", (unsigned long long)number);
}

static int64_t started(const struct process *p, const struct moment *m)
{
    return m->boot + (int64_t)(p->start_ticks * (uint64_t)(CLOCK_SECOND / sysconf(_SC_CLK_TCK)));
}

static uint64_t cpu_seconds(const struct process *p)
{
    return p->cpu_ticks / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* Part of one processor since its start, in 1/1000. */
static uint64_t cpu_share(const struct process *p, const struct moment *m)
{
    int64_t lived = m->now - started(p, m);
    uint64_t used = p->cpu_ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
    return lived < CLOCK_SECOND / 100 ? 0 : (uint64_t)((double)used * CLOCK_SECOND / (double)lived);
}

static int show_user(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    (void)m;
    const struct passwd *user = getpwuid(p->uid);
    return user ? str_list_add(cells, user->pw_name, e) : add_number(cells, p->uid, e);
}

static int show_uid(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    (void)m;
    return add_number(cells, p->uid, e);
}

static int show_group(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    (void)m;
    const struct group *group = getgrgid(p->gid);
    return group ? str_list_add(cells, group->gr_name, e) : add_number(cells, p->gid, e);
}

static int show_gid(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    (void)m;
    return add_number(cells, p->gid, e);
}

static int show_pid(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    (void)m;
    return add_number(cells, (uint64_t)p->pid, e);
}

static int show_ppid(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    (void)m;
    return add_number(cells, (uint64_t)p->ppid, e);
}

static int show_pgid(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    (void)m;
    return add_number(cells, (uint64_t)p->pgid, e);
}

static int show_session(const struct process *p, const struct moment *m, struct str_list *cells,
                        struct err *e)
{
    (void)m;
    return add_number(cells, (uint64_t)p->session, e);
}

static int show_share(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    uint64_t percent = cpu_share(p, m) / 10;
    return add_number(cells, percent > 99 ? 99 : percent, e);
}

static int show_percent(const struct process *p, const struct moment *m, struct str_list *cells,
                        struct err *e)
{
    return str_list_addf(cells, e, "%.1f", (double)cpu_share(p, m) / 10);
}

static int show_memory_percent(const struct process *p, const struct moment *m, struct str_list *cells,
                               struct err *e)
{
    return str_list_addf(cells, e, "%.1f", m->memory ? (double)p->resident * 100 / (double)m->memory : 0.0);
}

/* The time of the day, the day when it is older, the year when it is older still. */
static int show_start(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    char text[TEXT_MAX] = "";
    struct tm tm;
    int64_t age = m->now - started(p, m);
    time_t seconds = (time_t)(started(p, m) / CLOCK_SECOND);
    if (localtime_r(&seconds, &tm)) {
        if (age < 24 * 3600 * CLOCK_SECOND)
            (void)strftime(text, sizeof(text), "%H:%M", &tm);
        else if (age < 365 * 24 * 3600 * CLOCK_SECOND)
            (void)strftime(text, sizeof(text), "%b%d", &tm);
        else
            (void)strftime(text, sizeof(text), "%Y", &tm);
    }
    return str_list_add(cells, text, e);
}

static int show_terminal(const struct process *p, const struct moment *m, struct str_list *cells,
                         struct err *e)
{
    (void)m;
    unsigned device = (unsigned)p->terminal;
    if (!device)
        return str_list_add(cells, "?", e);
    bool pts = major(device) >= 136 && major(device) <= 143;
    return pts ? str_list_addf(cells, e, "pts/%u", (major(device) - 136) * 256 + minor(device))
               : str_list_addf(cells, e, "%u:%u", major(device), minor(device));
}

static int show_time(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    (void)m;
    unsigned long long used = cpu_seconds(p);
    return str_list_addf(cells, e, "%02llu:%02llu:%02llu", used / 3600, used / 60 % 60, used % 60);
}

static int show_short_time(const struct process *p, const struct moment *m, struct str_list *cells,
                           struct err *e)
{
    (void)m;
    unsigned long long used = cpu_seconds(p);
    return str_list_addf(cells, e, "%llu:%02llu", used / 60, used % 60);
}

static int show_elapsed(const struct process *p, const struct moment *m, struct str_list *cells,
                        struct err *e)
{
    int64_t age = (m->now - started(p, m)) / CLOCK_SECOND;
    unsigned long long s = age > 0 ? (unsigned long long)age : 0;
    if (s >= 86400)
        return str_list_addf(cells, e, "%llu-%02llu:%02llu:%02llu", s / 86400, s / 3600 % 24, s / 60 % 60,
                             s % 60);
    return s >= 3600 ? str_list_addf(cells, e, "%02llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60)
                     : str_list_addf(cells, e, "%02llu:%02llu", s / 60, s % 60);
}

static int show_args(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    (void)m;
    return str_list_add(cells, p->args, e);
}

static int show_name(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    (void)m;
    return str_list_add(cells, p->name, e);
}

static int show_state(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    (void)m;
    return str_list_addf(cells, e, "%c", p->state);
}

static int show_resident(const struct process *p, const struct moment *m, struct str_list *cells,
                         struct err *e)
{
    (void)m;
    return add_number(cells, p->resident / 1024, e);
}

static int show_memory(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    (void)m;
    return add_number(cells, p->memory / 1024, e);
}

static int show_nice(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e)
{
    (void)m;
    return str_list_addf(cells, e, "%lld", (long long)p->nice);
}

static int show_priority(const struct process *p, const struct moment *m, struct str_list *cells,
                         struct err *e)
{
    (void)m;
    return str_list_addf(cells, e, "%lld", (long long)p->priority);
}

static int show_threads(const struct process *p, const struct moment *m, struct str_list *cells,
                        struct err *e)
{
    (void)m;
    return add_number(cells, p->threads, e);
}

/* Names and headings of ps(1). */
static const struct field {
    const char *name, *heading;
    int (*show)(const struct process *p, const struct moment *m, struct str_list *cells, struct err *e);
} fields[] = {
    {"user", "USER", show_user},
    {"euser", "EUSER", show_user},
    {"uid", "UID", show_uid},
    {"group", "GROUP", show_group},
    {"gid", "GID", show_gid},
    {"pid", "PID", show_pid},
    {"ppid", "PPID", show_ppid},
    {"pgid", "PGID", show_pgid},
    {"pgrp", "PGRP", show_pgid},
    {"sid", "SID", show_session},
    {"sess", "SESS", show_session},
    {"c", "C", show_share},
    {"pcpu", "%CPU", show_percent},
    {"%cpu", "%CPU", show_percent},
    {"pmem", "%MEM", show_memory_percent},
    {"%mem", "%MEM", show_memory_percent},
    {"stime", "STIME", show_start},
    {"start_time", "START", show_start},
    {"start", "START", show_start},
    {"tty", "TTY", show_terminal},
    {"tt", "TT", show_terminal},
    {"time", "TIME", show_time},
    {"cputime", "TIME", show_time},
    {"etime", "ELAPSED", show_elapsed},
    {"cmd", "CMD", show_args},
    {"args", "COMMAND", show_args},
    {"command", "COMMAND", show_args},
    {"comm", "COMMAND", show_name},
    {"ucmd", "CMD", show_name},
    {"s", "S", show_state},
    {"state", "S", show_state},
    {"stat", "STAT", show_state},
    {"rss", "RSS", show_resident},
    {"vsz", "VSZ", show_memory},
    {"ni", "NI", show_nice},
    {"nice", "NI", show_nice},
    {"pri", "PRI", show_priority},
    {"nlwp", "NLWP", show_threads},
    {"bsdtime", "TIME", show_short_time},
};

struct selection {
    const struct field *fields[FIELDS_MAX];
    const char *headings[FIELDS_MAX];
    size_t count;
};

static int select_field(struct selection *x, const char *name, const char *heading, struct err *e)
{
    size_t length = strcspn(name, "=");
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (strlen(fields[i].name) != length || strncmp(fields[i].name, name, length) != 0)
            continue;
        if (x->count == FIELDS_MAX)
            return err_set(e, EINVAL, "top: more than %d fields", FIELDS_MAX);
        x->headings[x->count] = heading ? heading : fields[i].heading;
        x->fields[x->count++] = &fields[i];
        return 0;
    }
    return err_set(
        e, EINVAL,
        "top: no field '%.*s'; there are user uid group gid pid ppid pgid sid c pcpu pmem stime tty time "
        "etime cmd args comm s rss vsz ni pri nlwp",
        (int)length, name);
}

/* "pid,comm" or "pid comm" */
static int select_list(struct selection *x, const char *list, struct err *e)
{
    int r = 0;
    while (r == 0 && *list) {
        _cleanup_free_ char *name = NULL;
        size_t n = strcspn(list, ", ");
        r = str_copy_n(list, n, &name, e);
        if (r == 0 && n)
            r = select_field(x, name, NULL, e);
        list += n + (list[n] != '\0');
    }
    return r;
}

/* What people write behind `top NAME`: -ef, aux, -o LIST, -eo LIST, -o=LIST. */
static int select_fields(char **words, struct selection *x, struct err *e)
{
    static const char full[] = "user,pid,ppid,c,stime,tty,time,cmd";
    static const char bsd[] = "user,pid,pcpu,pmem,vsz,rss,tty,stat,start,bsdtime,command";
    const char *chosen = full;
    int r = 0;
    for (; *words && r == 0; words++) {
        const char *word = *words + (**words == '-');
        size_t plain = strspn(word, "eAfFwWH");
        bool list = word[plain] == 'o' && (plain > 0 || **words == '-' || str_equal(word, "o"));
        if (list) {
            const char *value = word + plain + 1;
            value += *value == '=';
            if (!*value && !*++words)
                return err_set(e, EINVAL, "top: -o needs a list of fields, such as -o pid,comm");
            r = select_list(x, *value ? value : *words, e);
        } else if (strspn(word, "auxw") == strlen(word)) {
            chosen = bsd;
        } else if (plain != strlen(word)) {
            return err_set(e, EINVAL, "top: '%s' is not supported; -ef, aux and -o FIELD,FIELD are", *words);
        }
    }
    bool is_full = chosen == full;
    if (r == 0 && x->count == 0) {
        r = select_list(x, chosen, e);
        if (r == 0 && is_full)
            x->headings[0] = "UID"; /* as ps -f heads its column of names */
    }
    return r;
}

static int print(const struct process_list *list, const struct selection *x, const struct moment *m,
                 struct err *e)
{
    _cleanup_table_ struct table t = {.columns = x->count};
    int r = 0;
    for (size_t i = 0; i < x->count && r == 0; i++)
        r = table_add(&t, x->headings[i], e);
    for (size_t i = 0; i < list->count && r == 0; i++) {
        _cleanup_str_list_ struct str_list cells = {0};
        for (size_t f = 0; f < x->count && r == 0; f++)
            r = x->fields[f]->show(&list->items[i], m, &cells, e);
        for (size_t f = 0; f < cells.count && r == 0; f++)
            r = table_add(&t, cells.items[f], e);
    }
    if (r == 0)
        table_print(&t, table_terminal_width(STDOUT_FILENO), stdout);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_container_ struct container c = CONTAINER_INIT;
    _cleanup_process_list_ struct process_list list = {0};
    struct selection x = {0};
    struct sysinfo machine;
    struct timespec up;
    int r = select_fields(in->arguments + 1, &x, e);
    if (r == 0)
        r = containers_open(&s, in->arguments[0], &c, e);
    if (r == 0)
        r = processes_read(&c, &list, e);
    if (r < 0)
        return r;
    if (sysinfo(&machine) < 0 || clock_gettime(CLOCK_BOOTTIME, &up) < 0)
        return err_errno(e, "what this machine is");
    struct moment m = {.now = clock_now(), .memory = (uint64_t)machine.totalram * machine.mem_unit};
    m.boot = m.now - (up.tv_sec * CLOCK_SECOND + up.tv_nsec);
    r = print(&list, &x, &m, e);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_top = {
    .name = "top",
    .aliases = "container top",
    .group = VERB_CONTAINERS,
    .flags = VERB_STOPS,
    .usage = "CONTAINER [-ef | aux | -o FIELD,FIELD...]",
    .summary = "Show the processes of a container",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "containers",
    .run = run,
};
