/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private directory (mode 0700) for tries that need files.
 */
#pragma once

#define SCRATCH_PATH_MAX 64

/* Makes one in the first place that is writable. `start` skips that many places. Returns the number of the place, or -1 when
 * none is left. */
int scratch_make(char path[SCRATCH_PATH_MAX], int start);

/* Removes it with the plain files in it. */
void scratch_remove(const char *path);
