/* SPDX-License-Identifier: Apache-2.0 */
/* A template that is being executed. Inside of the template engine: template_eval.c makes values of pipelines, template_execute.c does what
 * actions say. */
#pragma once

#include "cli/template_tree.h"

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

/* Sets e in Go's words, with the place of the node. fail_here(x, n, e, fmt, ...) is -EINVAL. */
void template_fail_at(const struct execution *x, const struct node *n, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
#define fail_here(...) (template_fail_at(__VA_ARGS__), -EINVAL)

/* Fails when the template has taken too many. */
int template_count_step(struct execution *x, const struct node *n, struct err *e);

int template_variable_find(struct execution *x, const struct node *n, struct variable **ret, struct err *e);
int template_variable_add(struct execution *x, const char *name, const struct value *v, struct err *e);
/* Those behind the first `count`. */
void template_variables_forget(struct execution *x, size_t count);
/* The variable that a pipeline declares or assigns at `index` of its names. */
int template_variable_set(struct execution *x, const struct node *pipe, size_t index, const struct value *v,
                          struct err *e);

/* The value of a pipeline; its variables are set. The caller clears *ret. */
int template_evaluate_pipe(struct execution *x, const struct node *pipe, struct value *ret, struct err *e);
/* Without setting its variables. */
int template_evaluate_commands(struct execution *x, const struct node *pipe, struct value *ret,
                               struct err *e);
