/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casemate system reset: everything goes that Casemate has stored, as if it had just been installed. The audit log stays: what was done
 * here is not undone.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dirs.h"
#include "base/path.h"
#include "cli/verbs.h"
#include "engine/lifecycle.h"
#include "engine/mend.h"
#include "engine/volume.h"

#define WORD "reset"

struct reset_options {
    bool force;
};

static const struct option_entry options[] = {
    {"force", 'f', OPTION_BOOL, NULL, "Do not ask, and kill what runs",
     offsetof(struct reset_options, force)},
    {0},
};

static bool is_confirmed(void)
{
    char answer[32] = "";
    printf("WARNING! This will remove everything below %s but the audit log:\n"
           "  - all containers, their writable layers and logs\n  - all images\n  - all volumes and what is "
           "in them\n"
           "Type \"" WORD "\" to go on: ",
           dirs_data_root());
    (void)fflush(stdout);
    if (!fgets(answer, sizeof(answer), stdin))
        return false;
    answer[strcspn(answer, "\n")] = '\0';
    return str_equal(answer, WORD);
}

static int refuse_running(struct container *c, void *context, struct err *e)
{
    (void)context;
    if (c->status != CONTAINER_RUNNING && c->status != CONTAINER_RESTARTING)
        return 0;
    return err_set(e, EBUSY, "container %s is running: stop it first, or use --force", c->plan.name);
}

static int remove_container(struct container *c, void *context, struct err *e)
{
    int r = lifecycle_remove(context, c, true, true, e);
    if (r == -ENOENT) /* it went by itself */
        err_clear(e);
    return r == -ENOENT ? 0 : r;
}

/* The small files by which the next command knows the store, and the record of what was done. */
static bool stays(const char *name)
{
    return str_equal(name, ".") || str_equal(name, "..") || str_equal(name, "format") ||
           str_equal(name, "audit");
}

static int remove_rest(const struct store *s, struct err *e)
{
    _cleanup_close_ int fd = openat(s->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return err_errno(e, "read %s", dirs_data_root());
    (void)steal_fd(&fd);
    for (const struct dirent *entry; (entry = readdir(d));) {
        int r = stays(entry->d_name) ? 0 : path_remove_tree_at(s->root, entry->d_name, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int reset(struct store *s, const struct reset_options *o, struct err *e)
{
    mend_all(s);
    int r = o->force ? 0 : container_for_each(s, refuse_running, NULL, e);
    if (r == 0 && !o->force && !is_confirmed())
        r = err_set(e, ECANCELED, "system reset has been cancelled");
    if (r == 0)
        r = container_for_each(s, remove_container, s, e);
    if (r == 0)
        mend_all(s);
    return r < 0 ? r : remove_rest(s, e);
}

static int run(const struct invocation *in, struct err *e)
{
    struct reset_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = store_open(&s, e);
    if (r == 0)
        r = reset(&s, &o, e);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_system_reset = {
    .name = "system reset",
    .group = VERB_SYSTEM,
    .usage = "",
    .summary = "Remove all containers, images, volumes and logs",
    .options = {options},
    .run = run,
};
