/* SPDX-License-Identifier: Apache-2.0 */
/* casemate load: images from an archive of `docker save`, or an OCI layout in a tar. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/progress.h"
#include "cli/recording.h"
#include "cli/verbs.h"
#include "image/image.h"
#include "image/load.h"
#include "image/reference.h"
#include "plan/policy.h"

struct load_verb_options {
    const char *input;
    const char *platform;
    bool quiet;
};

static const struct option_entry options[] = {
    {"input", 'i', OPTION_STRING, "FILE", "Read from this file (default: standard input)",
     offsetof(struct load_verb_options, input), .complete = "files"},
    {"platform", 0, OPTION_STRING, "PLATFORM", "Which one of an archive with several (linux/arm64)",
     offsetof(struct load_verb_options, platform)},
    {"quiet", 'q', OPTION_BOOL, NULL, "Show no progress", offsetof(struct load_verb_options, quiet)},
    {0},
};

/* A line for each thing that is read, in the order in which they begin. */
static void show(const char *what, uint64_t done, uint64_t total, void *context)
{
    struct progress *p = context;
    size_t index = 0;
    while (index < p->count && strncmp(p->lines[index].label, what, PROGRESS_LABEL_MAX) != 0)
        index++;
    if (index < PROGRESS_LINES_MAX)
        progress_set(p, index, what, "Loading", done, total);
}

static int open_input(const char *path, struct err *e)
{
    int fd =
        path ? open(path, O_RDONLY | O_CLOEXEC) : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (fd < 0)
        return err_errno(e, "open %s", path ? path : "standard input");
    if (!path && isatty(fd)) {
        (void)close(fd);
        return err_set(e, EINVAL, "requested load from stdin, but stdin is a terminal: use --input FILE");
    }
    return fd;
}

static void print_result(const struct load_result *loaded)
{
    for (size_t i = 0; i < loaded->names.count; i++)
        printf("Loaded image: %s\n", loaded->names.items[i]);
    for (size_t i = 0; i < loaded->ids.count; i++)
        printf("Loaded image ID: %s\n", loaded->ids.items[i]);
}

/* A name that a policy would give something to, if it were not the archive's own word. 1, or 0. */
static int withheld(const struct store *s, const struct policy *policy, const char *name, struct err *e)
{
    struct reference reference;
    char full[REFERENCE_TEXT_MAX + 1];
    _cleanup_image_ struct image *image = NULL;
    int r = reference_parse(name, &reference, e);
    if (r < 0)
        return r;
    reference_format(&reference, full);
    r = policy_has_grant(policy, full, e);
    if (r > 0)
        r = image_find(s, name, &image, e) < 0 ? -ENOENT : !str_list_has(&image->vouched, name);
    return r;
}

static void tell_withheld(const struct store *s, const struct load_result *loaded)
{
    _cleanup_policy_ struct policy policy = {0};
    struct err ignored = {0};
    if (policy_load(&policy, &ignored) < 0)
        return;
    for (size_t i = 0; i < loaded->names.count; i++) {
        const char *name = loaded->names.items[i];
        if (withheld(s, &policy, name, &ignored) > 0)
            fprintf(
                stderr,
                "casemate: practice 6: %s is what the archive calls itself, and has no grant by that name; "
                "if it is: casemate tag %s %s\n",
                name, name, name);
    }
}

static int load(const struct load_verb_options *o, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_load_result_ struct load_result loaded = {0};
    struct progress progress;
    struct load_options how = {.progress = show, .context = &progress};
    platform_host(&how.platform);
    int r = o->platform ? platform_parse(o->platform, &how.platform, e) : 0;
    if (r < 0)
        return err_wrap(e, "--platform");
    _cleanup_close_ int fd = open_input(o->input, e);
    if (fd < 0)
        return fd;
    r = store_open(&s, e);
    if (r < 0)
        return r;
    progress_start(&progress, stderr, o->quiet);
    r = image_load(&s, fd, &how, &loaded, e);
    progress_finish(&progress);
    record_load(&s, &loaded);
    print_result(&loaded);
    tell_withheld(&s, &loaded);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct load_verb_options o = {0};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = load(&o, e);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_load = {
    .name = "load",
    .aliases = "image load",
    .group = VERB_IMAGES,
    .usage = "",
    .summary = "Load images from an archive of `save`",
    .options = {options},
    .run = run,
};
