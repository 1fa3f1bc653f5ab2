/* SPDX-License-Identifier: Apache-2.0 */
/* casemate diff: what a container has changed in the files of its image. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/containers.h"
#include "engine/audit_log.h"
#include "engine/files.h"

#define RECORD_MAX (MESSAGE_PATH_MAX + 2) /* letter, '/', path, NUL */

struct diff_options {
    bool executables;
};

static const struct option_entry options[] = {
    {"executables", 0, OPTION_BOOL, NULL,
     "Only programs and libraries (ELF) that the image does not have like that",
     offsetof(struct diff_options, executables)},
    {0},
};

static int print_record(char *record, size_t length, struct err *e)
{
    if (length < 2 || !strchr("ACD", record[0]) || record[1] != '/')
        return err_set(e, EBADMSG, "casemate-files: malformed answer");
    str_neutralize(record + 1);
    printf("%c %s\n", record[0], record + 1);
    return 0;
}

/* Prints the records as they come. */
static int print_records(int fd, struct err *e)
{
    char record[RECORD_MAX + 1];
    size_t used = 0;
    int r = 0;
    int c;
    _cleanup_fclose_ FILE *in = fdopen(fd, "re");
    if (!in) {
        (void)close(fd);
        return err_errno(e, "read the changes");
    }
    while (r == 0 && (c = getc(in)) != EOF) {
        if (used == RECORD_MAX)
            return err_set(e, EBADMSG, "casemate-files: malformed answer");
        record[used++] = (char)c;
        if (c == '\0') {
            r = print_record(record, used - 1, e);
            used = 0;
        }
    }
    return r;
}

static int diff(const struct store *s, const struct container *c, bool executables, struct err *e)
{
    int ends[2];
    struct message_files_counts counts;
    _cleanup_files_ struct files f = FILES_INIT;
    int r = files_open_writable(s, c, &f, e);
    if (r < 0)
        return r;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    r = files_changes(&f, executables, ends[1], e);
    (void)close(ends[1]);
    if (r < 0) {
        (void)close(ends[0]);
        return r;
    }
    r = print_records(ends[0], e);
    return r < 0 ? r : files_wait(&f, NULL, NULL, &counts, e);
}

static int run(const struct invocation *in, struct err *e)
{
    struct diff_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_container_ struct container c = CONTAINER_INIT;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = containers_open(&s, in->arguments[0], &c, e);
    if (r < 0)
        return r;
    audit_note_container(&s, AUDIT_DIFF, &c.plan, o.executables ? "executables" : NULL);
    r = diff(&s, &c, o.executables, e);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_diff = {
    .name = "diff",
    .aliases = "container diff",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER",
    .summary = "List what a container has changed in the files of its image",
    .arguments_min = 1,
    .arguments_max = 1,
    .complete = "containers",
    .options = {options},
    .run = run,
};
