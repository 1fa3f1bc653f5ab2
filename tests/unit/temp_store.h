/* SPDX-License-Identifier: Apache-2.0 */
/* A store of its own below /tmp for each test: set-up and tear-down functions of cmocka. Needs root. */
#pragma once

#include "store/root.h"

/* *state becomes a struct store *. */
int temp_store_open(void **state);
int temp_store_close(void **state);
