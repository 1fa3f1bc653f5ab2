/* SPDX-License-Identifier: Apache-2.0 */
/* Executing templates (template.h). Steps and output are bounded; recursion is bounded by what template_parse.c lets nest. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "cli/nearest.h"
#include "cli/template_tree.h"

#define ARGUMENTS_MAX 64
#define SHOWN_MAX 20 /* bytes of a part that an error shows, Go's */

struct variable {
    const char *name; /* borrowed from the tree */
    struct value value;
};

enum jump {
    JUMP_NONE,
    JUMP_BREAK,
    JUMP_CONTINUE,
};

struct execution {
    const struct template *template;
    struct buf *out;
    struct value dot;
    struct variable *variables;
    size_t variable_count;
    unsigned steps;
    enum jump jump;
};

static int evaluate_pipe(struct execution *x, const struct node *pipe, struct value *ret, struct err *e);
static int evaluate_operand(struct execution *x, const struct node *n, struct value *ret, struct err *e);
static int execute_list(struct execution *x, const struct node *list, struct err *e);

static void complain_at(const struct execution *x, const struct node *n, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
#define complain(...) (complain_at(__VA_ARGS__), -EINVAL)

static void complain_at(const struct execution *x, const struct node *n, struct err *e, const char *fmt, ...)
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

static int count_step(struct execution *x, const struct node *n, struct err *e)
{
    if (++x->steps > TEMPLATE_STEPS_MAX)
        return complain(x, n, e, "more than %d steps", TEMPLATE_STEPS_MAX);
    return 0;
}

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
    return complain(x, n, e, "map has no entry for key \"%s\"%s%s%s", name,
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
        return complain(x, n, e,
                        v->missing ? "nil pointer evaluating interface {}.%s"
                                   : "nil data; no entry for key \"%s\"",
                        name);
    if (!json_object_is_type(v->json, json_type_object))
        return complain(x, n, e, "can't evaluate field %s in type interface {}", name);
    bool found = json_object_object_get_ex(v->json, name, &member);
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
        return complain(x, n, e, "wrong type for value; expected string; got %s", template_value_type(key));
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
            return complain(x, n, e, "wrong number of args for Label: want 1 got %zu", count);
        if (labels)
            return call_label(x, n, &arguments[0], v, e);
        r = take_member(x, n, name, v, e);
        if (r == 0 && last && count)
            return complain(x, n, e, "%s is not a method but has arguments", name);
    }
    return r;
}

static int find_variable(struct execution *x, const struct node *n, struct variable **ret, struct err *e)
{
    for (size_t i = x->variable_count; i-- > 0;) {
        if (str_equal(x->variables[i].name, n->names.items[0])) {
            *ret = &x->variables[i];
            return 0;
        }
    }
    return complain(x, n, e, "undefined variable: %s", n->names.items[0]);
}

static int add_variable(struct execution *x, const char *name, const struct value *v, struct err *e)
{
    struct variable *grown = reallocarray(x->variables, x->variable_count + 1, sizeof(*grown));
    if (!grown)
        return err_oom(e);
    x->variables = grown;
    grown[x->variable_count++] = (struct variable){name, template_value_share(v)};
    return 0;
}

static void forget_variables(struct execution *x, size_t count)
{
    while (x->variable_count > count)
        template_value_clear(&x->variables[--x->variable_count].value);
}

static int set_variable(struct execution *x, const struct node *pipe, size_t index, const struct value *v,
                        struct err *e)
{
    const char *name = pipe->names.items[index];
    if (pipe->declares)
        return add_variable(x, name, v, e);
    for (size_t i = x->variable_count; i-- > 0;) {
        if (!str_equal(x->variables[i].name, name))
            continue;
        template_value_clear(&x->variables[i].value);
        x->variables[i].value = template_value_share(v);
        return 0;
    }
    return complain(x, pipe, e, "undefined variable: %s", name);
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
            return complain(x, n, e, "more than %d arguments", ARGUMENTS_MAX);
        int r = evaluate_operand(x, n, &arguments[*count], e);
        if (r < 0)
            return r;
        (*count)++;
    }
    if (final && *count == ARGUMENTS_MAX)
        return complain(x, first, e, "more than %d arguments", ARGUMENTS_MAX);
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
        return complain(x, n, e, "wrong number of args for %s: want %s%u got %zu", f->name,
                        f->arguments_min == f->arguments_max ? "" : "at least ", f->arguments_min, count);
    if (x->template->flags & TEMPLATE_HEADER && f->changes_text) {
        *ret = template_value_share(&arguments[0]);
        return 0;
    }
    int r = f->call(arguments, count, ret, &why);
    if (r < 0 && n->next) /* the command up to its end */
        for (const struct node *last = n->next; last; last = last->next)
            whole.length = last->at + last->length - n->at;
    return r < 0 ? complain(x, &whole, e, "error calling %s: %s", f->name, why.text) : 0;
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
        r = complain(x, n, e, "can't give argument to non-function %.*s", (int)n->length,
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
    int r = find_variable(x, n, &variable, e);
    if (r < 0)
        return r;
    _cleanup_value_ struct value v = template_value_share(&variable->value);
    return call_members(x, n, 1, &v, rest, final, ret, e);
}

static int evaluate_chain(struct execution *x, const struct node *n, const struct node *rest,
                          const struct value *final, struct value *ret, struct err *e)
{
    _cleanup_value_ struct value inner = {0};
    int r = evaluate_pipe(x, n->first, &inner, e);
    return r < 0 ? r : call_members(x, n, 0, &inner, rest, final, ret, e);
}

static int evaluate_constant(struct execution *x, const struct node *n, const struct node *rest,
                             const struct value *final, struct value *ret, struct err *e)
{
    if (rest || final)
        return complain(x, n, e, "can't give argument to non-function %.*s", (int)n->length,
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
    int r = count_step(x, n, e);
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
            return complain(x, n, e, "nil is not a command");
        return complain(x, n, e, "can't give argument to non-function nil");
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
    return complain(x, n, e, "not a value");
}

static int evaluate_operand(struct execution *x, const struct node *n, struct value *ret, struct err *e)
{
    if (n->kind != NODE_NIL)
        return evaluate_called(x, n, NULL, NULL, ret, e);
    *ret = (struct value){0};
    return count_step(x, n, e);
}

/* Without setting its variables. */
static int evaluate_commands(struct execution *x, const struct node *pipe, struct value *ret, struct err *e)
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

static int evaluate_pipe(struct execution *x, const struct node *pipe, struct value *ret, struct err *e)
{
    struct value v = {0};
    int r = evaluate_commands(x, pipe, &v, e);
    for (size_t i = 0; r == 0 && i < pipe->names.count; i++)
        r = set_variable(x, pipe, i, &v, e);
    if (r < 0)
        template_value_clear(&v);
    else
        *ret = v;
    return r;
}

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
    int r = evaluate_pipe(x, n->pipe, &v, e);
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
    int r = evaluate_pipe(x, n->pipe, &v, e);
    if (r == 0 && template_value_true(&v))
        r = n->kind == NODE_WITH ? execute_with_dot(x, n->list, &v, e) : execute_list(x, n->list, e);
    else if (r == 0 && n->other)
        r = execute_list(x, n->other, e);
    forget_variables(x, scope);
    return r;
}

/* One round; the last variable is the value, the first of two the key. */
static int execute_round(struct execution *x, const struct node *n, const struct value *key,
                         const struct value *v, struct err *e)
{
    size_t scope = x->variable_count;
    size_t names = n->pipe->names.count;
    int r = count_step(x, n, e);
    if (r == 0 && names > 0)
        r = set_variable(x, n->pipe, 0, names == 2 ? key : v, e);
    if (r == 0 && names > 1)
        r = set_variable(x, n->pipe, 1, v, e);
    if (r == 0)
        r = execute_with_dot(x, n->list, v, e);
    forget_variables(x, scope);
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
    int r = evaluate_commands(x, n->pipe, &v, e);
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
        r = complain(x, n->pipe, e, "range can't iterate over %s", json_object_get_string(v.json));
    else if (n->other)
        return execute_list(x, n->other, e); /* {{break}} there is of the loop around this one */
    if (x->jump == JUMP_BREAK)
        x->jump = JUMP_NONE;
    return r;
}

static int execute_part(struct execution *x, const struct node *n, struct err *e)
{
    int r = count_step(x, n, e);
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
    return complain(x, n, e, "not an action");
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
    int r = add_variable(&x, "$", &x.dot, e);
    if (r == 0)
        r = execute_list(&x, t->root, e);
    forget_variables(&x, 0);
    free(x.variables);
    return r;
}
