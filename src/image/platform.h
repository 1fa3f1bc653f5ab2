/* SPDX-License-Identifier: Apache-2.0 */
/* The platform of an image: OS/ARCHITECTURE[/VARIANT], in the words of Go (OCI image-spec, "Platform variants"). Linux only. */
#pragma once

#include "base/err.h"

#define PLATFORM_WORD_MAX 32

struct platform {
    char os[PLATFORM_WORD_MAX];
    char architecture[PLATFORM_WORD_MAX];
    char variant[PLATFORM_WORD_MAX]; /* "" : any */
};

/* What this machine runs. */
void platform_host(struct platform *ret_platform);

/* "linux/arm64/v8", "arm64"; aliases (x86_64, aarch64, …) become the usual words. */
int platform_parse(const char *text, struct platform *ret_platform, struct err *e);

/* "linux/arm64/v8": PLATFORM_TEXT_MAX + 1 bytes. */
#define PLATFORM_TEXT_MAX (3 * PLATFORM_WORD_MAX)
void platform_format(const struct platform *p, char *ret_text);
