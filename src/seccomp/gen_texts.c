/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Build tool: writes files as C arrays.
 *
 *     gen_texts OUTPUT.c NAME=FILE ...
 *
 * makes text_NAME and text_NAME_length (texts.h) of each. Runs on the machine that builds.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define BYTES_PER_LINE 24

/* The array of one file. */
static int text_write(char *job, FILE *out)
{
    char *path = strchr(job, '=');
    if (!path)
        return -1;
    *path++ = '\0';
    _cleanup_fclose_ FILE *in = fopen(path, "re");
    if (!in)
        return -1;
    size_t length = 0;
    (void)fprintf(out, "const char text_%s[] = {\n", job);
    for (int c; (c = getc(in)) != EOF; length++)
        (void)fprintf(out, "%d,%s", (signed char)c,
                      length % BYTES_PER_LINE == BYTES_PER_LINE - 1 ? "\n" : "");
    (void)fprintf(out, "0};\nconst size_t text_%s_length = %zu;\n", job, length);
    return ferror(in) || length == 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    _cleanup_fclose_ FILE *out = argc > 2 ? fopen(argv[1], "we") : NULL;
    if (!out) {
        (void)fprintf(stderr, "usage: gen_texts OUTPUT.c NAME=FILE ...\n");
        return 2;
    }
    (void)fprintf(out, "/* Written by gen_texts; not to be edited. */\n#include \"seccomp/texts.h\"\n\n");
    for (int i = 2; i < argc; i++)
        if (text_write(argv[i], out) < 0) {
            (void)fprintf(stderr, "gen_texts: cannot read %s\n", argv[i]);
            (void)remove(argv[1]);
            return 1;
        }
    return ferror(out) || fflush(out) != 0 ? 1 : 0;
}
