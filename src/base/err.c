/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error buffer (err.h). Trusted code; arguments may hold hostile text, so control characters never reach the result.
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Terminal escapes and line breaks from names and file content become '?'. UTF-8 bytes stay; C1 controls in UTF-8 form
 * (0xc2 0x80-0x9f) do not. */
static void text_neutralize(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
        else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
            p[0] = p[1] = '?';
    }
}

__attribute__((format(printf, 3, 0))) static void text_set(struct err *e, int code, const char *fmt,
                                                           va_list ap)
{
    e->code = code;
    e->practice = 0;
    e->recorded = false;
    (void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
    text_neutralize(e->text);
}

static void text_append(struct err *e, const char *tail)
{
    size_t used = strlen(e->text);
    (void)snprintf(e->text + used, sizeof(e->text) - used, "%s", tail);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    text_set(e, code, fmt, ap);
    va_end(ap);
    return -code;
}

int err_errno(struct err *e, const char *fmt, ...)
{
    int code = errno ? errno : EIO;
    va_list ap;
    va_start(ap, fmt);
    text_set(e, code, fmt, ap);
    va_end(ap);
    text_append(e, ": ");
    text_append(e, strerror(code));
    return -code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    char inner[ERR_TEXT_MAX];
    int code = e->code ? e->code : EIO;
    int practice = e->practice;
    bool recorded = e->recorded;
    memcpy(inner, e->text, sizeof(inner));
    va_list ap;
    va_start(ap, fmt);
    text_set(e, code, fmt, ap);
    va_end(ap);
    e->practice = practice;
    e->recorded = recorded;
    text_append(e, ": ");
    text_append(e, inner);
    return -code;
}

int err_refuse(struct err *e, int practice, const char *fmt, ...)
{
    char tail[32];
    va_list ap;
    va_start(ap, fmt);
    text_set(e, EPERM, fmt, ap);
    va_end(ap);
    e->practice = practice;
    (void)snprintf(tail, sizeof(tail), " (practice %d)", practice);
    text_append(e, tail);
    return -EPERM;
}

int err_oom(struct err *e)
{
    return err_set(e, ENOMEM, "out of memory");
}

void err_clear(struct err *e)
{
    e->code = 0;
    e->practice = 0;
    e->text[0] = '\0';
}
