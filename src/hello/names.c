/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded list of names (names.h).
 */
#include "hello/names.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LENGTH_MAX 4352

void names_add(struct names *list, const char *name)
{
    if (list->count < NAMES_MAX)
        list->name[list->count] = strdup(name);
    list->count++;
}

void names_add_format(struct names *list, const char *format, ...)
{
    char text[NAME_LENGTH_MAX];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    names_add(list, text);
}

size_t names_kept(const struct names *list)
{
    return list->count < NAMES_MAX ? list->count : NAMES_MAX;
}

static int names_compare(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    return strcmp(x ? x : "", y ? y : "");
}

void names_sort(struct names *list)
{
    qsort(list->name, names_kept(list), sizeof(list->name[0]), names_compare);
}

void names_clear(struct names *list)
{
    for (size_t i = 0; i < names_kept(list); i++)
        free(list->name[i]);
    list->count = 0;
}
