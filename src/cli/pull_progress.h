/* SPDX-License-Identifier: Apache-2.0 */
/* What a pull shows on stderr: one line per layer. */
#pragma once

#include "cli/progress.h"
#include "image/pull.h"

struct pull_progress {
    struct progress lines;
};

/* `quiet`: nothing is shown. */
void pull_progress_start(struct pull_progress *p, bool quiet);

/* For struct pull_options: `context` is the struct pull_progress. */
void pull_progress_event(const struct pull_event *event, void *context);

void pull_progress_finish(struct pull_progress *p);
