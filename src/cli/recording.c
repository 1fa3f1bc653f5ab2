/* SPDX-License-Identifier: Apache-2.0 */
/* Records that the command line makes itself (recording.h). */
#include "cli/recording.h"

#include "engine/events.h"

void record_refusal(struct err *refused)
{
    struct err closed = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    if (refused->practice && !refused->recorded && store_open(&s, &closed) == 0)
        audit_note_refusal(&s, NULL, refused);
}

void record_registry(enum audit_kind kind, const char *host, const char *user)
{
    struct err closed = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    if (store_open(&s, &closed) == 0)
        audit_note_name(&s, kind, host, NULL, user);
}

static void note_load(const struct store *s, const char *id, const char *name)
{
    audit_note_name(s, AUDIT_LOAD, name, id, NULL);
    events_image(s, "load", id, name);
}

void record_load(const struct store *s, const struct load_result *loaded)
{
    for (size_t i = 0; i < loaded->names.count; i++)
        note_load(s, NULL, loaded->names.items[i]);
    for (size_t i = 0; i < loaded->ids.count; i++)
        note_load(s, loaded->ids.items[i], NULL);
}
