/* SPDX-License-Identifier: Apache-2.0 */
/* Restart policies in Docker's words: no, on-failure[:N], always, unless-stopped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum restart_kind { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS, RESTART_UNLESS_STOPPED };

struct restart_policy {
    enum restart_kind kind;
    uint64_t max; /* on-failure: how often at most; 0: without end */
};

#define RESTART_TEXT_MAX 40 /* room for each text, with the NUL */

/* "" is "no". */
int restart_parse(const char *text, struct restart_policy *ret_policy, struct err *e);

/* "no", "on-failure", "always", "unless-stopped": Docker's RestartPolicy.Name. */
const char *restart_kind_name(enum restart_kind kind);

/* What restart_parse reads. RESTART_TEXT_MAX bytes. */
void restart_format(const struct restart_policy *policy, char *ret_text);
