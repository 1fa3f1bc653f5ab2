/* SPDX-License-Identifier: Apache-2.0 */
/* What an execution knows (template_scope.h): its variables, how many steps it has taken, where it stands when something is wrong. */
#include "cli/template_scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN_MAX 20 /* bytes of a part that an error shows, Go's */

void template_fail_at(const struct execution *x, const struct node *n, struct err *e, const char *fmt, ...)
{
    char why[ERR_TEXT_MAX];
    const char *text = x->template->text;
    size_t at = n->member_at ? n->member_at : n->at;
    size_t line = 1, column = at;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    for (size_t i = 0; i < at; i++) {
        if (text[i] != '\n')
            continue;
        line++;
        column = at - i - 1;
    }
    bool long_part = n->length > SHOWN_MAX;
    (void)err_set(e, EINVAL, "template parsing error: template: :%zu:%zu: executing \"\" at <%.*s%s>: %s",
                  line, column, (int)(long_part ? SHOWN_MAX : n->length), text + n->at,
                  long_part ? "..." : "", why);
}

int template_count_step(struct execution *x, const struct node *n, struct err *e)
{
    if (++x->steps > TEMPLATE_STEPS_MAX)
        return fail_here(x, n, e, "more than %d steps", TEMPLATE_STEPS_MAX);
    return 0;
}

int template_variable_find(struct execution *x, const struct node *n, struct variable **ret, struct err *e)
{
    for (size_t i = x->variable_count; i-- > 0;) {
        if (str_equal(x->variables[i].name, n->names.items[0])) {
            *ret = &x->variables[i];
            return 0;
        }
    }
    return fail_here(x, n, e, "undefined variable: %s", n->names.items[0]);
}

int template_variable_add(struct execution *x, const char *name, const struct value *v, struct err *e)
{
    struct variable *grown = reallocarray(x->variables, x->variable_count + 1, sizeof(*grown));
    if (!grown)
        return err_oom(e);
    x->variables = grown;
    grown[x->variable_count++] = (struct variable){name, template_value_share(v)};
    return 0;
}

void template_variables_forget(struct execution *x, size_t count)
{
    while (x->variable_count > count)
        template_value_clear(&x->variables[--x->variable_count].value);
}

int template_variable_set(struct execution *x, const struct node *pipe, size_t index, const struct value *v,
                          struct err *e)
{
    const char *name = pipe->names.items[index];
    if (pipe->declares)
        return template_variable_add(x, name, v, e);
    for (size_t i = x->variable_count; i-- > 0;) {
        if (!str_equal(x->variables[i].name, name))
            continue;
        template_value_clear(&x->variables[i].value);
        x->variables[i].value = template_value_share(v);
        return 0;
    }
    return fail_here(x, pipe, e, "undefined variable: %s", name);
}
