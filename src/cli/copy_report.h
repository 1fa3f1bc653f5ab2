/* SPDX-License-Identifier: Apache-2.0 */
/* What cp shows: progress on a terminal, a line at the end, and what was left out. */
#pragma once

#include "base/messages.h"
#include "cli/progress.h"

struct copy_report {
    struct progress progress;
    bool shown;
};

void copy_report_start(struct copy_report *r, bool quiet, const char *label);
/* A files_progress; context is the report. */
void copy_report_tell(uint64_t done, uint64_t total, void *context);
/* `where`: as Docker names the destination. */
void copy_report_finish(struct copy_report *r, const struct message_files_counts *counts, const char *where);
