/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding a filter that was compiled ahead (tables.h).
 */
#include <stddef.h>
#include <string.h>

#include "seccomp/generated.h"
#include "seccomp/tables.h"

const struct filter *filter_find(const char *name)
{
    for (size_t i = 0; i < filter_table_len; i++)
        if (strcmp(filter_table[i].name, name) == 0)
            return &filter_table[i].filter;
    return NULL;
}
