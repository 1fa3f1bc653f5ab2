/* SPDX-License-Identifier: Apache-2.0 */
/* --format of objects (format.h). */
#include "cli/format.h"

#include <stdio.h>

#include "base/str.h"
#include "cli/template.h"

static int make_template(const char *format, struct template **ret, struct err *e)
{
    return template_parse(str_equal(format, "json") ? "{{json .}}" : format, 0, ret, e);
}

static int print_one(const struct template *t, struct json_object *object, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    int r = template_execute(t, object, &b, e);
    if (r < 0)
        return r;
    (void)fwrite(b.data ? b.data : "", 1, b.length, stdout);
    (void)fputc('\n', stdout);
    return 0;
}

int format_print_all(const char *format, struct json_object *array, struct err *e)
{
    _cleanup_template_ struct template *t = NULL;
    int r = make_template(format, &t, e);
    for (size_t i = 0; r == 0 && i < json_object_array_length(array); i++)
        r = print_one(t, json_object_array_get_idx(array, i), e);
    return r;
}

int format_print(const char *format, struct json_object *object, struct err *e)
{
    _cleanup_template_ struct template *t = NULL;
    int r = make_template(format, &t, e);
    return r < 0 ? r : print_one(t, object, e);
}
