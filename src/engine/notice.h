/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to containers without a command that does it: the one place where such changes are known. Whoever finds out calls it
 * once; what is recorded or told to others is decided here.
 */
#pragma once

#include "engine/container.h"
#include "store/root.h"

enum notice_kind {
    NOTICE_DIED,      /* it has ended (c->exit_code, c->lost …); told when what it held is released */
    NOTICE_RESTARTED, /* its policy has started it again; detail: "always, restart 3" */
    NOTICE_HEALTH,    /* its health has changed; detail: "healthy", "unhealthy" */
    NOTICE_EXPIRED,   /* it is removed because the policy says how long ended ones stay; detail: why */
};

/* detail may be NULL. Never fails: what cannot be recorded is said once by the command (audit_log_warning). */
void notice_container(const struct store *s, const struct container *c, enum notice_kind kind,
                      const char *detail);
