/* SPDX-License-Identifier: Apache-2.0 */
/* Templates to trees (template_tree.h). Recursion is bounded by TEMPLATE_DEPTH_MAX, size by TEMPLATE_NODES_MAX. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "cli/template_tree.h"

#define IN_PARENTHESES "parenthesized pipeline"

struct parser {
    struct lexer lexer;
    struct token token; /* the one to be looked at */
    struct template *template;
    struct str_list variables; /* in scope */
    unsigned depth, loops;
};

/* What ends a list of parts. */
enum list_end {
    LIST_EOF,
    LIST_END,
    LIST_ELSE,
};

static int parse_list(struct parser *p, struct node **ret_list, enum list_end *ret_end, struct err *e);
static int parse_pipe(struct parser *p, const char *context, enum token_kind end, struct node **ret,
                      struct err *e);

static int advance(struct parser *p, struct err *e)
{
    return template_next(&p->lexer, &p->token, e);
}

static const char *token_text(const struct parser *p)
{
    return p->template->text + p->token.at;
}

static bool token_is(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_WORD && strlen(word) == p->token.length &&
           strncmp(token_text(p), word, p->token.length) == 0;
}

#define COMPLAIN(p, e, ...) template_complain((p)->template->text, (p)->token.at, e, __VA_ARGS__)

static int unexpected(const struct parser *p, const char *context, struct err *e)
{
    if (p->token.kind == TOKEN_END || (p->token.kind == TOKEN_TEXT && p->token.length == 0))
        return COMPLAIN(p, e, "unexpected EOF");
    if (p->token.kind == TOKEN_CLOSE)
        return COMPLAIN(p, e, "unexpected right paren");
    if (p->token.kind == TOKEN_RIGHT && str_equal(context, IN_PARENTHESES))
        return COMPLAIN(p, e, "unclosed left paren");
    return COMPLAIN(p, e, "unexpected <%.*s> in %s", (int)p->token.length, token_text(p), context);
}

static int make_node(struct parser *p, enum node_kind kind, struct node **ret, struct err *e)
{
    struct template *t = p->template;
    if (t->node_count == TEMPLATE_NODES_MAX)
        return COMPLAIN(p, e, "more than %d parts", TEMPLATE_NODES_MAX);
    struct node *n = calloc(1, sizeof(*n));
    if (!n)
        return err_oom(e);
    n->kind = kind;
    n->at = p->token.at;
    n->length = p->token.length;
    n->allocated = t->nodes;
    t->nodes = n;
    t->node_count++;
    *ret = n;
    return 0;
}

static int add_name(struct node *n, const struct parser *p, struct err *e)
{
    _cleanup_free_ char *name = NULL;
    bool field = p->token.kind == TOKEN_FIELD;
    int r = str_copy_n(token_text(p) + field, p->token.length - field, &name, e);
    return r < 0 ? r : str_list_add(&n->names, name, e);
}

/* Fields that follow without a blank: .B of $x.B and of (…).B */
static int add_fields(struct parser *p, struct node *n, struct err *e)
{
    int r = 0;
    while (r == 0 && p->token.kind == TOKEN_FIELD && !p->token.spaced) {
        n->length = p->token.at + p->token.length - n->at;
        n->member_at = n->member_at ? n->member_at : p->token.at;
        r = add_name(n, p, e);
        if (r == 0)
            r = advance(p, e);
    }
    return r;
}

static int constant(struct node *n, struct json_object *value, struct err *e)
{
    n->constant = value;
    return value ? 0 : err_oom(e);
}

static int parse_number(struct parser *p, struct node *n, struct err *e)
{
    char text[64];
    char *end;
    if (p->token.length >= sizeof(text))
        return COMPLAIN(p, e, "bad number syntax: \"%.*s\"", (int)p->token.length, token_text(p));
    memcpy(text, token_text(p), p->token.length);
    text[p->token.length] = '\0';
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    int base = digits[0] != '0' ? 10 : strchr("xX", digits[1]) && digits[1] ? 16 : digits[1] ? 8 : 10;
    errno = 0;
    long long whole = strtoll(text, &end, base);
    if (!*end && errno == 0)
        return constant(n, json_object_new_int64(whole), e);
    errno = 0;
    double real = strtod(text, &end);
    if (*end || errno || !isfinite(real) || base == 16)
        return COMPLAIN(p, e, "bad number syntax: \"%s\"", text);
    return constant(n, json_object_new_double(real), e);
}

static int parse_text_constant(struct parser *p, struct node *n, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    int r = template_unquote(p->template->text, &p->token, &b, e);
    if (r < 0)
        return r;
    if (p->token.kind == TOKEN_STRING)
        return constant(n, json_object_new_string_len(b.data ? b.data : "", (int)b.length), e);
    size_t width = b.data ? str_utf8_length(b.data) : 0;
    if (width == 0 || width != b.length)
        return COMPLAIN(p, e, "malformed character constant: %.*s", (int)p->token.length, token_text(p));
    int64_t code = width == 1 ? b.data[0] : (b.data[0] & (0xff >> (width + 1)));
    for (size_t i = 1; i < width; i++)
        code = code << 6 | (b.data[i] & 0x3f);
    return constant(n, json_object_new_int64(code), e);
}

static int parse_word(struct parser *p, struct node **ret, struct err *e)
{
    if (token_is(p, "nil"))
        return make_node(p, NODE_NIL, ret, e);
    if (token_is(p, "true") || token_is(p, "false")) {
        int r = make_node(p, NODE_CONSTANT, ret, e);
        return r < 0 ? r : constant(*ret, json_object_new_boolean(token_is(p, "true")), e);
    }
    int r = make_node(p, NODE_FUNCTION, ret, e);
    if (r == 0)
        r = add_name(*ret, p, e);
    if (r == 0 && !template_function((*ret)->names.items[0]))
        r = COMPLAIN(p, e, "function \"%s\" not defined", (*ret)->names.items[0]);
    return r;
}

static int parse_variable(struct parser *p, struct node **ret, struct err *e)
{
    int r = make_node(p, NODE_VARIABLE, ret, e);
    if (r == 0)
        r = add_name(*ret, p, e);
    if (r == 0 && !str_list_has(&p->variables, (*ret)->names.items[0]))
        r = COMPLAIN(p, e, "undefined variable \"%s\"", (*ret)->names.items[0]);
    return r;
}

static int parse_parentheses(struct parser *p, struct node **ret, struct err *e)
{
    size_t at = p->token.at;
    if (p->depth == TEMPLATE_DEPTH_MAX)
        return COMPLAIN(p, e, "nested deeper than %d", TEMPLATE_DEPTH_MAX);
    p->depth++;
    int r = make_node(p, NODE_CHAIN, ret, e);
    if (r == 0)
        r = advance(p, e);
    if (r == 0)
        r = parse_pipe(p, IN_PARENTHESES, TOKEN_CLOSE, &(*ret)->first, e);
    if (r == 0)
        (*ret)->length = p->token.at + p->token.length - at;
    p->depth--;
    return r;
}

/* The token is the operand's first; afterwards it is the one behind it. *ret NULL: this is none. */
static int parse_operand(struct parser *p, struct node **ret, struct err *e)
{
    int r = 0;
    *ret = NULL;
    switch (p->token.kind) {
    case TOKEN_WORD:
        r = parse_word(p, ret, e);
        break;
    case TOKEN_DOT:
        r = make_node(p, NODE_DOT, ret, e);
        break;
    case TOKEN_FIELD:
        r = make_node(p, NODE_FIELD, ret, e);
        if (r == 0)
            r = add_name(*ret, p, e);
        break;
    case TOKEN_VARIABLE:
        r = parse_variable(p, ret, e);
        break;
    case TOKEN_OPEN:
        r = parse_parentheses(p, ret, e);
        break;
    case TOKEN_NUMBER:
        r = make_node(p, NODE_CONSTANT, ret, e);
        if (r == 0)
            r = parse_number(p, *ret, e);
        break;
    case TOKEN_STRING:
    case TOKEN_CHARACTER:
        r = make_node(p, NODE_CONSTANT, ret, e);
        if (r == 0)
            r = parse_text_constant(p, *ret, e);
        break;
    case TOKEN_END:
    case TOKEN_TEXT:
    case TOKEN_LEFT:
    case TOKEN_RIGHT:
    case TOKEN_PIPE:
    case TOKEN_CLOSE:
    case TOKEN_COMMA:
    case TOKEN_ASSIGN:
    case TOKEN_DECLARE:
        return 0;
    }
    if (r == 0)
        r = advance(p, e);
    if (r < 0 || p->token.kind != TOKEN_FIELD || p->token.spaced)
        return r;
    enum node_kind kind = (*ret)->kind;
    if (kind != NODE_FIELD && kind != NODE_VARIABLE && kind != NODE_CHAIN)
        return unexpected(p, "operand", e);
    return add_fields(p, *ret, e);
}

/* A function or operand, and its arguments. */
static int parse_command(struct parser *p, const char *context, struct node **ret, struct err *e)
{
    int r = make_node(p, NODE_COMMAND, ret, e);
    struct node **place = r < 0 ? NULL : &(*ret)->first;
    while (r == 0) {
        bool apart = p->token.spaced || place == &(*ret)->first;
        struct node *operand;
        r = parse_operand(p, &operand, e);
        if (r < 0 || !operand)
            break;
        if (!apart)
            return COMPLAIN(p, e, "unexpected <%.*s> in operand", (int)operand->length,
                            p->template->text + operand->at);
        *place = operand;
        place = &operand->next;
        (*ret)->length = operand->at + operand->length - (*ret)->at;
    }
    if (r == 0 && !(*ret)->first)
        r = p->token.kind == TOKEN_RIGHT || p->token.kind == TOKEN_PIPE || p->token.kind == TOKEN_CLOSE
                ? COMPLAIN(p, e, "missing value for %s", context)
                : unexpected(p, context, e);
    return r;
}

/* "$x :=", "$x =", and in range "$i, $x :=". The words are looked at ahead: a variable alone is an operand. */
static int parse_declarations(struct parser *p, const char *context, struct node *pipe, struct err *e)
{
    struct lexer before = p->lexer;
    struct token first = p->token;
    bool range = str_equal(context, "range");
    if (first.kind != TOKEN_VARIABLE)
        return 0;
    int r = add_name(pipe, p, e);
    if (r == 0)
        r = advance(p, e);
    if (r == 0 && p->token.kind == TOKEN_COMMA && range) {
        r = advance(p, e);
        if (r == 0 && p->token.kind != TOKEN_VARIABLE)
            return unexpected(p, "range", e);
        if (r == 0)
            r = add_name(pipe, p, e);
        if (r == 0)
            r = advance(p, e);
    }
    if (r < 0)
        return r;
    if (p->token.kind == TOKEN_COMMA)
        return COMPLAIN(p, e, "too many declarations in %s", context);
    if (p->token.kind != TOKEN_DECLARE && p->token.kind != TOKEN_ASSIGN) {
        str_list_clear(&pipe->names);
        p->lexer = before;
        p->token = first;
        return 0;
    }
    pipe->declares = p->token.kind == TOKEN_DECLARE;
    for (size_t i = 0; i < pipe->names.count && !pipe->declares; i++)
        if (!str_list_has(&p->variables, pipe->names.items[i]))
            return COMPLAIN(p, e, "undefined variable \"%s\"", pipe->names.items[i]);
    return advance(p, e);
}

/* Up to a token of this kind, which stays the one to be looked at. */
static int parse_pipe(struct parser *p, const char *context, enum token_kind end, struct node **ret,
                      struct err *e)
{
    int r = make_node(p, NODE_PIPE, ret, e);
    if (r == 0)
        r = parse_declarations(p, context, *ret, e);
    struct node **place = r < 0 ? NULL : &(*ret)->first;
    while (r == 0) {
        r = parse_command(p, context, place, e);
        if (r < 0)
            break;
        enum node_kind kind = (*place)->first->kind;
        bool later = place != &(*ret)->first;
        if (later && (kind == NODE_CONSTANT || kind == NODE_DOT || kind == NODE_NIL))
            return COMPLAIN(p, e, "non executable command in pipeline stage 2");
        (*ret)->length = (*place)->at + (*place)->length - (*ret)->at;
        place = &(*place)->next;
        if (p->token.kind == end)
            break;
        r = p->token.kind == TOKEN_PIPE ? advance(p, e) : unexpected(p, context, e);
    }
    for (size_t i = 0; r == 0 && (*ret)->declares && i < (*ret)->names.count; i++)
        r = str_list_add(&p->variables, (*ret)->names.items[i], e);
    return r;
}

static void forget_variables(struct parser *p, size_t count)
{
    while (p->variables.count > count) {
        free(p->variables.items[--p->variables.count]);
        p->variables.items[p->variables.count] = NULL;
    }
}

static int expect_right(struct parser *p, const char *context, struct err *e)
{
    return p->token.kind == TOKEN_RIGHT ? 0 : unexpected(p, context, e);
}

static int parse_control(struct parser *p, enum node_kind kind, const char *context, struct node **ret,
                         struct err *e);

/* Behind {{else: "}}" and a list, or "if …" ("with …"), which is a block of its own that shares our {{end}}. */
static int parse_else(struct parser *p, enum node_kind kind, const char *context, struct node *n,
                      struct err *e)
{
    enum list_end end = LIST_EOF;
    bool chained = kind != NODE_RANGE && token_is(p, context);
    if (!chained) {
        int r = expect_right(p, "else", e);
        if (r == 0)
            r = parse_list(p, &n->other, &end, e);
        if (r == 0 && end != LIST_END)
            r = end == LIST_ELSE ? COMPLAIN(p, e, "expected end; found {{else}}") : unexpected(p, context, e);
        return r;
    }
    int r = make_node(p, NODE_LIST, &n->other, e);
    return r < 0 ? r : parse_control(p, kind, context, &n->other->first, e);
}

static int parse_block(struct parser *p, enum node_kind kind, const char *context, struct node *n,
                       struct err *e)
{
    enum list_end end = LIST_EOF;
    int r = advance(p, e);
    if (r == 0)
        r = parse_pipe(p, context, TOKEN_RIGHT, &n->pipe, e);
    p->loops += kind == NODE_RANGE;
    if (r == 0)
        r = parse_list(p, &n->list, &end, e);
    p->loops -= kind == NODE_RANGE;
    if (r == 0 && end == LIST_EOF)
        r = unexpected(p, context, e);
    return r == 0 && end == LIST_ELSE ? parse_else(p, kind, context, n, e) : r;
}

static int parse_control(struct parser *p, enum node_kind kind, const char *context, struct node **ret,
                         struct err *e)
{
    size_t scope = p->variables.count;
    if (p->depth == TEMPLATE_DEPTH_MAX)
        return COMPLAIN(p, e, "nested deeper than %d", TEMPLATE_DEPTH_MAX);
    p->depth++;
    int r = make_node(p, kind, ret, e);
    if (r == 0)
        r = parse_block(p, kind, context, *ret, e);
    forget_variables(p, scope);
    p->depth--;
    return r;
}

static int parse_jump(struct parser *p, enum node_kind kind, const char *name, struct node **ret,
                      struct err *e)
{
    if (p->loops == 0)
        return COMPLAIN(p, e, "{{%s}} outside {{range}}", name);
    int r = make_node(p, kind, ret, e);
    if (r == 0)
        r = advance(p, e);
    return r < 0 ? r : expect_right(p, name, e);
}

static int parse_pipe_action(struct parser *p, struct node **ret, struct err *e)
{
    int r = make_node(p, NODE_ACTION, ret, e);
    return r < 0 ? r : parse_pipe(p, "command", TOKEN_RIGHT, &(*ret)->pipe, e);
}

/* Behind {{. 0: *ret is a part; 1: it ends the list, *ret_end. */
static int parse_action(struct parser *p, struct node **ret, enum list_end *ret_end, struct err *e)
{
    static const char *const foreign[] = {"define", "template", "block"};
    int r = advance(p, e);
    if (r < 0)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
        if (token_is(p, foreign[i]))
            return COMPLAIN(p, e, "{{%s}} is not supported in --format", foreign[i]);
    if (token_is(p, "if"))
        return parse_control(p, NODE_IF, "if", ret, e);
    if (token_is(p, "range"))
        return parse_control(p, NODE_RANGE, "range", ret, e);
    if (token_is(p, "with"))
        return parse_control(p, NODE_WITH, "with", ret, e);
    if (token_is(p, "break"))
        return parse_jump(p, NODE_BREAK, "break", ret, e);
    if (token_is(p, "continue"))
        return parse_jump(p, NODE_CONTINUE, "continue", ret, e);
    bool ends = token_is(p, "end");
    if (!ends && !token_is(p, "else"))
        return parse_pipe_action(p, ret, e);
    *ret_end = ends ? LIST_END : LIST_ELSE;
    if (p->depth == 0)
        return COMPLAIN(p, e, "unexpected {{%s}}", ends ? "end" : "else");
    r = advance(p, e);
    if (r == 0 && ends)
        r = expect_right(p, "end", e);
    return r < 0 ? r : 1;
}

static int parse_text(struct parser *p, struct node **ret, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    const char *text = token_text(p);
    bool escapes = p->template->flags & TEMPLATE_ESCAPES;
    int r = make_node(p, NODE_TEXT, ret, e);
    for (size_t i = 0; i < p->token.length && r == 0; i++) {
        bool escape = escapes && text[i] == '\\' && i + 1 < p->token.length && strchr("tn", text[i + 1]);
        char c = escape ? (text[++i] == 't' ? '\t' : '\n') : text[i];
        r = buf_add(&b, &c, 1, TEMPLATE_SOURCE_MAX, e);
    }
    return r < 0 ? r : constant(*ret, json_object_new_string_len(b.data ? b.data : "", (int)b.length), e);
}

/* The token to be looked at is the last of what stands before the list; afterwards the last of what ends it, but for
 * {{else, behind which it is the next one. */
static int parse_list(struct parser *p, struct node **ret_list, enum list_end *ret_end, struct err *e)
{
    int r = make_node(p, NODE_LIST, ret_list, e);
    struct node **place = r < 0 ? NULL : &(*ret_list)->first;
    while (r == 0) {
        r = advance(p, e);
        if (r < 0)
            break;
        if (p->token.kind == TOKEN_END) {
            *ret_end = LIST_EOF;
            break;
        }
        r = p->token.kind == TOKEN_TEXT ? parse_text(p, place, e) : parse_action(p, place, ret_end, e);
        if (r == 0)
            place = &(*place)->next;
    }
    return r < 0 ? r : 0;
}

int template_parse(const char *text, unsigned flags, struct template **ret_template, struct err *e)
{
    size_t length = strlen(text);
    enum list_end end = LIST_EOF;
    if (length > TEMPLATE_SOURCE_MAX)
        return err_set(e, EINVAL, "template parsing error: more than %d bytes", TEMPLATE_SOURCE_MAX);
    _cleanup_template_ struct template *t = calloc(1, sizeof(*t));
    if (!t)
        return err_oom(e);
    struct parser p = {.template = t};
    t->flags = flags;
    int r = str_copy(text, &t->text, e);
    if (r < 0)
        return r;
    p.lexer = (struct lexer){.text = t->text, .length = length};
    r = str_list_add(&p.variables, "$", e);
    if (r == 0)
        r = parse_list(&p, &t->root, &end, e);
    str_list_clear(&p.variables);
    if (r < 0)
        return r;
    *ret_template = steal_ptr(t);
    return 0;
}

void template_free(struct template *t)
{
    if (!t)
        return;
    while (t->nodes) {
        struct node *n = t->nodes;
        t->nodes = n->allocated;
        str_list_clear(&n->names);
        json_object_put(n->constant);
        free(n);
    }
    free(t->text);
    free(t);
}
