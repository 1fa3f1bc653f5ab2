/* SPDX-License-Identifier: Apache-2.0 */
/* A store for tests (temp_store.h). */
#include "temp_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"

#define TEMPLATE "/tmp/casemate-unit-XXXXXX"

static char place[] = TEMPLATE;

int temp_store_open(void **state)
{
    static struct store s;
    struct err e = {0};
    char root[64];
    char run[64];
    memcpy(place, TEMPLATE, sizeof(place));
    if (geteuid() != 0 || !mkdtemp(place))
        return -1;
    (void)snprintf(root, sizeof(root), "%s/root", place);
    (void)snprintf(run, sizeof(run), "%s/run", place);
    (void)setenv("CASEMATE_ROOT", root, 1);
    (void)setenv("CASEMATE_RUN", run, 1);
    if (store_open(&s, &e) < 0)
        return -1;
    *state = &s;
    return 0;
}

int temp_store_close(void **state)
{
    struct err e = {0};
    store_close(*state);
    return path_remove_tree_at(AT_FDCWD, place, &e);
}
