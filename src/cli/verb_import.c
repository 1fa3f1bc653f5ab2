/* SPDX-License-Identifier: Apache-2.0 */
/* casemate import: an image of one layer from an archive of a file system. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/image_change.h"
#include "cli/verbs.h"
#include "engine/audit_log.h"
#include "engine/events.h"
#include "image/make.h"
#include "image/platform.h"
#include "image/reference.h"

struct import_options {
    struct str_list changes;
    const char *message;
    const char *platform;
};

static const struct option_entry options[] = {
    {"change", 'c', OPTION_LIST, "INSTRUCTION",
     "Apply an instruction of a Dockerfile to the configuration (CMD, ENV, USER …)",
     offsetof(struct import_options, changes)},
    {"message", 'm', OPTION_STRING, "TEXT", "What it is", offsetof(struct import_options, message)},
    {"platform", 0, OPTION_STRING, "PLATFORM", "What it runs on, if not on this machine (linux/arm64)",
     offsetof(struct import_options, platform)},
    {0},
};

static int open_source(const char *word, struct err *e)
{
    if (str_after(word, "http://") || str_after(word, "https://") || str_after(word, "ftp://"))
        return err_set(e, ENOTSUP,
                       "import from an address is not supported: nothing would say what it has to be. Fetch "
                       "%.200s with a "
                       "program of your choice, check it, and import the file",
                       word);
    int fd = str_equal(word, "-") ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                                  : open(word, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "open %s", word);
    if (isatty(fd)) {
        (void)close(fd);
        return err_set(e, EINVAL, "%s is a terminal: an archive is wanted", word);
    }
    return fd;
}

static int configure(const struct import_options *o, struct image *i, struct err *e)
{
    struct platform p = {0};
    int r = 0;
    platform_host(&p);
    if (o->platform)
        r = platform_parse(o->platform, &p, e);
    if (r == 0)
        r = str_copy(p.os, &i->os, e);
    if (r == 0)
        r = str_copy(p.architecture, &i->architecture, e);
    if (r == 0 && p.variant[0])
        r = str_copy(p.variant, &i->variant, e);
    for (size_t n = 0; n < o->changes.count && r == 0; n++)
        r = image_change(i, o->changes.items[n], e);
    i->created = clock_now();
    return r;
}

static int add_history(const struct import_options *o, const char *word, const struct image *i,
                       struct image_history *h, struct err *e)
{
    struct image_history_entry *x = image_history_add(h, e);
    if (!x)
        return -e->code;
    x->created = i->created;
    int r = o->message ? str_copy(o->message, &x->comment, e)
                       : str_format(&x->comment, e, "Imported from %s", word);
    if (x->comment)
        str_neutralize(x->comment);
    return r;
}

static int take_layer(const struct store *s, int source, struct image *i, struct err *e)
{
    struct make_spool spool = MAKE_SPOOL_INIT;
    int r = make_spool_take(s, source, NULL, NULL, &spool, e);
    if (r == 0)
        r = make_layer(s, &spool, &i->layers[0], e);
    make_spool_close(s, &spool);
    i->layer_count = 1;
    return r;
}

static int import_into(const struct store *s, const struct invocation *in, int source, struct image *i,
                       const struct image_history *h, char *id, struct err *e)
{
    struct documents d = DOCUMENTS_INIT;
    struct err unmended = {0};
    int hold = image_hold(s, e);
    int r = hold < 0 ? hold : take_layer(s, source, i, e);
    if (r == 0)
        r = documents_open(&d, e);
    if (r == 0)
        r = make_image(s, &d, i, h, in->argument_count > 1 ? in->arguments[1] : NULL, id, e);
    documents_close(&d);
    close_fd(&hold);
    (void)image_mend(s, &unmended);
    return r;
}

static int import(const struct invocation *in, const struct import_options *o, struct err *e)
{
    char id[DIGEST_HEX_LENGTH + 1];
    struct reference reference;
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_image_ struct image *i = calloc(1, sizeof(*i));
    _cleanup_image_history_ struct image_history h = {0};
    int r = i ? configure(o, i, e) : err_oom(e);
    if (r == 0 && in->argument_count > 1)
        r = reference_parse(in->arguments[1], &reference, e);
    if (r < 0)
        return r;
    _cleanup_close_ int source = open_source(in->arguments[0], e);
    r = source < 0 ? source : add_history(o, in->arguments[0], i, &h, e);
    if (r == 0)
        r = store_open(&s, e);
    if (r == 0)
        r = import_into(&s, in, source, i, &h, id, e);
    if (r < 0)
        return err_wrap(e, "import");
    audit_note_name(&s, AUDIT_IMPORT, in->argument_count > 1 ? in->arguments[1] : NULL, id, in->arguments[0]);
    events_image(&s, "import", id, in->argument_count > 1 ? in->arguments[1] : NULL);
    printf("sha256:%s\n", id);
    return 0;
}

static int run(const struct invocation *in, struct err *e)
{
    struct import_options o = {0};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = import(in, &o, e);
    str_list_clear(&o.changes);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_import = {
    .name = "import",
    .aliases = "image import",
    .group = VERB_IMAGES,
    .usage = "FILE|- [NAME[:TAG]]",
    .summary = "Make an image of an archive of a file system",
    .arguments_min = 1,
    .arguments_max = 2,
    .complete = "files",
    .options = {options},
    .run = run,
};
