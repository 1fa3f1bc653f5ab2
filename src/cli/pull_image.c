/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling (pull_image.h), in Docker's words. */
#include "cli/pull_image.h"

#include <stdio.h>

#include "base/str.h"
#include "cli/pull_progress.h"
#include "engine/audit_log.h"
#include "engine/events.h"
#include "plan/policy.h"

int registry_prepare(const char *host, const struct registry_access *access, struct policy *policy,
                     struct pull_options *options, struct err *e)
{
    int r = policy_load(policy, e);
    if (r < 0)
        return r;
    const struct policy_registry *section = policy_registry_find(policy, host);
    options->plain_http = !access->tls_verify || (section && section->plain_http);
    options->ca_file = access->ca_file ? access->ca_file : section ? section->ca_file : NULL;
    return 0;
}

static void print_result(const struct pull_result *result, const char *name)
{
    char digest[DIGEST_TEXT_LENGTH + 1];
    digest_format(&result->digest, digest);
    fprintf(stderr, "Digest: %s\nStatus: %s for %s\n", digest,
            result->changed ? "Downloaded newer image" : "Image is up to date", name);
}

static void record_pull(const struct store *s, const char *name, const struct image *image,
                        const struct pull_result *result)
{
    char digest[DIGEST_TEXT_LENGTH + 1];
    digest_format(&result->digest, digest);
    audit_note_name(s, AUDIT_PULL, name, image->id, digest);
    events_image(s, "pull", image->id, name);
}

int pull_image(const struct store *s, const struct reference *r, const struct pull_request *request,
               struct image **ret_image, struct pull_result *ret_result, struct err *e)
{
    char name[REFERENCE_TEXT_MAX + 1];
    struct pull_progress progress;
    _cleanup_policy_ struct policy policy = {0};
    struct pull_options options = {
        .platform = *request->platform, .event = pull_progress_event, .context = &progress};
    int failed = registry_prepare(r->host, &request->access, &policy, &options, e);
    if (failed < 0)
        return failed;
    reference_format_familiar(r, name);
    if (!request->quiet && request->missing)
        fprintf(stderr, "Unable to find image '%s' locally\n", name);
    if (!request->quiet)
        fprintf(stderr, "%s: Pulling from %s\n", r->has_digest ? name : r->tag, r->path);
    pull_progress_start(&progress, request->quiet);
    failed = image_pull(s, r, &options, ret_image, ret_result, e);
    pull_progress_finish(&progress);
    if (failed == 0)
        record_pull(s, name, *ret_image, ret_result);
    if (failed == 0 && !request->quiet)
        print_result(ret_result, name);
    return failed;
}
