/* SPDX-License-Identifier: Apache-2.0 */
/* Values of pipelines (template_scope.h). Recursion is bounded by what template_parse.c lets nest. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/nearest.h"
#include "cli/template_scope.h"

#define ARGUMENTS_MAX 64

static int evaluate_operand(struct execution *x, const struct node *n, struct value *ret, struct err *e);

static int no_member(const struct execution *x, const struct node *n, struct json_object *object,
                     const char *name, struct err *e)
{
    struct nearest near;
    nearest_start(&near, name, strlen(name));
    json_object_object_foreach(object, key, value)
    {
        (void)value;
        nearest_try(&near, key);
    }
    return fail_here(x, n, e, "map has no entry for key \"%s\"%s%s%s", name,
                     near.best ? " (did you mean ." : "", near.best ? near.best : "", near.best ? "?)" : "");
}

/* A copy in which newlines and tabs are made visible; *v is replaced when there are any. */
static int keep_on_line(struct value *v, struct err *e)
{
    _cleanup_free_ char *copy = NULL;
    const char *text = json_object_get_string(v->json);
    if (!strpbrk(text, "\n\t"))
        return 0;
    int r = str_copy(text, &copy, e);
    if (r < 0)
        return r;
    for (char *at = copy; (at = strpbrk(at, "\n\t"));)
        *at = '?';
    struct value changed = template_value_take(json_object_new_string(copy));
    if (!changed.json)
        return err_oom(e);
    template_value_clear(v);
    *v = changed;
    return 0;
}

/* *v becomes its member. */
static int take_member(struct execution *x, const struct node *n, const char *name, struct value *v,
                       struct err *e)
{
    struct json_object *member;
    if (!v->json)
        return fail_here(x, n, e,
                         v->missing ? "nil pointer evaluating interface {}.%s"
                                    : "nil data; no entry for key \"%s\"",
                         name);
    if (!json_object_is_type(v->json, json_type_object))
        return fail_here(x, n, e, "can't evaluate field %s in type interface {}", name);
    bool found = json_object_object_get_ex(v->json, name, &member) ||
                 /* Docker's own structure says ID, what it prints says Id; templates may say either. */
                 (str_equal(name, "ID") && json_object_object_get_ex(v->json, "Id", &member));
    if (!found && !template_is_map(v->json))
        return no_member(x, n, v->json, name, e);
    struct value next = {.json = found ? json_object_get(member) : NULL, .missing = !found || !member};
    template_value_clear(v);
    *v = next;
    bool text = x->template->flags & TEMPLATE_ONE_LINE && json_object_is_type(v->json, json_type_string);
    return text ? keep_on_line(v, e) : 0;
}

/* {{.Label "key"}}. As a heading: the last part of the key in words. */
static int call_label(struct execution *x, const struct node *n, const struct value *key, struct value *v,
                      struct err *e)
{
    struct json_object *text = NULL;
    struct json_object *labels = template_labels(v->json);
    const char *name =
        json_object_is_type(key->json, json_type_string) ? json_object_get_string(key->json) : NULL;
    if (!name)
        return fail_here(x, n, e, "wrong type for value; expected string; got %s", template_value_type(key));
    if (x->template->flags & TEMPLATE_HEADER) {
        _cleanup_free_ char *heading = NULL;
        const char *dot = strrchr(name, '.');
        int r = str_copy(dot ? dot + 1 : name, &heading, e);
        if (r < 0)
            return r;
        for (char *at = heading; (at = strpbrk(at, "-_"));)
            *at = ' ';
        text = json_object_new_string(heading);
    } else if (json_object_object_get_ex(labels, name, &text)) {
        (void)json_object_get(text);
    } else {
        text = json_object_new_string("");
    }
    if (!text)
        return err_oom(e);
    template_value_clear(v);
    v->json = text;
    return 0;
}

/* Members one after the other; *v is the object and becomes the result. Arguments are for the last one. */
static int take_members(struct execution *x, const struct node *n, size_t first,
                        const struct value *arguments, size_t count, struct value *v, struct err *e)
{
    int r = 0;
    for (size_t i = first; r == 0 && i < n->names.count; i++) {
        const char *name = n->names.items[i];
        bool last = i + 1 == n->names.count;
        bool labels = last && str_equal(name, "Label") && json_object_is_type(v->json, json_type_object) &&
                      (template_labels(v->json) || x->template->flags & TEMPLATE_HEADER);
        if (labels && count != 1)
            return fail_here(x, n, e, "wrong number of args for Label: want 1 got %zu", count);
        if (labels)
            return call_label(x, n, &arguments[0], v, e);
        r = take_member(x, n, name, v, e);
        if (r == 0 && last && count)
            return fail_here(x, n, e, "%s is not a method but has arguments", name);
    }
    return r;
}

/* `and` and `or`: the first value that decides, else the last. */
static int evaluate_logic(struct execution *x, const struct node *first, const struct value *final,
                          bool stop_at, struct value *ret, struct err *e)
{
    struct value v = {0};
    int r = 0;
    const struct node *n = first;
    for (; r == 0 && n; n = n->next) {
        template_value_clear(&v);
        r = evaluate_operand(x, n, &v, e);
        if (r == 0 && template_value_true(&v) == stop_at)
            break;
    }
    if (r == 0 && !n && final) {
        template_value_clear(&v);
        v = template_value_share(final);
    }
    if (r < 0)
        template_value_clear(&v);
    else
        *ret = v;
    return r;
}

/* Values of operands, and behind them what the pipeline brings; the caller clears them, also on failure. */
static int evaluate_arguments(struct execution *x, const struct node *first, const struct value *final,
                              struct value arguments[ARGUMENTS_MAX], size_t *count, struct err *e)
{
    for (const struct node *n = first; n; n = n->next) {
        if (*count == ARGUMENTS_MAX)
            return fail_here(x, n, e, "more than %d arguments", ARGUMENTS_MAX);
        int r = evaluate_operand(x, n, &arguments[*count], e);
        if (r < 0)
            return r;
        (*count)++;
    }
    if (final && *count == ARGUMENTS_MAX)
        return fail_here(x, first, e, "more than %d arguments", ARGUMENTS_MAX);
    if (final)
        arguments[(*count)++] = template_value_share(final);
    return 0;
}

static void clear_arguments(struct value arguments[ARGUMENTS_MAX], size_t count)
{
    for (size_t i = 0; i < count; i++)
        template_value_clear(&arguments[i]);
}

static int call_checked(struct execution *x, const struct node *n, const struct function *f,
                        const struct value *arguments, size_t count, struct value *ret, struct err *e)
{
    struct err why = {0};
    struct node whole = *n;
    if (count < f->arguments_min || (f->arguments_max && count > f->arguments_max))
        return fail_here(x, n, e, "wrong number of args for %s: want %s%u got %zu", f->name,
                         f->arguments_min == f->arguments_max ? "" : "at least ", f->arguments_min, count);
    if (x->template->flags & TEMPLATE_HEADER && f->changes_text) {
        *ret = template_value_share(&arguments[0]);
        return 0;
    }
    int r = f->call(arguments, count, ret, &why);
    if (r < 0 && n->next) /* the command up to its end */
        for (const struct node *last = n->next; last; last = last->next)
            whole.length = last->at + last->length - n->at;
    return r < 0 ? fail_here(x, &whole, e, "error calling %s: %s", f->name, why.text) : 0;
}

static int call_function(struct execution *x, const struct node *n, const struct node *rest,
                         const struct value *final, struct value *ret, struct err *e)
{
    struct value arguments[ARGUMENTS_MAX] = {0};
    size_t count = 0;
    const struct function *f = template_function(n->names.items[0]);
    bool is_or = str_equal(f->name, "or");
    if ((is_or || str_equal(f->name, "and")) && (rest || final))
        return evaluate_logic(x, rest, final, is_or, ret, e);
    int r = evaluate_arguments(x, rest, final, arguments, &count, e);
    if (r == 0)
        r = call_checked(x, n, f, arguments, count, ret, e);
    clear_arguments(arguments, count);
    return r;
}

/* The members of `from` that the node names, called with the rest of the command. */
static int call_members(struct execution *x, const struct node *n, size_t first, const struct value *from,
                        const struct node *rest, const struct value *final, struct value *ret, struct err *e)
{
    struct value arguments[ARGUMENTS_MAX] = {0};
    struct value v = template_value_share(from);
    size_t count = 0;
    int r = evaluate_arguments(x, rest, final, arguments, &count, e);
    if (r == 0 && count && first == n->names.count)
        r = fail_here(x, n, e, "can't give argument to non-function %.*s", (int)n->length,
                      x->template->text + n->at);
    if (r == 0)
        r = take_members(x, n, first, arguments, count, &v, e);
    clear_arguments(arguments, count);
    if (r < 0)
        template_value_clear(&v);
    else
        *ret = v;
    return r;
}

static int evaluate_variable(struct execution *x, const struct node *n, const struct node *rest,
                             const struct value *final, struct value *ret, struct err *e)
{
    struct variable *variable;
    int r = template_variable_find(x, n, &variable, e);
    if (r < 0)
        return r;
    _cleanup_value_ struct value v = template_value_share(&variable->value);
    return call_members(x, n, 1, &v, rest, final, ret, e);
}

static int evaluate_chain(struct execution *x, const struct node *n, const struct node *rest,
                          const struct value *final, struct value *ret, struct err *e)
{
    _cleanup_value_ struct value inner = {0};
    int r = template_evaluate_pipe(x, n->first, &inner, e);
    return r < 0 ? r : call_members(x, n, 0, &inner, rest, final, ret, e);
}

static int evaluate_constant(struct execution *x, const struct node *n, const struct node *rest,
                             const struct value *final, struct value *ret, struct err *e)
{
    if (rest || final)
        return fail_here(x, n, e, "can't give argument to non-function %.*s", (int)n->length,
                         x->template->text + n->at);
    if (n->kind == NODE_DOT)
        *ret = template_value_share(&x->dot);
    else
        *ret = template_value_take(json_object_get(n->constant));
    return 0;
}

/* A function or operand with what follows it in the command. */
static int evaluate_called(struct execution *x, const struct node *n, const struct node *rest,
                           const struct value *final, struct value *ret, struct err *e)
{
    int r = template_count_step(x, n, e);
    if (r < 0)
        return r;
    switch (n->kind) {
    case NODE_FUNCTION:
        return call_function(x, n, rest, final, ret, e);
    case NODE_FIELD:
        return call_members(x, n, 0, &x->dot, rest, final, ret, e);
    case NODE_VARIABLE:
        return evaluate_variable(x, n, rest, final, ret, e);
    case NODE_CHAIN:
        return evaluate_chain(x, n, rest, final, ret, e);
    case NODE_DOT:
    case NODE_CONSTANT:
        return evaluate_constant(x, n, rest, final, ret, e);
    case NODE_NIL:
        if (!rest && !final)
            return fail_here(x, n, e, "nil is not a command");
        return fail_here(x, n, e, "can't give argument to non-function nil");
    case NODE_TEXT:
    case NODE_ACTION:
    case NODE_IF:
    case NODE_RANGE:
    case NODE_WITH:
    case NODE_BREAK:
    case NODE_CONTINUE:
    case NODE_LIST:
    case NODE_PIPE:
    case NODE_COMMAND:
        break;
    }
    return fail_here(x, n, e, "not a value");
}

static int evaluate_operand(struct execution *x, const struct node *n, struct value *ret, struct err *e)
{
    if (n->kind != NODE_NIL)
        return evaluate_called(x, n, NULL, NULL, ret, e);
    *ret = (struct value){0};
    return template_count_step(x, n, e);
}

int template_evaluate_commands(struct execution *x, const struct node *pipe, struct value *ret, struct err *e)
{
    struct value final = {0};
    int r = 0;
    for (const struct node *c = pipe->first; r == 0 && c; c = c->next) {
        struct value next = {0};
        r = evaluate_called(x, c->first, c->first->next, c == pipe->first ? NULL : &final, &next, e);
        template_value_clear(&final);
        final = next;
    }
    if (r < 0)
        template_value_clear(&final);
    else
        *ret = final;
    return r;
}

int template_evaluate_pipe(struct execution *x, const struct node *pipe, struct value *ret, struct err *e)
{
    struct value v = {0};
    int r = template_evaluate_commands(x, pipe, &v, e);
    for (size_t i = 0; r == 0 && i < pipe->names.count; i++)
        r = template_variable_set(x, pipe, i, &v, e);
    if (r < 0)
        template_value_clear(&v);
    else
        *ret = v;
    return r;
}
