/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding an image for run and create (find_image.h). The embedded image is not at any registry: it is loaded from the installation when it is
 * absent.
 */
#include "cli/find_image.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/str.h"
#include "cli/pull_image.h"
#include "cli/recording.h"
#include "image/load.h"
#include "image/platform.h"
#include "image/reference.h"

#define EMBEDDED_NAME "docker.io/casemate/hello:latest"
#define EMBEDDED_FILE "hello.tar"

static int load_embedded(const struct store *s, struct err *e)
{
    _cleanup_free_ char *path = NULL;
    _cleanup_load_result_ struct load_result loaded = {0};
    struct load_options options = {.installed = true};
    platform_host(&options.platform);
    int r = str_format(&path, e, "%s/" EMBEDDED_FILE, dirs_data());
    if (r < 0)
        return r;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "the embedded image %s", path);
    r = image_load(s, fd, &options, &loaded, e);
    record_load(s, &loaded);
    return r;
}

/* Pulls or loads what the text names, and finds it again. */
static int fetch(const struct store *s, const struct run_options *o, const struct platform *platform,
                 struct image **ret_image, struct err *e)
{
    struct reference ref;
    struct pull_result result = {0};
    char name[REFERENCE_TEXT_MAX + 1];
    int r = reference_parse(o->plan.image_reference, &ref, e);
    if (r < 0)
        return r;
    reference_format(&ref, name);
    if (!str_equal(name, EMBEDDED_NAME))
        return pull_image(s, &ref,
                          &(struct pull_request){.platform = platform,
                                                 .access = {.tls_verify = true},
                                                 .quiet = o->quiet,
                                                 .missing = o->pull != PLAN_PULL_ALWAYS},
                          ret_image, &result, e);
    r = load_embedded(s, e);
    return r < 0 ? r : image_find(s, o->plan.image_reference, ret_image, e);
}

/* --platform asks for another than the one that is here. */
static bool fits(const struct image *image, const struct run_options *o, const struct platform *wanted)
{
    if (!o->platform)
        return true;
    return str_equal(image->os, wanted->os) && str_equal(image->architecture, wanted->architecture) &&
           (!wanted->variant[0] || (image->variant && str_equal(image->variant, wanted->variant)));
}

static int find(const struct store *s, const struct run_options *o, const struct platform *platform,
                struct image **ret_image, struct err *e)
{
    _cleanup_image_ struct image *image = NULL;
    int r = image_find(s, o->plan.image_reference, &image, e);
    if (r < 0)
        return r;
    if (!fits(image, o, platform))
        return err_set(e, ENOENT, "the image %s that is here is of another platform than %s",
                       o->plan.image_reference, o->platform);
    *ret_image = steal_ptr(image);
    return 0;
}

int find_image(const struct store *s, const struct run_options *o, struct image **ret_image, struct err *e)
{
    struct platform platform;
    platform_host(&platform);
    int r = o->platform ? platform_parse(o->platform, &platform, e) : 0;
    if (r < 0)
        return err_wrap(e, "--platform");
    if (o->pull == PLAN_PULL_ALWAYS)
        return fetch(s, o, &platform, ret_image, e);
    r = find(s, o, &platform, ret_image, e);
    if (r != -ENOENT)
        return r;
    if (o->pull == PLAN_PULL_NEVER)
        return err_wrap(e, "--pull never");
    /* What can be no name in a registry was meant as an id. */
    if (str_after(o->plan.image_reference, "sha256:"))
        return r;
    err_clear(e);
    return fetch(s, o, &platform, ret_image, e);
}
