/* SPDX-License-Identifier: Apache-2.0 */
/* An image as Docker's API describes it (inspect.h). */
#include "base/json.h"
#include "cli/inspect.h"
#include "cli/inspect_json.h"

static void add_set(struct members *config, const char *key, const struct str_list *names)
{
    struct members set = members_new_map(config, key);
    for (size_t i = 0; i < names->count; i++) {
        struct members empty = members_object(&set, names->items[i]);
        members_join(&set, &empty);
    }
    members_join(config, &set);
}

static void add_config(struct members *top, const struct image *image)
{
    struct members m = members_object(top, "Config");
    members_text(&m, "User", image->user);
    members_list(&m, "Env", &image->env, false);
    members_list(&m, "Cmd", &image->cmd, true);
    members_list(&m, "Entrypoint", &image->entrypoint, true);
    members_text(&m, "WorkingDir", image->working_dir);
    members_map(&m, "Labels", &image->labels);
    add_set(&m, "ExposedPorts", &image->exposed_ports);
    add_set(&m, "Volumes", &image->volumes);
    if (image->stop_signal)
        members_text(&m, "StopSignal", image->stop_signal);
    members_list(&m, "Shell", &image->shell, true);
    members_join(top, &m);
}

static void add_layers(struct members *top, const struct image *image)
{
    struct err e = {0};
    _cleanup_str_list_ struct str_list diffs = {0};
    _cleanup_str_list_ struct str_list blobs = {0};
    for (size_t i = 0; i < image->layer_count; i++) {
        char digest[DIGEST_TEXT_LENGTH + 1];
        digest_format(&image->layers[i].diff_id, digest);
        int r = str_list_add(&diffs, digest, &e);
        digest_format(&image->layers[i].blob, digest);
        if (r < 0 || str_list_add(&blobs, digest, &e) < 0)
            top->failed = true;
    }
    struct members rootfs = members_object(top, "RootFS");
    members_text(&rootfs, "Type", "layers");
    members_list(&rootfs, "Layers", &diffs, false);
    members_join(top, &rootfs);
    struct members own = members_object(top, "Casemate");
    members_list(&own, "Blobs", &blobs, false);
    members_join(top, &own);
}

/* Names with a tag and names with a digest are listed apart. */
static void add_names(struct members *top, const struct image *image)
{
    struct err e = {0};
    _cleanup_str_list_ struct str_list tags = {0};
    _cleanup_str_list_ struct str_list digests = {0};
    for (size_t i = 0; i < image->names.count; i++) {
        const char *name = image->names.items[i];
        if (str_list_add(strchr(name, '@') ? &digests : &tags, name, &e) < 0)
            top->failed = true;
    }
    members_list(top, "RepoTags", &tags, false);
    members_list(top, "RepoDigests", &digests, false);
}

int inspect_image(const struct image *image, struct json_object **ret_json, struct err *e)
{
    _cleanup_json_ struct json_object *json = json_object_new_object();
    _cleanup_free_ char *id = NULL;
    if (!json)
        return err_oom(e);
    int r = str_format(&id, e, "sha256:%s", image->id);
    if (r < 0)
        return r;
    struct members m = {.object = json};
    members_text(&m, "Id", id);
    add_names(&m, image);
    members_time(&m, "Created", image->created);
    members_text(&m, "Author", image->author);
    add_config(&m, image);
    members_text(&m, "Architecture", image->architecture);
    if (image->variant)
        members_text(&m, "Variant", image->variant);
    members_text(&m, "Os", image->os);
    members_number(&m, "Size", (int64_t)image->size);
    add_layers(&m, image);
    if (m.failed)
        return err_oom(e);
    *ret_json = steal_ptr(json);
    return 0;
}
