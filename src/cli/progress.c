/* SPDX-License-Identifier: Apache-2.0 */
/* Progress on a terminal (progress.h): moves up by as many lines as were drawn and writes them again. */
#include "cli/progress.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/human.h"
#include "cli/table.h"

#define REDRAW_NS (CLOCK_SECOND / 20)
#define BAR_MAX 40
#define BAR_MIN 10

void progress_start(struct progress *p, FILE *out, bool quiet)
{
    *p = (struct progress){.out = out};
    const char *term = getenv("TERM");
    p->width = table_terminal_width(fileno(out));
    p->shown = !quiet && p->width > 0 && !(term && str_equal(term, "dumb"));
}

static void put_cut(char *target, size_t size, const char *text)
{
    snprintf(target, size, "%s", text);
    str_neutralize(target); /* also mends a character that was cut in half */
}

/* "[=====>    ]  12.3MB/77.9MB" in the columns that are left. */
static void format_bar(const struct progress_line *l, unsigned room, char *ret_text, size_t size)
{
    char done[HUMAN_TEXT_MAX];
    char total[HUMAN_TEXT_MAX];
    char bar[BAR_MAX + 1];
    human_size(l->done, done);
    human_size(l->total, total);
    unsigned figures = (unsigned)(strlen(done) + strlen(total) + 5);
    unsigned length = room > figures ? room - figures : 0;
    if (length > BAR_MAX)
        length = BAR_MAX;
    if (length < BAR_MIN) {
        snprintf(ret_text, size, "%s/%s", done, total);
        return;
    }
    double share = l->done >= l->total ? 1 : (double)l->done / (double)l->total;
    unsigned filled = (unsigned)(share * (length - 1));
    memset(bar, '=', filled);
    bar[filled] = '>';
    memset(bar + filled + 1, ' ', length - filled - 1);
    bar[length] = '\0';
    snprintf(ret_text, size, "[%s]  %s/%s", bar, done, total);
}

static void draw_line(const struct progress *p, const struct progress_line *l)
{
    char bar[BAR_MAX + 2 * HUMAN_TEXT_MAX + 8] = "";
    unsigned used = (unsigned)(table_text_width(l->label) + table_text_width(l->state) + 3);
    if (l->total && p->width > used)
        format_bar(l, p->width - used - 1, bar, sizeof(bar));
    char text[sizeof(bar) + PROGRESS_LABEL_MAX + PROGRESS_STATE_MAX + 8];
    snprintf(text, sizeof(text), "%s: %s%s%s", l->label, l->state, *bar ? " " : "", bar);
    fprintf(p->out, "\r%.*s\x1b[K\n", (int)p->width - 1, text);
}

static void draw(struct progress *p)
{
    if (p->drawn)
        fprintf(p->out, "\x1b[%zuA", p->drawn);
    for (size_t i = 0; i < p->count; i++)
        draw_line(p, &p->lines[i]);
    fflush(p->out);
    p->drawn = p->count;
    p->last_drawn = clock_monotonic();
}

void progress_set(struct progress *p, size_t index, const char *label, const char *state, uint64_t done,
                  uint64_t total)
{
    if (index >= PROGRESS_LINES_MAX)
        return;
    struct progress_line *l = &p->lines[index];
    char before[sizeof(l->state)];
    memcpy(before, l->state, sizeof(before));
    if (label)
        put_cut(l->label, sizeof(l->label), label);
    put_cut(l->state, sizeof(l->state), state);
    l->done = done;
    l->total = total;
    if (index >= p->count)
        p->count = index + 1;
    if (p->shown && (!str_equal(before, l->state) || clock_monotonic() - p->last_drawn > REDRAW_NS))
        draw(p);
}

void progress_finish(struct progress *p)
{
    if (p->shown && p->count)
        draw(p);
}
