/* SPDX-License-Identifier: Apache-2.0 */
/* Events of a pull as lines (pull_progress.h), in Docker's words. */
#include "cli/pull_progress.h"

#include <stdio.h>

#define LABEL_LENGTH 12

void pull_progress_start(struct pull_progress *p, bool quiet)
{
    progress_start(&p->lines, stderr, quiet);
}

void pull_progress_event(const struct pull_event *event, void *context)
{
    static const char *const words[] = {
        [PULL_WAITING] = "Waiting",      [PULL_EXISTS] = "Already exists", [PULL_DOWNLOADING] = "Downloading",
        [PULL_UNPACKING] = "Extracting", [PULL_DONE] = "Pull complete",
    };
    struct pull_progress *p = context;
    char digest[DIGEST_TEXT_LENGTH + 1];
    char label[LABEL_LENGTH + 1];
    if (event->kind == PULL_RESOLVING || event->kind == PULL_LAYERS)
        return;
    digest_format(&event->layer, digest);
    (void)snprintf(label, sizeof(label), "%.*s", LABEL_LENGTH, digest + sizeof("sha256:") - 1);
    bool bar = event->kind == PULL_DOWNLOADING;
    progress_set(&p->lines, event->index, label, words[event->kind], bar ? event->done : 0,
                 bar ? event->total : 0);
}

void pull_progress_finish(struct pull_progress *p)
{
    progress_finish(&p->lines);
}
