/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of text (table.h). Cells may be content of images and containers: they are neutralised when they come in. */
#include "cli/table.h"

#include <errno.h>
#include <sys/ioctl.h>

#define COLUMNS_MAX 32
#define GAP 3
#define CUT_WIDTH_MIN 8 /* no column is cut to less */

void table_clear(struct table *t)
{
    str_list_clear(&t->cells);
}

int table_add(struct table *t, const char *cell, struct err *e)
{
    if (t->columns == 0 || t->columns > COLUMNS_MAX)
        return err_set(e, EINVAL, "a table has 1 to %d columns", COLUMNS_MAX);
    int r = str_list_add(&t->cells, cell, e);
    if (r < 0)
        return r;
    str_neutralize(t->cells.items[t->cells.count - 1]);
    return 0;
}

size_t table_text_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

unsigned table_terminal_width(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col ? size.ws_col : 80;
}

static void measure(const struct table *t, size_t *widths)
{
    for (size_t i = 0; i < t->cells.count; i++) {
        size_t width = table_text_width(t->cells.items[i]);
        if (width > widths[i % t->columns])
            widths[i % t->columns] = width;
    }
}

/* Takes columns from the widest until a line fits. */
static void shrink(size_t *widths, size_t columns, size_t limit)
{
    size_t total = GAP * (columns - 1);
    for (size_t i = 0; i < columns; i++)
        total += widths[i];
    for (; total > limit; total--) {
        size_t widest = 0;
        for (size_t i = 1; i < columns; i++)
            if (widths[i] > widths[widest])
                widest = i;
        if (widths[widest] <= CUT_WIDTH_MIN)
            return;
        widths[widest]--;
    }
}

static void print_blanks(size_t count, FILE *out)
{
    static const char blanks[] = "                                ";
    for (; count >= sizeof(blanks); count -= sizeof(blanks) - 1)
        fwrite(blanks, 1, sizeof(blanks) - 1, out);
    fwrite(blanks, 1, count, out);
}

/* Prints the cell in `width` columns; the last of a line is not padded. */
static void print_cell(const char *cell, size_t width, bool last, FILE *out)
{
    size_t have = table_text_width(cell);
    if (have > width) {
        for (size_t shown = 0; shown + 1 < width || ((unsigned char)*cell & 0xc0) == 0x80; cell++) {
            shown += ((unsigned char)*cell & 0xc0) != 0x80;
            fputc(*cell, out);
        }
        fputs("…", out);
        have = width;
    } else {
        fputs(cell, out);
    }
    if (!last)
        print_blanks(width - have + GAP, out);
}

void table_print(const struct table *t, unsigned width, FILE *out)
{
    size_t widths[COLUMNS_MAX] = {0};
    measure(t, widths);
    if (width)
        shrink(widths, t->columns, width);
    for (size_t i = 0; i < t->cells.count; i++) {
        bool last = (i + 1) % t->columns == 0;
        print_cell(t->cells.items[i], widths[i % t->columns], last, out);
        if (last)
            fputc('\n', out);
    }
}
