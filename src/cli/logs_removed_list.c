/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of removed containers, the one removed last first. */
#include "cli/logs_removed_list.h"

#include <unistd.h>

#include "base/clock.h"
#include "cli/human.h"
#include "cli/table.h"
#include "engine/logs_removed.h"

#define SHORT_ID 12

struct listing {
    struct table table;
    int64_t now;
};

static int add_row(const struct logs_removed *r, int dir, void *context, struct err *e)
{
    struct listing *l = context;
    char id[SHORT_ID + 1];
    char age[HUMAN_TEXT_MAX];
    char size[HUMAN_TEXT_MAX];
    (void)dir;
    memcpy(id, r->id, SHORT_ID);
    id[SHORT_ID] = '\0';
    human_age(r->removed, l->now, age);
    human_size(r->size, size);
    const char *cells[] = {id, r->image ? r->image : "", age, size, r->name ? r->name : ""};
    int failed = 0;
    for (size_t i = 0; i < ARRAY_SIZE(cells) && failed == 0; i++)
        failed = table_add(&l->table, cells[i], e);
    return failed;
}

int logs_removed_list(const struct store *s, struct err *e)
{
    static const char *const heads[] = {"CONTAINER ID", "IMAGE", "REMOVED", "SIZE", "NAME"};
    struct listing l = {.table = {.columns = ARRAY_SIZE(heads)}, .now = clock_now()};
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(heads) && r == 0; i++)
        r = table_add(&l.table, heads[i], e);
    if (r == 0)
        r = logs_removed_for_each(s, add_row, &l, e);
    if (r == 0)
        table_print(&l.table, table_terminal_width(STDOUT_FILENO), stdout);
    table_clear(&l.table);
    return r;
}
