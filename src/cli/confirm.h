/* SPDX-License-Identifier: Apache-2.0 */
/* The question before something is removed for good. */
#pragma once

#include "base/err.h"

/* Prints the warning and asks on standard output, as Docker does. 1: yes; 0: anything else, or the end of the input. */
int confirm(const char *warning);
