/* SPDX-License-Identifier: Apache-2.0 */
/* The practices for containers of others (oci/practices.h): the policy is read, what it led to is recorded, and `explain` shows it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/listing.h"
#include "cli/oci/oci.h"
#include "engine/audit_log.h"
#include "oci/practices.h"

#define FINDINGS_FILE "practices.json"
#define FINDINGS_FILE_MAX (1U << 20)

static struct oci_findings findings;

/* All of one or two kinds in one text: "it may have any number of processes (practice 4); ...". False when there are none. */
static bool join(enum oci_finding_kind a, enum oci_finding_kind b, struct buf *text)
{
    struct err full = {0};
    for (size_t i = 0; i < findings.count; i++) {
        const struct oci_finding *f = &findings.list[i];
        if (f->kind == a || f->kind == b)
            (void)buf_printf(text, 8 * AUDIT_TEXT_MAX, &full, "%s%s (practice %d)", text->length ? "; " : "",
                             f->what, f->practice);
    }
    return text->length > 0;
}

/* A grant is on the disk before it has an effect. */
static int record_grants(const struct store *s, const char *id, struct err *e)
{
    struct audit_event events[OCI_FINDINGS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < findings.count; i++) {
        const struct oci_finding *f = &findings.list[i];
        if (f->kind == OCI_GRANTED)
            events[n++] = (struct audit_event){.kind = AUDIT_GRANT,
                                               .name = id,
                                               .practice = f->practice,
                                               .what = f->what,
                                               .source = f->source};
    }
    return n == 0 ? 0 : audit_log_append(s, events, n, true, NULL, e);
}

static void record_text(const struct store *s, enum audit_kind kind, const char *id, const char *what)
{
    const struct audit_event event = {.kind = kind, .name = id, .what = what};
    audit_note_all(s, &event, 1);
}

static int record(const char *id, struct err *refused, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_buf_ struct buf warned = {0};
    _cleanup_buf_ struct buf tightened = {0};
    struct err closed = {0};
    if (join(OCI_WOULD_REFUSE, OCI_WOULD_TIGHTEN, &warned))
        oci_log_quietly("warning", warned.data);
    if (store_open(&s, &closed) < 0) {
        for (size_t i = 0; i < findings.count; i++)
            if (findings.list[i].kind == OCI_GRANTED)
                return err_set(e, closed.code, "a grant cannot be recorded: %s", closed.text);
        return 0;
    }
    if (refused->practice) {
        const struct audit_event event = {
            .kind = AUDIT_REFUSAL, .name = id, .practice = refused->practice, .what = refused->text};
        audit_note_all(&s, &event, 1);
        return 0;
    }
    if (warned.length > 0)
        record_text(&s, AUDIT_RUNTIME_WARN, id, warned.data);
    if (join(OCI_TIGHTENED, OCI_TIGHTENED, &tightened))
        record_text(&s, AUDIT_RUNTIME_TIGHTEN, id, tightened.data);
    return record_grants(&s, id, e);
}

static int keep(int dir, struct err *e)
{
    _cleanup_json_ struct json_object *list = json_object_new_array();
    int r = list ? 0 : err_oom(e);
    for (size_t i = 0; i < findings.count && r == 0; i++) {
        const struct oci_finding *f = &findings.list[i];
        struct json_object *o = json_object_new_object();
        if (!o || json_object_array_add(list, o) < 0)
            return err_oom(e);
        r = json_add_u64(o, "Practice", (uint64_t)f->practice, e);
        if (r == 0)
            r = json_add_string(o, "State", oci_finding_word(f->kind), e);
        if (r == 0)
            r = json_add_string(o, "What", f->what, e);
        if (r == 0)
            r = json_add_string(o, "Source", f->source, e);
    }
    const char *text = r == 0 ? json_object_to_json_string_ext(list, JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;
    return text ? io_replace_file_at(dir, FINDINGS_FILE, text, strlen(text), 0600, false, e) : r;
}

int oci_review(struct oci_container *c, struct err *e)
{
    _cleanup_policy_ struct policy policy = {0};
    struct err refused = {0};
    bool changed = false;
    int r = policy_load(&policy, e);
    if (r < 0)
        return r;
    int judged = oci_practices_judge(&c->config, &policy, &findings, &changed, &refused);
    if (findings.count > 0 || refused.practice)
        r = record(c->id, &refused, e);
    if (r == 0 && judged < 0) {
        *e = refused;
        return judged;
    }
    if (r == 0 && changed)
        r = oci_container_rewrite(c, e);
    return r == 0 && findings.count > 0 ? keep(c->dir, e) : r;
}

int oci_review_process(const struct oci_container *c, struct oci_process *process, struct err *e)
{
    _cleanup_policy_ struct policy policy = {0};
    struct err refused = {0};
    int r = policy_load(&policy, e);
    if (r < 0)
        return r;
    int judged = oci_practices_judge_process(process, &c->config, &policy, &findings, &refused);
    if (findings.count > 0 || refused.practice)
        r = record(c->id, &refused, e);
    if (r == 0 && judged < 0) {
        *e = refused;
        return judged;
    }
    return r;
}

/* ---- explain ---- */

struct explain_options {
    const char *format;
    bool no_trunc;
};

static const struct option_entry table[] = {
    {"format", 'f', OPTION_STRING, "FORMAT", "table, json, or a template such as {{.Practice}}: {{.What}}",
     offsetof(struct explain_options, format), .complete = "table json"},
    {"no-trunc", 0, OPTION_BOOL, NULL, "Do not cut lines to the terminal",
     offsetof(struct explain_options, no_trunc)},
    {0},
};

static const struct listing_column columns[] = {{"Practice", "PRACTICE", true},
                                                {"State", "STATE", true},
                                                {"What", "WHAT", true},
                                                {"Source", "SOURCE", true},
                                                {0}};

static int run(const struct invocation *in, struct err *e)
{
    struct explain_options o = {0};
    _cleanup_oci_container_ struct oci_container c = OCI_CONTAINER_INIT;
    _cleanup_buf_ struct buf text = {0};
    _cleanup_json_ struct json_object *list = NULL;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = oci_open_argument(in, false, &c, e);
    if (r < 0)
        return r;
    r = io_read_file_at(c.dir, FINDINGS_FILE, FINDINGS_FILE_MAX, &text, e);
    if (r < 0 && r != -ENOENT)
        return r;
    list = r == 0 && text.data ? json_tokener_parse(text.data) : json_object_new_array();
    if (!list || !json_object_is_type(list, json_type_array))
        return err_set(e, EINVAL, FINDINGS_FILE " is not what it was written as");
    return listing_print(columns, list, o.format, o.no_trunc, e);
}

const struct verb oci_verb_explain = {
    .name = "oci explain",
    .group = VERB_HIDDEN,
    .usage = "CONTAINER",
    .summary = "Show what the practices found in its bundle, and what became of it",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {table},
    .run = run,
};
