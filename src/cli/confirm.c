/* SPDX-License-Identifier: Apache-2.0 */
/* Asking (confirm.h). */
#include "cli/confirm.h"

#include <stdio.h>
#include <string.h>

int confirm(const char *warning)
{
    char answer[16] = "";
    printf("WARNING! %s\nAre you sure you want to continue? [y/N] ", warning);
    (void)fflush(stdout);
    if (!fgets(answer, sizeof(answer), stdin))
        return 0;
    answer[strcspn(answer, "\n")] = '\0';
    return strcmp(answer, "y") == 0 || strcmp(answer, "Y") == 0;
}
