/* SPDX-License-Identifier: Apache-2.0 */
/* Text for terminals (visible.h). */
#include "cli/visible.h"

#include <stdbool.h>

void visible_print(const char *text, size_t length, FILE *out)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        unsigned char next = i + 1 < length ? (unsigned char)text[i + 1] : 0;
        bool plain = c == '\t' || c == '\n' || (c == '\r' && next == '\n');
        if ((c < 0x20 && !plain) || c == 0x7f) {
            fprintf(out, "^%c", c ^ 0x40);
        } else if (c == 0xc2 && next >= 0x80 && next <= 0x9f) {
            fprintf(out, "\\x%02x", next);
            i++;
        } else {
            fputc(c, out);
        }
    }
}
