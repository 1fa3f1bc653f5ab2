/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: an int return (0 or a negative errno) and a fixed buffer with what a user should read. No allocation.
 *
 * Convention: `struct err *e` is the last parameter and never NULL. The function in which something fails calls err_set
 * or err_errno; callers that know more add to the front with err_wrap. The final text is one line:
 * "what was being done: what failed: why (what to do)".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ERR_TEXT_MAX 1024

struct err {
    int code;                /* positive errno, 0 when unset */
    int practice;            /* 1..14 when a practice refused, else 0 */
    bool recorded;           /* the refusal is in the audit log */
    char text[ERR_TEXT_MAX]; /* one line, control characters of the arguments made visible */
};

/* Sets the error and returns -code. `code` is a positive errno. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set with the current errno; appends ": <strerror>". */
int err_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "<fmt>: " in front of what stands in e. Returns -e->code (or -EIO when e is unset). */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A refusal by a practice: -EPERM, text "<fmt> (practice N)". The format must name the flag or command that grants just that. */
int err_refuse(struct err *e, int practice, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* -ENOMEM with a constant text. */
int err_oom(struct err *e);

/* Forgets what stands in e. */
void err_clear(struct err *e);
