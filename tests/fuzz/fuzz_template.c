/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/template: the first line of the input is JSON, the rest is a template. Whatever parses can be executed again with the same result,
 * as values and as headings; errors are one line; what an action prints holds no control characters but newline and tab, unless the
 * template's own text has them.
 */
#include "cli/template.h"

#include "base/json.h"
#include "fuzz.h"

static void check_visible(const char *template, const struct buf *b)
{
    for (size_t i = 0; i < b->length; i++) {
        unsigned char c = (unsigned char)b->data[i];
        MUST(c >= 0x20 || c == '\n' || c == '\t' || strchr(template, c));
    }
}

static void execute(const char *template, unsigned flags, struct json_object *value)
{
    _cleanup_template_ struct template *t = NULL;
    _cleanup_buf_ struct buf first = {0};
    _cleanup_buf_ struct buf second = {0};
    struct err e = {0};
    if (template_parse(template, flags, &t, &e) < 0) {
        MUST(e.code > 0 && e.text[0] && !strchr(e.text, '\n'));
        return;
    }
    int r = template_execute(t, value, &first, &e);
    MUST(r == 0 || (e.code > 0 && e.text[0] && !strchr(e.text, '\n')));
    MUST(template_execute(t, value, &second, &e) == r && first.length == second.length);
    MUST(first.length == 0 || memcmp(first.data, second.data, first.length) == 0);
    check_visible(template, &first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    _cleanup_free_ char *text = fuzz_text(data, size);
    _cleanup_json_ struct json_object *value = NULL;
    char *end = strchr(text, '\n');
    if (!end || strstr(end, "99999")) /* a loop that counts so far takes its time */
        return 0;
    *end = '\0';
    if (json_parse(text, (size_t)(end - text), &value, &e) < 0)
        return 0;
    execute(end + 1, 0, value);
    execute(end + 1, TEMPLATE_ESCAPES | TEMPLATE_ONE_LINE, value);
    execute(end + 1, TEMPLATE_HEADER, value);
    return 0;
}
