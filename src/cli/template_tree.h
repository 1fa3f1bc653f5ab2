/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the template engine (template.h): words, tree, values. */
#pragma once

#include <errno.h>
#include <stddef.h>

#include "base/str.h"
#include "cli/template.h"

/* Words of a template. */
enum token_kind {
    TOKEN_END, /* of the text */
    TOKEN_TEXT,
    TOKEN_LEFT,  /* {{ */
    TOKEN_RIGHT, /* }} */
    TOKEN_FIELD, /* .Name */
    TOKEN_DOT,
    TOKEN_VARIABLE, /* $ or $name */
    TOKEN_WORD,     /* function or keyword */
    TOKEN_STRING,   /* "…" or `…` with the quotes */
    TOKEN_CHARACTER,
    TOKEN_NUMBER,
    TOKEN_PIPE,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_ASSIGN,  /* = */
    TOKEN_DECLARE, /* := */
};

struct token {
    enum token_kind kind;
    size_t at, length; /* in the source */
    bool spaced;       /* blanks stand before it */
};

struct lexer {
    const char *text;
    size_t length, at;
    bool inside;   /* between {{ and }} */
    size_t opened; /* where the last {{ stands */
};

int template_next(struct lexer *l, struct token *ret_token, struct err *e);

/* "template parsing error: template: :LINE: …" for a place in the text; the macro is -EINVAL. */
void template_complain_at(const char *text, size_t at, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
#define template_complain(...) (template_complain_at(__VA_ARGS__), -EINVAL)

/* The text that a quoted string or a character constant stands for. */
int template_unquote(const char *text, const struct token *t, struct buf *ret, struct err *e);

enum node_kind {
    NODE_TEXT,
    NODE_ACTION, /* pipe */
    NODE_IF,     /* pipe, list, other */
    NODE_RANGE,
    NODE_WITH,
    NODE_BREAK,
    NODE_CONTINUE,
    NODE_LIST,    /* first: parts */
    NODE_PIPE,    /* first: commands; names: variables that it sets */
    NODE_COMMAND, /* first: function or operand, arguments */
    NODE_DOT,
    NODE_NIL,
    NODE_FIELD,    /* names: .A.B */
    NODE_VARIABLE, /* names: $x.A.B */
    NODE_CHAIN,    /* first: the operand in parentheses; names: .A.B */
    NODE_CONSTANT,
    NODE_FUNCTION, /* names: its name */
};

struct node {
    enum node_kind kind;
    size_t at, length; /* in the source */
    size_t member_at;  /* of the second name of .A.B, which is where Go's errors point; 0: none */
    struct node *next; /* sibling */
    struct node *first;
    struct node *pipe, *list, *other;
    struct str_list names;
    bool declares;                /* := and not = */
    struct json_object *constant; /* also the literal text of NODE_TEXT */
    struct node *allocated;       /* the node made before this one */
};

struct template
{
    char *text;
    unsigned flags;
    struct node *nodes; /* all, for freeing */
    size_t node_count;
    struct node *root;
};

/* What a part of a template is worth. */
struct value {
    struct json_object *json; /* a reference of its own; NULL: nil */
    bool missing;             /* no such member of a map */
};

#define _cleanup_value_ _cleanup_(template_value_clear)
void template_value_clear(struct value *v);
struct value template_value_share(const struct value *v);
/* Takes over the reference. */
static inline struct value template_value_take(struct json_object *json)
{
    return (struct value){.json = json};
}
bool template_value_true(const struct value *v);
/* As Go prints it. */
int template_value_print(const struct value *v, struct buf *out, struct err *e);
int template_print_json(struct json_object *o, struct buf *out, struct err *e);
/* "string", "int" …: for errors. */
const char *template_value_type(const struct value *v);
/* The keys in order, borrowed; free the array. */
int template_sorted_keys(struct json_object *object, const char ***ret_keys, size_t *ret_count,
                         struct err *e);
bool template_is_map(struct json_object *object);
struct json_object *template_labels(struct json_object *object);

/* A function of templates; errors are plain text, the caller adds where and in what. */
struct function {
    const char *name;
    unsigned arguments_min, arguments_max; /* max 0: no bound */
    int (*call)(const struct value *arguments, size_t count, struct value *ret, struct err *e);
    bool changes_text; /* leaves headings as they are */
};
const struct function *template_function(const char *name);
int template_printf(const struct value *arguments, size_t count, struct value *ret, struct err *e);
int template_compare(const struct value *a, const struct value *b, bool ordered, int *ret, struct err *e);
