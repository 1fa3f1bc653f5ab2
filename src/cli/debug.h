/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `debug`: a container as the host sees it, in sections. Nothing is started in it: what is read are records of the engine, /proc and control
 * groups, and files through casemate-files, which joins its mount namespace and user namespace alone. What comes from the container
 * (names, command lines, paths, log lines) is made visible before it goes anywhere.
 */
#pragma once

#include "cli/inspect_json.h"
#include "engine/drift.h"
#include "engine/processes.h"

#define DEBUG_LOG_LINES 50
#define DEBUG_LOG_LINE_MAX 1024 /* bytes of a line that are shown */
#define DEBUG_EVENTS 50         /* the last ones */
#define DEBUG_ROWS_MAX 1000     /* of one list; how many more there are is said */

struct debug_options {
    struct str_list sections; /* empty: all */
    const char *format, *bundle, *list, *read;
    uint64_t max_bytes; /* of a file that is read */
    uint64_t lines;     /* of the log */
    bool show_values;
};

struct debug {
    const struct store *s;
    struct container *c;
    const struct debug_options *o;
    struct process_list processes;
    struct drift drift;
    char why[ERR_TEXT_MAX]; /* there is nothing of processes to be seen, and why */
};

/* Each adds its part to an object, as members of its own; what cannot be read is told in a member "Unavailable". */
void debug_summary(struct debug *d, struct members *m);
void debug_practices(struct debug *d, struct members *m);
void debug_processes(struct debug *d, struct members *m);
void debug_limits(struct debug *d, struct members *m);
void debug_descriptors(struct debug *d, struct members *m);
void debug_mounts(struct debug *d, struct members *m);
void debug_network(struct debug *d, struct members *m);
void debug_health(struct debug *d, struct members *m);
void debug_denials(struct debug *d, struct members *m);
void debug_log(struct debug *d, struct members *m);
void debug_events(struct debug *d, struct members *m);

/* "Unavailable": why. */
void debug_unavailable(struct members *m, const char *why);

/* All sections that are asked for, as one object: {"Summary": {…}, "Processes": …}. */
int debug_gather(struct debug *d, struct json_object **ret, struct err *e);
/* The names of the sections, divided by blanks, for completion and errors. */
#define DEBUG_SECTIONS \
    "summary practices processes limits descriptors mounts network health denials log events"
int debug_check_sections(const struct str_list *sections, struct err *e);

/* The object as text: headings, lists as tables. */
int debug_print(struct json_object *all, FILE *out, unsigned width, struct err *e);

/* --ls and --cat. */
int debug_list(struct debug *d, struct err *e);
int debug_read(struct debug *d, struct err *e);

/* --bundle: everything as a tar. */
int debug_bundle(struct debug *d, struct err *e);
