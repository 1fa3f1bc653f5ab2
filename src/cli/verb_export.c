/* SPDX-License-Identifier: Apache-2.0 */
/* casemate export: the file system of a container as a tar archive. */
#include <errno.h>
#include <stdlib.h>

#include "cli/containers.h"
#include "cli/output_file.h"
#include "engine/audit_log.h"
#include "engine/events.h"
#include "engine/files.h"

struct export_options {
    const char *output;
};

static const struct option_entry options[] = {
    {"output", 'o', OPTION_STRING, "FILE", "Write to this file (default: standard output)",
     offsetof(struct export_options, output), .complete = "files"},
    {0},
};

static int export_files(struct files *f, int out, struct err *e)
{
    struct message_files_counts counts;
    int r = files_pack(f, "/", "", FILES_PACK_CONTENT, out, e);
    return r < 0 ? r : files_wait(f, NULL, NULL, &counts, e);
}

static int run(const struct invocation *in, struct err *e)
{
    struct export_options o = {0};
    _cleanup_output_file_ struct output_file out = OUTPUT_FILE_INIT;
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_container_ struct container c = CONTAINER_INIT;
    _cleanup_files_ struct files f = FILES_INIT;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = output_file_open(o.output, &out, e);
    if (r == 0)
        r = containers_open(&s, in->arguments[0], &c, e);
    if (r == 0 && (r = files_check_policy(true, e)) < 0)
        audit_note_refusal(&s, &c.plan, e);
    if (r < 0)
        return r;
    audit_note_container(&s, AUDIT_EXPORT, &c.plan, o.output ? o.output : "(standard output)");
    events_container(&s, &c.plan, "export", NULL, 0);
    r = files_open_container(&s, &c, FILES_ROOT_OVERLAY, false, &f, e);
    if (r == 0)
        r = export_files(&f, out.fd, e);
    if (r == 0)
        r = output_file_finish(&out, e);
    return r < 0 ? r : EXIT_SUCCESS;
}

const struct verb verb_export = {
    .name = "export",
    .aliases = "container export",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER",
    .summary = "Write the files of a container as a tar archive",
    .arguments_min = 1,
    .arguments_max = 1,
    .complete = "containers",
    .options = {options},
    .run = run,
};
