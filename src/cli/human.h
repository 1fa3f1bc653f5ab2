/* SPDX-License-Identifier: Apache-2.0 */
/* Figures as people read them, in Docker's words. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HUMAN_TEXT_MAX 48 /* room for each of these, with the NUL */

/* Decimal units, three significant digits: "0B", "532B", "77.9MB", "1.2GB". */
void human_size(uint64_t bytes, char *ret_text);

/* Binary units, four significant digits: "512MiB", "1.5GiB". */
void human_memory(uint64_t bytes, char *ret_text);

/* "Less than a second", "About a minute", "3 hours". Negative spans count as none. */
void human_span(int64_t ns, char *ret_text);

/* human_span with " ago" behind it; "N/A" when `then` is 0. */
void human_age(int64_t then, int64_t now, char *ret_text);
