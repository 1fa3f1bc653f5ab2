/* SPDX-License-Identifier: Apache-2.0 */
/* Sections of `debug` (debug.h) about processes, from /proc of the host. Processes come and go meanwhile: what has gone is left out. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/identity.h"
#include "base/ids.h"
#include "base/io.h"
#include "cli/debug.h"
#include "cli/human.h"
#include "engine/stats.h"
#include "plan/secret_text.h"
#include "practices/mount_table.h"

#define LIMITS_TEXT_MAX 8192
#define DESCRIPTORS_MAX 100000 /* of one process that are looked at */

static bool none(const struct debug *d, struct members *m)
{
    if (d->why[0])
        debug_unavailable(m, d->why);
    return d->why[0] != '\0';
}

/* Of lists that are cut. */
static void add_more(struct members *m, size_t count)
{
    if (count > DEBUG_ROWS_MAX)
        members_number(m, "More", (int64_t)(count - DEBUG_ROWS_MAX));
}

/* The id as the container has it; ids that are none of its block are the host's. */
static void add_user(struct members *row, const struct container *c, uid_t uid)
{
    uint32_t first = identity_block_first(c->start.block);
    char text[32];
    if (uid >= first && uid - first < IDS_BLOCK_SIZE)
        (void)snprintf(text, sizeof(text), "%u", uid - first);
    else
        (void)snprintf(text, sizeof(text), "none");
    members_text(row, "User", text);
    members_number(row, "HostUser", uid);
}

static void add_process(struct debug *d, struct members *array, size_t i)
{
    const struct process *p = &d->processes.items[i];
    char state[2] = {p->state, '\0'};
    char memory[HUMAN_TEXT_MAX];
    struct err e = {0};
    _cleanup_free_ char *args = NULL;
    struct members row = members_item(array);
    int r = d->o->show_values ? str_copy(p->args, &args, &e) : secret_hide(p->args, &args, &e);
    human_memory(p->resident, memory);
    members_number(&row, "Pid", p->pid);
    members_number(&row, "Parent", p->ppid);
    add_user(&row, d->c, p->uid);
    members_text(&row, "State", state);
    members_number(&row, "Threads", (int64_t)p->threads);
    members_number(&row, "CpuSeconds", (int64_t)(p->cpu_ticks / (uint64_t)sysconf(_SC_CLK_TCK)));
    members_text(&row, "Memory", memory);
    if (i < d->drift.count) {
        members_text(&row, "From", drift_origin_name(d->drift.items[i].origin));
        members_text(&row, "Program", d->drift.items[i].path);
    }
    members_text(&row, "Command", r < 0 ? e.text : args);
    members_join(array, &row);
}

void debug_processes(struct debug *d, struct members *m)
{
    if (none(d, m))
        return;
    struct members array = members_array(m, "Processes");
    for (size_t i = 0; i < d->processes.count && i < DEBUG_ROWS_MAX; i++)
        add_process(d, &array, i);
    members_join(m, &array);
    add_more(m, d->processes.count);
}

static void add_size(struct members *m, const char *key, uint64_t bytes)
{
    char text[HUMAN_TEXT_MAX];
    human_memory(bytes, text);
    members_text(m, key, text);
}

static void add_limit(struct members *m, const char *key, uint64_t value)
{
    if (value == PLAN_UNSET || value == PLAN_UNLIMITED)
        members_text(m, key, "none");
    else
        members_number(m, key, (int64_t)value);
}

void debug_limits(struct debug *d, struct members *m)
{
    const struct plan *p = &d->c->plan;
    struct stats_sample now = {0};
    struct err e = {0};
    add_limit(m, "MemoryLimit", p->memory);
    add_limit(m, "MemoryAndSwapLimit", p->memory_swap);
    add_limit(m, "NanoCpus", p->cpus_nano);
    add_limit(m, "ProcessLimit", p->pids);
    add_limit(m, "DiskLimit", p->disk);
    if (d->c->status != CONTAINER_RUNNING || stats_read(d->c, &now, &e) < 0)
        return;
    add_size(m, "MemoryInUse", now.use.memory);
    members_number(m, "ProcessesInUse", (int64_t)now.use.processes);
    members_number(m, "CpuMilliseconds", (int64_t)(now.use.cpu_ns / 1000000));
    add_size(m, "ReadFromDisks", now.use.read_bytes);
    add_size(m, "WrittenToDisks", now.use.written_bytes);
}

/* How many of what kind; the text of a link is the container's choice but for its beginning. */
struct kinds {
    uint64_t all, sockets, pipes, anonymous, files;
};

static void count_kind(int dir, const char *name, struct kinds *k)
{
    char target[64];
    ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
    target[n < 0 ? 0 : n] = '\0';
    k->all++;
    if (str_after(target, "socket:["))
        k->sockets++;
    else if (str_after(target, "pipe:["))
        k->pipes++;
    else if (str_after(target, "anon_inode:"))
        k->anonymous++;
    else
        k->files++;
}

static bool count_descriptors(pid_t pid, struct kinds *ret)
{
    char path[48];
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    _cleanup_closedir_ DIR *dir = opendir(path);
    if (!dir)
        return false;
    for (const struct dirent *entry; ret->all < DESCRIPTORS_MAX && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            count_kind(dirfd(dir), entry->d_name, ret);
    return true;
}

/* "Max open files            1024                 524288               files" */
static int64_t descriptor_limit(pid_t pid)
{
    static const char line[] = "\nMax open files";
    char path[48];
    unsigned long long soft = 0;
    struct err ignored = {0};
    _cleanup_buf_ struct buf text = {0};
    (void)snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
    const char *at = io_read_path(path, LIMITS_TEXT_MAX, &text, &ignored) == 0 && text.data
                         ? strstr(text.data, line)
                         : NULL;
    return at && sscanf(at + sizeof(line) - 1, "%llu", &soft) == 1 ? (int64_t)soft : 0;
}

void debug_descriptors(struct debug *d, struct members *m)
{
    if (none(d, m))
        return;
    struct members array = members_array(m, "Descriptors");
    for (size_t i = 0; i < d->processes.count && i < DEBUG_ROWS_MAX; i++) {
        const struct process *p = &d->processes.items[i];
        struct kinds kinds = {0};
        if (!count_descriptors(p->pid, &kinds))
            continue;
        struct members row = members_item(&array);
        members_number(&row, "Pid", p->pid);
        members_text(&row, "Name", p->name);
        members_number(&row, "Open", (int64_t)kinds.all);
        members_number(&row, "Limit", descriptor_limit(p->pid));
        members_number(&row, "Files", (int64_t)kinds.files);
        members_number(&row, "Sockets", (int64_t)kinds.sockets);
        members_number(&row, "Pipes", (int64_t)kinds.pipes);
        members_number(&row, "Other", (int64_t)kinds.anonymous);
        members_join(&array, &row);
    }
    members_join(m, &array);
    add_more(m, d->processes.count);
}

static void add_text(struct members *row, const char *key, const char *text)
{
    struct err e = {0};
    _cleanup_free_ char *copy = NULL;
    if (str_copy(text, &copy, &e) < 0) {
        row->failed = true;
        return;
    }
    str_neutralize(copy);
    members_text(row, key, copy);
}

void debug_mounts(struct debug *d, struct members *m)
{
    char path[48];
    struct err e = {0};
    _cleanup_buf_ struct buf text = {0};
    _cleanup_mount_table_ struct mount_table table = {0};
    if (none(d, m))
        return;
    (void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)d->c->start.pid);
    int r = io_read_path(path, MOUNT_TABLE_TEXT_MAX, &text, &e);
    if (r == 0)
        r = mount_table_parse(&text, &table, &e);
    if (r < 0) {
        debug_unavailable(m, e.text);
        return;
    }
    struct members array = members_array(m, "Mounts");
    for (size_t i = 0; i < table.count && i < DEBUG_ROWS_MAX; i++) {
        struct members row = members_item(&array);
        add_text(&row, "Point", table.entries[i].point);
        members_text(&row, "Type", table.entries[i].type);
        members_text(&row, "Options", table.entries[i].options);
        members_join(&array, &row);
    }
    members_join(m, &array);
    add_more(m, table.count);
}
