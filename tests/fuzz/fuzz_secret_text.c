/* SPDX-License-Identifier: Apache-2.0 */
/* plan/secret_text: no text crashes it, and a word that is a secret by itself is not shown. */
#include "plan/secret_text.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static char *hide(const char *text)
{
    struct err e = {0};
    char *hidden = NULL;
    MUST(secret_hide(text, &hidden, &e) == 0 && hidden != NULL);
    return hidden;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    char *text = malloc(size + 1);
    MUST(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    char *once = hide(text);
    if (!strpbrk(text, " \t\r\n") && secret_value(text)) /* one word */
        MUST(strstr(once, SECRET_HIDDEN) != NULL);
    (void)secret_entry(text);
    free(once);
    free(text);
    return 0;
}
