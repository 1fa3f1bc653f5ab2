/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts about the engine's own files (state_watch.h): each is an event, a record of the audit log, and a line of run/alerts, which `info` and
 * `ps` tell of until somebody has looked (state_alert_forget), or the machine has booted.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"
#include "store/root.h"

#define STATE_ALERT_LINE_MAX 1200
#define STATE_ALERTS_MAX (64U << 10) /* bytes of run/alerts; what comes later is only in the audit log */

/* `what` says which file and what is wrong. Never fails: what cannot be written is left out. */
void state_alert(const struct store *s, const char *path, const char *what);

/* Lines as they were written, "TIME what". None: an empty list. */
int state_alert_read(const struct store *s, struct str_list *ret, struct err *e);

/* Cheap: whether there are any. */
bool state_alert_any(const struct store *s);

void state_alert_forget(const struct store *s);
