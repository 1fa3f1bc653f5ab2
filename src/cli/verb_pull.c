/* SPDX-License-Identifier: Apache-2.0 */
/* casemate pull: an image from a registry. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/pull_image.h"
#include "cli/verbs.h"
#include "image/platform.h"

struct pull_verb_options {
    bool quiet;
    const char *platform;
    struct registry_access access;
};

static const struct option_entry options[] = {
    {"ca-file", 0, OPTION_STRING, "FILE", "Trust the certificates in this file instead of the system's",
     offsetof(struct pull_verb_options, access.ca_file), .complete = "files"},
    {"platform", 0, OPTION_STRING, "PLATFORM", "Platform of the image (linux/arm64)",
     offsetof(struct pull_verb_options, platform)},
    {"quiet", 'q', OPTION_BOOL, NULL, "Print the name of the image only",
     offsetof(struct pull_verb_options, quiet)},
    {"tls-verify", 0, OPTION_BOOL, NULL,
     "Default true; false: plain HTTP, which is for registries on this machine only",
     offsetof(struct pull_verb_options, access.tls_verify)},
    {"all-tags", 'a', OPTION_UNSUPPORTED, NULL, " yet"},
    {"disable-content-trust", 0, OPTION_UNSUPPORTED, NULL, " yet: signatures are not verified"},
    {0},
};

static int pull(const char *text, const struct pull_verb_options *o, struct err *e)
{
    struct reference ref;
    struct platform platform;
    struct pull_result result = {0};
    char name[REFERENCE_TEXT_MAX + 1];
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_image_ struct image *image = NULL;
    platform_host(&platform);
    int r = o->platform ? platform_parse(o->platform, &platform, e) : 0;
    if (r < 0)
        return err_wrap(e, "--platform");
    r = reference_parse(text, &ref, e);
    if (r == 0)
        r = store_open(&s, e);
    if (r < 0)
        return r;
    const struct pull_request request = {.platform = &platform, .access = o->access, .quiet = o->quiet};
    r = pull_image(&s, &ref, &request, &image, &result, e);
    if (r < 0)
        return r;
    reference_format(&ref, name);
    printf("%s\n", name);
    return EXIT_SUCCESS;
}

static int run(const struct invocation *in, struct err *e)
{
    struct pull_verb_options o = {.access = {.tls_verify = true}};
    int r = options_apply(in, &o, e);
    return r < 0 ? r : pull(in->arguments[0], &o, e);
}

const struct verb verb_pull = {
    .name = "pull",
    .aliases = "image pull",
    .group = VERB_IMAGES,
    .usage = "NAME[:TAG|@DIGEST]",
    .summary = "Get an image from a registry",
    .arguments_min = 1,
    .arguments_max = 1,
    .complete = "images",
    .options = {options},
    .run = run,
};
