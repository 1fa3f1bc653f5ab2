/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casemate-enter: the last steps before a user's program (base/enterproto.h). Runs with the container's rights and is seen by the
 * container's processes, so it holds nothing of the host: static, no files, no names, executed from a read-only mount or a sealed copy
 * of itself, which makes /proc/PID/exe worthless to whoever would overwrite it (CVE-2019-5736).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/enterproto.h"

/* Everything below works on the one job of this process. */
extern const struct enter_job *job;

/* The string at an offset of the job; NULL for offset 0. */
const char *job_text(uint32_t offset);

/* What stands at an offset: `count` things of `size` bytes, inside the job. */
const void *job_items(uint32_t offset, uint32_t count, size_t size);

/* argv-like array, NULL behind the last. Allocated for good. */
char **job_strings(const struct enter_strings *s);

/* Reads and judges the job. Ends the process when it is none. */
void job_open(const char *descriptor);

/* Says what failed, with errno, to whoever waits, and ends the process. */
_Noreturn void fail(int status, const char *what, const char *subject);

/* From now on the report goes here instead of job->sync. */
void fail_to(int socket);

/* Sends a step, with the number that belongs to it. */
void tell(enum enter_step step, int number);

/* Waits for the one byte that answers ENTER_NOTIFIES. */
void await_answer(void);

/* keyring, limits, scheduling, personality, ids, capabilities, directory: in the order that each needs of the others. */
void become_user(void);

/* Puts the filter on; with ENTER_LISTENER the other side of job->sync takes its listener. */
void install_filter(void);

/* Runs the hooks, one after the other; one that fails or takes too long ends the process. */
void run_hooks(void);

/* `env`, with HOME when it has none. */
char **environment_with_home(char **env);

/* The file that is executed for args[0]: itself when it has a slash, else found along PATH. Reports 127 or 126 when there is none. */
const char *find_program(const char *name);
