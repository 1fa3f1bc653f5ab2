/* SPDX-License-Identifier: Apache-2.0 */
/* Reading /proc for `top` (processes.h). Names and command lines are content of the container; a process may end at any point. */
#include "engine/processes.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "engine/first_process.h"

#define STAT_MAX 2048

void process_list_clear(struct process_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].args);
    }
    free(list->items);
    *list = (struct process_list){0};
}

/* Behind the name, which may hold blanks and parentheses: proc(5). */
static bool parse_stat(char *text, struct process *p)
{
    struct err ignored = {0};
    char *open = strchr(text, '(');
    char *close = strrchr(text, ')');
    long long group, session, terminal, priority, nice;
    unsigned long long user, system, threads, start, memory, resident;
    int ppid;
    if (!open || !close || close < open)
        return false;
    *close = '\0';
    if (sscanf(close + 1,
               " %c %d %lld %lld %lld %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %lld %lld %llu %*d %llu %llu "
               "%llu",
               &p->state, &ppid, &group, &session, &terminal, &user, &system, &priority, &nice, &threads,
               &start, &memory, &resident) != 13)
        return false;
    p->ppid = ppid;
    p->pgid = (pid_t)group;
    p->session = (pid_t)session;
    p->terminal = (int)terminal;
    p->priority = priority;
    p->nice = nice;
    p->threads = threads;
    p->cpu_ticks = user + system;
    p->start_ticks = start;
    p->memory = memory;
    p->resident = resident * (uint64_t)sysconf(_SC_PAGESIZE);
    return str_copy(open + 1, &p->name, &ignored) == 0;
}

/* Arguments with blanks between them. */
static int read_args(int dir, struct process *p, struct err *e)
{
    char text[PROCESSES_ARGS_MAX + 1];
    _cleanup_close_ int fd = openat(dir, "cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, PROCESSES_ARGS_MAX);
    while (n > 0 && text[n - 1] == '\0')
        n--;
    if (n <= 0)
        return str_format(&p->args, e, "[%s]", p->name);
    for (ssize_t i = 0; i < n; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    return str_copy_n(text, (size_t)n, &p->args, e);
}

/* 1: it is in the namespace, and *p is filled; 0: not, or it has ended. */
static int read_process(int dir, const struct stat *namespace, struct process *p, struct err *e)
{
    char text[STAT_MAX];
    struct stat st;
    if (fstatat(dir, "ns/pid", &st, 0) < 0 || st.st_ino != namespace->st_ino ||
        st.st_dev != namespace->st_dev)
        return 0;
    _cleanup_close_ int fd = openat(dir, "stat", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n <= 0 || fstat(dir, &st) < 0)
        return 0;
    text[n] = '\0';
    p->uid = st.st_uid;
    p->gid = st.st_gid;
    if (!parse_stat(text, p))
        return 0;
    str_neutralize(p->name);
    int r = read_args(dir, p, e);
    if (r < 0)
        return r;
    str_neutralize(p->args);
    return 1;
}

static int add_process(int dir, pid_t pid, const struct stat *namespace, struct process_list *list,
                       struct err *e)
{
    struct process p = {.pid = pid};
    int r = read_process(dir, namespace, &p, e);
    struct process *grown = r == 1 ? reallocarray(list->items, list->count + 1, sizeof(*grown)) : NULL;
    if (!grown) {
        free(p.name);
        free(p.args);
        return r == 1 ? err_oom(e) : r;
    }
    list->items = grown;
    grown[list->count++] = p;
    return 0;
}

static int compare_pids(const void *a, const void *b)
{
    pid_t x = ((const struct process *)a)->pid;
    pid_t y = ((const struct process *)b)->pid;
    return (x > y) - (x < y);
}

static int scan(const struct stat *namespace, struct process_list *list, struct err *e)
{
    _cleanup_closedir_ DIR *proc = opendir("/proc");
    if (!proc)
        return err_errno(e, "read /proc");
    for (const struct dirent *entry; (entry = readdir(proc));) {
        uint64_t pid;
        struct err none = {0};
        if (!isdigit((unsigned char)entry->d_name[0]) ||
            num_parse_u64(entry->d_name, INT32_MAX, &pid, &none) < 0)
            continue;
        _cleanup_close_ int dir = openat(dirfd(proc), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r = dir < 0 ? 0 : add_process(dir, (pid_t)pid, namespace, list, e);
        if (r < 0)
            return r;
    }
    return 0;
}

int processes_read(const struct container *c, struct process_list *ret, struct err *e)
{
    char path[64];
    struct stat namespace;
    struct process_list list = {0};
    _cleanup_close_ int first = first_process_open(c, e);
    if (first < 0)
        return first;
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", c->start.pid);
    if (stat(path, &namespace) < 0)
        return err_set(e, ESRCH, "Container %.12s is not running", c->id);
    int r = scan(&namespace, &list, e);
    if (r < 0) {
        process_list_clear(&list);
        return r;
    }
    if (list.count)
        qsort(list.items, list.count, sizeof(*list.items), compare_pids);
    *ret = list;
    return 0;
}
