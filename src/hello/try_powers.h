/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Powers: single things that a container should not be able to do. A table of names and functions; every function runs in a child of
 * its own (attempt.h) and says 1 when the kernel let it pass, 0 otherwise.
 *
 * Every function must be harmless when it is let pass, also for root on a bare host: it changes only its own child, or a file in
 * `power_directory`, or asks for something that fails after the privilege was checked (a path or interface that does not
 * exist, a wrong magic number, a length of -1); then "not EPERM" is the sign.
 */
#pragma once

#include <stddef.h>

struct power {
    const char *name;
    long (*try)(const void *unused);
};

struct powers {
    const struct power *list;
    size_t count;
};

/* The groups, one file each. */
struct powers powers_mount(void);
struct powers powers_identity(void);
struct powers powers_network(void);
struct powers powers_machine(void);
struct powers powers_process(void);

/* A private directory to try things with files in, or NULL when nothing is writable. Set before the first try. */
extern const char *power_directory;

/* A path that does not exist anywhere. */
#define POWER_NO_PATH "/casemate-probe-no-such-path"

/* "directory/name" in a static buffer, or NULL when there is no directory. */
const char *power_file(const char *name);

#define POWERS_MAX 64

struct power_results {
    size_t tried;
    size_t working;
    const char *name[POWERS_MAX];
    int works[POWERS_MAX];
};

void try_powers(struct power_results *results);
