/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of containers (notice.h). */
#include "engine/notice.h"

#include <stdio.h>

#include "engine/audit_log.h"
#include "engine/events.h"
#include "engine/logs_anchor.h"

static void note_health(const struct store *s, const struct container *c, const char *status)
{
    char action[64];
    (void)snprintf(action, sizeof(action), "health_status: %s", status ? status : "");
    events_container(s, &c->plan, action, NULL, 0);
}

void notice_container(const struct store *s, const struct container *c, enum notice_kind kind,
                      const char *detail)
{
    switch (kind) {
    case NOTICE_RESTARTED:
        audit_note_container(s, AUDIT_RESTART, &c->plan, detail);
        events_container(s, &c->plan, "restart", NULL, 0);
        break;
    case NOTICE_EXPIRED:
        audit_note_container(s, AUDIT_EXPIRE, &c->plan, detail);
        break;
    case NOTICE_DIED: /* no act of anybody: only where its log ends is in the audit log */
        logs_anchor_end(s, c);
        events_end(s, c);
        break;
    case NOTICE_HEALTH:
        note_health(s, c, detail);
        break;
    }
}
