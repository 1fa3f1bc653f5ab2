/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lists show of containers. Reading everything of a container anew takes a few dozen system calls and a JSON document; with hundreds of them
 * a list would be slow. So what was read is kept in run/shown, with the times at which the kernel has last changed the container's two
 * directories: all records of a container are replaced by rename, so any that is another one moves a time. What runs is asked of
 * the kernel each time, kept or not: of the shim's socket, which one question finds for all (listening.h), else of its lock. The file is only ever a copy: any doubt about it, and the records are read.
 *
 * Not kept are containers whose state needs more than that: paused, with a health check, ended with a restart policy, ended with
 * refusals.
 */
#pragma once

#include "base/buf.h"
#include "engine/container.h"
#include "engine/listening.h"

struct shown_counts {
    size_t all, running;
};

/*
 * As container_for_each. Of a container that was kept, `dir` and `shim_dir` are -1, of its plan there are id, name, image_reference, image_id,
 * created, profile, entrypoint, command, labels, expose, network and type, source and target of each mount, and what it was refused is
 * not there.
 */
int shown_for_each(const struct store *s, int (*visit)(struct container *c, void *context, struct err *e),
                   void *context, struct shown_counts *ret_counts, struct err *e);

/* shown_file.c: the file itself. An entry is borrowed from the text that was read. */
#define SHOWN_FILE "shown"

struct shown_times {
    int64_t plan;      /* plan.json was made: the order of lists */
    int64_t dir, shim; /* last change of the directories, ns since the epoch */
};

struct shown_entry {
    const char *id; /* not terminated */
    const char *data;
    size_t length;
    struct shown_times times;
    struct listening_socket socket; /* of the shim, when it ran */
};

struct shown_entries {
    struct buf text;
    struct shown_entry *items; /* by id */
    size_t count;
};

/* What was kept; empty when there is nothing, or nothing that can be read. */
void shown_read(const struct store *s, struct shown_entries *ret);
void shown_clear(struct shown_entries *entries);
const struct shown_entry *shown_find(const struct shown_entries *entries, const char *id);

/* Whether it ran when it was read. */
bool shown_runs(const struct shown_entry *entry);

/* Begins a new text; adds an entry as it was, or a container's; replaces the file. */
int shown_begin(struct buf *text, struct err *e);
int shown_add_entry(struct buf *text, const struct shown_entry *entry, struct err *e);
int shown_add_container(struct buf *text, const struct container *c, const struct shown_times *times,
                        const struct listening_socket *socket, struct err *e);
int shown_write(const struct store *s, const struct buf *text, struct err *e);

/* A container of an entry; -EBADMSG when it is none. */
int shown_restore(const struct shown_entry *entry, struct container *ret, struct err *e);
