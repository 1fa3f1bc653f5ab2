/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Killing what a process has started (kill_tree.h). Runs as root over processes of a container, which may fork meanwhile and whose
 * numbers may be used again: each one is killed by a pidfd that is known to be of the process that was found.
 */
#include "engine/kill_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/syscalls.h"

#define STAT_MAX 1024
#define ROUNDS 8 /* against processes that fork while they are looked for */
#define FOUND_MAX 65536U

struct relation {
    pid_t pid, parent, session;
    uint64_t start;
    bool ours;
};

struct relations {
    struct relation *items;
    size_t count, capacity;
};

/* pid (name) state ppid pgrp session tty tpgid flags 4 counters 8 times and counts, starttime: fields 4, 6 and 22. The name may hold anything. */
static bool read_relation(int proc, const char *name, struct relation *ret)
{
    char path[NAME_MAX + sizeof("/stat")];
    char text[STAT_MAX];
    struct err ignored = {0};
    uint64_t pid;
    int parent, session;
    unsigned long long start;
    char state;
    if (num_parse_u64(name, INT_MAX, &pid, &ignored) < 0)
        return false;
    (void)snprintf(path, sizeof(path), "%s/stat", name);
    _cleanup_close_ int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n <= 0)
        return false;
    text[n] = '\0';
    const char *behind = strrchr(text, ')');
    if (!behind ||
        sscanf(behind + 1, " %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &state, &parent, &session, &start) != 4)
        return false;
    *ret = (struct relation){.pid = (pid_t)pid, .parent = parent, .session = session, .start = start};
    return state != 'Z' && state != 'X';
}

static void add(struct relations *all, const struct relation *one)
{
    if (all->count == FOUND_MAX)
        return;
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? all->capacity * 2 : 256;
        struct relation *grown = reallocarray(all->items, capacity, sizeof(*grown));
        if (!grown)
            return;
        all->items = grown;
        all->capacity = capacity;
    }
    all->items[all->count++] = *one;
}

static void read_all(struct relations *ret)
{
    _cleanup_closedir_ DIR *d = opendir("/proc");
    struct relation one;
    if (!d)
        return;
    for (struct dirent *entry; (entry = readdir(d));)
        if (read_relation(dirfd(d), entry->d_name, &one))
            add(ret, &one);
}

static bool is_ours(const struct relations *all, pid_t pid)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].pid == pid)
            return all->items[i].ours;
    return false;
}

/* Until no more are found: a parent may stand behind its child. How many are ours. */
static size_t find_ours(const struct relations *all, pid_t leader)
{
    size_t count = 0;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < all->count; i++) {
            struct relation *x = &all->items[i];
            if (x->ours ||
                (x->pid != leader && x->session != leader && x->parent != leader && !is_ours(all, x->parent)))
                continue;
            x->ours = more = true;
            count++;
        }
    }
    return count;
}

void kill_tree(pid_t leader)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct relations all = {0};
        struct err gone = {0};
        read_all(&all);
        size_t found = find_ours(&all, leader);
        for (size_t i = 0; i < all.count; i++) {
            const struct relation *x = &all.items[i];
            _cleanup_close_ int pidfd = x->ours ? proc_open(x->pid, x->start, &gone) : -1;
            if (pidfd >= 0)
                (void)sys_pidfd_send_signal(pidfd, SIGKILL);
        }
        free(all.items);
        if (found == 0)
            return;
    }
}
