/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand at the end of a command line that is being typed, from the tables. */
#pragma once

#include "base/str.h"
#include "cli/verbs.h"

/* Adds the candidates for the last of the words (which may be ""), one per item; `ret_files` is set when names of files fit. */
int complete_words(char **words, size_t count, struct str_list *candidates, bool *ret_files, struct err *e);

/* Names that only the store knows. `what` is "containers", "images" or "volumes"; others add nothing. Unreadable stores add nothing. */
void complete_names(const char *what, struct str_list *candidates);
