/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What looks like a secret: by the name of a variable or flag together with its value, or by the form of the value alone (keys and
 * tokens that say what they are). A guess, for warnings and for what is shown: a value that nothing gives away is not found.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define SECRET_HIDDEN "(hidden)"

/* NAME=VALUE, as in an environment. */
bool secret_entry(const char *entry);

/* A value that is one whatever it is called: a private key, a token of a well-known form, a URL with a password. */
bool secret_value(const char *value);

/* The same text with what looks like a secret replaced by SECRET_HIDDEN: values of NAME=VALUE, --name=VALUE and --name VALUE, and words that
 * are secrets by their form. Words are divided by blanks. */
int secret_hide(const char *text, char **ret_text, struct err *e);

/* The same for the words of a command line. */
int secret_hide_words(const struct str_list *words, struct str_list *ret, struct err *e);

/* NAME=VALUE entries: those that secret_entry knows, or with `all` each, without their values. */
int secret_hide_entries(const struct str_list *entries, bool all, struct str_list *ret, struct err *e);
