/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of evidence (evidence.h). */
#include "practices/evidence.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

#define EVIDENCE_LINES_MAX 4096

static void line_clear(struct evidence_line *l)
{
    free(l->what);
    free(l->value);
    free(l->source);
}

void evidence_clear(struct evidence *ev)
{
    for (size_t i = 0; i < ev->count; i++)
        line_clear(&ev->lines[i]);
    free(ev->lines);
    *ev = (struct evidence){0};
}

const char *evidence_state_name(enum evidence_state state)
{
    static const char *const names[] = {
        [EVIDENCE_HOLDS] = "holds",
        [EVIDENCE_GRANTED] = "granted",
        [EVIDENCE_BROKEN] = "broken",
        [EVIDENCE_UNKNOWN] = "unknown",
        [EVIDENCE_NOT_ENFORCED] = "not enforced yet",
        [EVIDENCE_DRIFTED] = "drifted",
        [EVIDENCE_REFUSED] = "refused",
    };
    return names[state];
}

static int line_make(const char *what, const char *value, const char *source, struct evidence_line *l,
                     struct err *e)
{
    int r = str_copy(what, &l->what, e);
    if (r == 0)
        r = str_copy(value, &l->value, e);
    return r < 0 ? r : str_copy(source, &l->source, e);
}

int evidence_add(struct evidence *ev, int practice, enum evidence_state state, const char *what,
                 const char *source, struct err *e, const char *value, ...)
{
    char text[ERR_TEXT_MAX];
    struct evidence_line line = {.practice = practice, .state = state};
    va_list ap;
    va_start(ap, value);
    (void)vsnprintf(text, sizeof(text), value, ap);
    va_end(ap);
    if (ev->count == EVIDENCE_LINES_MAX)
        return err_set(e, E2BIG, "more than %d lines of evidence", EVIDENCE_LINES_MAX);
    struct evidence_line *grown = reallocarray(ev->lines, ev->count + 1, sizeof(*grown));
    if (!grown)
        return err_oom(e);
    ev->lines = grown;
    int r = line_make(what, text, source, &line, e);
    if (r < 0) {
        line_clear(&line);
        return r;
    }
    ev->lines[ev->count++] = line;
    return 0;
}
