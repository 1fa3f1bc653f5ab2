/* SPDX-License-Identifier: Apache-2.0 */
/* engine/denials: no record that a shim could leave crashes the reader, and nothing in it reaches a terminal. */
#include "engine/denial_advice.h"

#include <ctype.h>
#include <string.h>

#include "fuzz.h"

static void check_text(const char *text)
{
    for (; *text; text++)
        MUST((unsigned char)*text >= 0x20 && (unsigned char)*text != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct container c;
    struct denial_advice advice[DENIAL_ADVICE_MAX];
    struct err e = {0};
    char name[DENIAL_TEXT], summary[64];
    if (denials_parse((const char *)data, size, &c.denials, &e) < 0) {
        MUST(e.code > 0 && *e.text);
        return 0;
    }
    MUST(c.denials.count < SHIM_DENIALS_MAX);
    for (size_t i = 0; i < c.denials.count; i++) {
        check_text(c.denials.items[i].process);
        check_text(denial_text(&c.denials.items[i], name));
    }
    size_t n = denial_advise(&c, advice);
    MUST(n <= DENIAL_ADVICE_MAX && (n > 0) == (c.denials.count > 0));
    for (size_t i = 0; i < n; i++) {
        check_text(advice[i].what);
        check_text(advice[i].remedy);
        MUST(advice[i].practice >= 1 && advice[i].practice <= 14 && *advice[i].what && *advice[i].remedy);
    }
    denial_summary(&c, summary, sizeof(summary));
    MUST(strlen(summary) < sizeof(summary));
    return 0;
}
