/* SPDX-License-Identifier: Apache-2.0 */
/* engine/audit_scan: no text crashes the reader of the audit log; what it accepts can be gone on with, as a writer would. */
#include "engine/audit_scan.h"

#include <errno.h>

#include "base/str.h"
#include "fuzz.h"

#define TEXT_MAX (4U << 20)

static int visit(const struct audit_record *r, void *context, struct err *e)
{
    uint64_t *count = context;
    (void)e;
    MUST(r->seq > 0 && r->event && r->length < AUDIT_LINE_MAX);
    (*count)++;
    return 0;
}

/* Closes off what is torn, adds a record with the input as its text, and scans again. */
static void go_on(struct audit_scan *scan, const uint8_t *data, size_t size, uint64_t count)
{
    static const struct audit_actor who = {.pid = 1};
    struct err e = {0};
    uint64_t again = 0;
    _cleanup_buf_ struct buf b = {0};
    _cleanup_free_ char *text = fuzz_text(data, size);
    struct audit_chain chain = scan->chain;
    if (chain.seq > UINT64_MAX / 2)
        return;
    MUST(buf_add(&b, data, size, TEXT_MAX, &e) == 0);
    if (scan->torn) {
        digest_of(data + scan->torn_start, scan->torn_length, &chain.last);
        if (!scan->torn_ended)
            MUST(buf_add(&b, "\n", 1, TEXT_MAX, &e) == 0);
        const struct audit_event torn = {.kind = AUDIT_TORN, .bytes = scan->torn_length};
        MUST(audit_record_format(&torn, &who, 0, &chain, TEXT_MAX, &b, &e) == 0);
    }
    const struct audit_event event = {.kind = AUDIT_EXEC, .name = text, .what = text};
    MUST(audit_record_format(&event, &who, 0, &chain, TEXT_MAX, &b, &e) == 0);
    struct audit_scan second = {0};
    MUST(audit_scan_text(&second, "log", b.data, b.length, visit, &again, &e) == 0);
    MUST(!second.torn && again == count + 1 + scan->torn && second.chain.seq == chain.seq);
    MUST(digest_equal(&second.chain.last, &chain.last));
}

/* The input as the members of one line, with a hash that fits: so that the hash does not keep the fuzzer from what is behind it. */
static void parse_hashed(const uint8_t *data, size_t size)
{
    struct err e = {0};
    struct digest own;
    char hex[DIGEST_HEX_LENGTH + 1];
    _cleanup_buf_ struct buf b = {0};
    _cleanup_audit_record_ struct audit_record r = {0};
    digest_of(data, size, &own);
    digest_format_hex(&own, hex);
    MUST(buf_add(&b, data, size, TEXT_MAX, &e) == 0);
    MUST(buf_printf(&b, TEXT_MAX, &e, ",\"hash\":\"%s\"}", hex) == 0);
    int bad = audit_record_parse(b.data, b.length, &r, &e);
    MUST(bad == 0 ? r.seq > 0 && r.event != NULL : bad == -EBADMSG && e.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    struct audit_scan scan = {0};
    uint64_t count = 0;
    int r = audit_scan_text(&scan, "log", (const char *)data, size, visit, &count, &e);
    MUST(r == 0 || (r == -EBADMSG && str_after(e.text, "log: record ")));
    if (r == 0)
        go_on(&scan, data, size, count);
    parse_hashed(data, size);
    return 0;
}
