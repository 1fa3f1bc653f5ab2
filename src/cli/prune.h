/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what nothing uses, for `container prune`, `image prune`, `volume prune` and `system prune`. What goes is printed, under a heading. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/filter.h"
#include "cli/verbs.h"
#include "store/root.h"

struct prune_options {
    bool all, volumes, force;
    struct str_list filters;
};

/* What every table of theirs has. */
#define PRUNE_FORCE                                                                          \
    {                                                                                        \
        "force", 'f', OPTION_BOOL, NULL, "Do not ask", offsetof(struct prune_options, force) \
    }

/* Filters: label, label! and until (a time; what is younger stays). */
struct prune_filter {
    const struct str_list *filters;
    int64_t until; /* ns since the epoch; 0: none */
};

#define PRUNE_QUESTION_MAX 512

/* One of the verbs. */
struct prune_command {
    const char *name;        /* "image prune" */
    const char *const *keys; /* filters that it takes, NULL-terminated; NULL: until, label, label! */
    /* What will go, as the user is asked. At most PRUNE_QUESTION_MAX bytes. */
    void (*ask)(const struct prune_options *o, char *question);
    /* Removes it; *bytes grows by what it took. */
    int (*prune)(const struct store *s, const struct prune_options *o, const struct prune_filter *f,
                 uint64_t *bytes, struct err *e);
};

/* Reads options and filters, asks, removes and says how much it was: the exit status, or a negative errno. */
int prune_run(const struct invocation *in, const struct prune_command *command, struct err *e);

/* Containers that do not run, with their anonymous volumes. *bytes grows by what they took. */
int prune_containers(const struct store *s, const struct prune_filter *f, uint64_t *bytes, struct err *e);

/* Volumes that no container uses; `all`: named ones too. */
int prune_volumes(const struct store *s, bool all, const struct prune_filter *f, uint64_t *bytes,
                  struct err *e);

/* Images without a name; `all`: every one that no container is of. */
int prune_images(const struct store *s, bool all, const struct prune_filter *f, uint64_t *bytes,
                 struct err *e);
