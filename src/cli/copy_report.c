/* SPDX-License-Identifier: Apache-2.0 */
/* Progress of cp (copy_report.h), all of it on stderr: stdout may be the archive. */
#include "cli/copy_report.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/human.h"

void copy_report_start(struct copy_report *r, bool quiet, const char *label)
{
    r->shown = !quiet && isatty(STDOUT_FILENO);
    progress_start(&r->progress, stderr, !r->shown);
    progress_set(&r->progress, 0, label, "0B", 0, 0);
}

void copy_report_tell(uint64_t done, uint64_t total, void *context)
{
    struct copy_report *r = context;
    char size[HUMAN_TEXT_MAX];
    (void)total;
    human_size(done, size);
    progress_set(&r->progress, 0, NULL, size, 0, 0);
}

void copy_report_finish(struct copy_report *r, const struct message_files_counts *counts, const char *where)
{
    char size[HUMAN_TEXT_MAX];
    human_size(counts->bytes, size);
    progress_finish(&r->progress);
    if (r->shown)
        fprintf(stderr, "Successfully copied %s to %s\n", size, where);
    if (counts->devices)
        fprintf(stderr, "casemate: %llu device nodes and sockets were not copied\n",
                (unsigned long long)counts->devices);
    if (counts->set_ids)
        fprintf(stderr, "casemate: %llu files lost their set-user-id or set-group-id bit\n",
                (unsigned long long)counts->set_ids);
}
