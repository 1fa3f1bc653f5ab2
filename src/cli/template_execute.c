/* SPDX-License-Identifier: Apache-2.0 */
/* Executing templates (template.h): text, actions, conditions and loops. Steps and output are bounded. */
#include <errno.h>
#include <stdlib.h>

#include "cli/template_scope.h"

static int execute_list(struct execution *x, const struct node *list, struct err *e);

/* Control characters but newline and tab, and what is no UTF-8, become '?'. */
static int add_visible(struct buf *out, const char *text, size_t length, struct err *e)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < length;) {
        size_t n = text[i] ? str_utf8_length(text + i) : 0;
        unsigned char c = (unsigned char)text[i];
        bool control = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ||
                       (n == 2 && c == 0xc2 && (unsigned char)text[i + 1] < 0xa0);
        r = n && !control ? buf_add(out, text + i, n, TEMPLATE_OUTPUT_MAX, e)
                          : buf_add(out, "?", 1, TEMPLATE_OUTPUT_MAX, e);
        i += n ? n : 1;
    }
    return r;
}

static int execute_action(struct execution *x, const struct node *n, struct err *e)
{
    _cleanup_value_ struct value v = {0};
    _cleanup_buf_ struct buf b = {0};
    int r = template_evaluate_pipe(x, n->pipe, &v, e);
    if (r < 0 || n->pipe->names.count)
        return r;
    r = template_value_print(&v, &b, e);
    return r < 0 ? r : add_visible(x->out, b.data ? b.data : "", b.length, e);
}

/* The body with another dot. */
static int execute_with_dot(struct execution *x, const struct node *list, const struct value *dot,
                            struct err *e)
{
    struct value before = x->dot;
    x->dot = *dot;
    int r = execute_list(x, list, e);
    x->dot = before;
    return r;
}

static int execute_condition(struct execution *x, const struct node *n, struct err *e)
{
    _cleanup_value_ struct value v = {0};
    size_t scope = x->variable_count;
    int r = template_evaluate_pipe(x, n->pipe, &v, e);
    if (r == 0 && template_value_true(&v))
        r = n->kind == NODE_WITH ? execute_with_dot(x, n->list, &v, e) : execute_list(x, n->list, e);
    else if (r == 0 && n->other)
        r = execute_list(x, n->other, e);
    template_variables_forget(x, scope);
    return r;
}

/* One round; the last variable is the value, the first of two the key. */
static int execute_round(struct execution *x, const struct node *n, const struct value *key,
                         const struct value *v, struct err *e)
{
    size_t scope = x->variable_count;
    size_t names = n->pipe->names.count;
    int r = template_count_step(x, n, e);
    if (r == 0 && names > 0)
        r = template_variable_set(x, n->pipe, 0, names == 2 ? key : v, e);
    if (r == 0 && names > 1)
        r = template_variable_set(x, n->pipe, 1, v, e);
    if (r == 0)
        r = execute_with_dot(x, n->list, v, e);
    template_variables_forget(x, scope);
    if (x->jump == JUMP_CONTINUE)
        x->jump = JUMP_NONE;
    return r;
}

static int range_array(struct execution *x, const struct node *n, struct json_object *array, struct err *e)
{
    int r = 0;
    for (size_t i = 0; r == 0 && !x->jump && i < json_object_array_length(array); i++) {
        _cleanup_value_ struct value key = template_value_take(json_object_new_int64((int64_t)i));
        const struct value item = {.json = json_object_array_get_idx(array, i)};
        r = key.json ? execute_round(x, n, &key, &item, e) : err_oom(e);
    }
    return r;
}

static int range_object(struct execution *x, const struct node *n, struct json_object *object, struct err *e)
{
    size_t count;
    _cleanup_free_ const char **keys = NULL;
    int r = template_sorted_keys(object, &keys, &count, e);
    for (size_t i = 0; r == 0 && !x->jump && i < count; i++) {
        _cleanup_value_ struct value key = template_value_take(json_object_new_string(keys[i]));
        const struct value item = {.json = json_object_object_get(object, keys[i])};
        r = key.json ? execute_round(x, n, &key, &item, e) : err_oom(e);
    }
    return r;
}

static int range_number(struct execution *x, const struct node *n, int64_t end, struct err *e)
{
    int r = 0;
    for (int64_t i = 0; r == 0 && !x->jump && i < end; i++) {
        _cleanup_value_ struct value key = template_value_take(json_object_new_int64(i));
        r = key.json ? execute_round(x, n, &key, &key, e) : err_oom(e);
    }
    return r;
}

static int execute_range(struct execution *x, const struct node *n, struct err *e)
{
    _cleanup_value_ struct value v = {0};
    int r = template_evaluate_commands(x, n->pipe, &v, e);
    bool number = json_object_is_type(v.json, json_type_int) && json_object_get_int64(v.json) > 0;
    if (r < 0)
        return r;
    if (json_object_is_type(v.json, json_type_array) && json_object_array_length(v.json))
        r = range_array(x, n, v.json, e);
    else if (json_object_is_type(v.json, json_type_object) && json_object_object_length(v.json))
        r = range_object(x, n, v.json, e);
    else if (number)
        r = range_number(x, n, json_object_get_int64(v.json), e);
    else if (json_object_is_type(v.json, json_type_string) ||
             json_object_is_type(v.json, json_type_boolean) || json_object_is_type(v.json, json_type_double))
        r = fail_here(x, n->pipe, e, "range can't iterate over %s", json_object_get_string(v.json));
    else if (n->other)
        return execute_list(x, n->other, e); /* {{break}} there is of the loop around this one */
    if (x->jump == JUMP_BREAK)
        x->jump = JUMP_NONE;
    return r;
}

static int execute_part(struct execution *x, const struct node *n, struct err *e)
{
    int r = template_count_step(x, n, e);
    if (r < 0)
        return r;
    switch (n->kind) {
    case NODE_TEXT:
        return buf_add(x->out, json_object_get_string(n->constant),
                       (size_t)json_object_get_string_len(n->constant), TEMPLATE_OUTPUT_MAX, e);
    case NODE_ACTION:
        return execute_action(x, n, e);
    case NODE_IF:
    case NODE_WITH:
        return execute_condition(x, n, e);
    case NODE_RANGE:
        return execute_range(x, n, e);
    case NODE_BREAK:
    case NODE_CONTINUE:
        x->jump = n->kind == NODE_BREAK ? JUMP_BREAK : JUMP_CONTINUE;
        return 0;
    case NODE_LIST:
    case NODE_PIPE:
    case NODE_COMMAND:
    case NODE_DOT:
    case NODE_NIL:
    case NODE_FIELD:
    case NODE_VARIABLE:
    case NODE_CHAIN:
    case NODE_CONSTANT:
    case NODE_FUNCTION:
        break;
    }
    return fail_here(x, n, e, "not an action");
}

static int execute_list(struct execution *x, const struct node *list, struct err *e)
{
    int r = 0;
    for (const struct node *n = list->first; r == 0 && !x->jump && n; n = n->next)
        r = execute_part(x, n, e);
    return r;
}

int template_execute(const struct template *t, struct json_object *value, struct buf *out, struct err *e)
{
    struct execution x = {.template = t, .out = out, .dot = {.json = value}};
    int r = template_variable_add(&x, "$", &x.dot, e);
    if (r == 0)
        r = execute_list(&x, t->root, e);
    template_variables_forget(&x, 0);
    free(x.variables);
    return r;
}
