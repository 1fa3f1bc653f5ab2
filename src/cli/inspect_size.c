/* SPDX-License-Identifier: Apache-2.0 */
/* inspect --size (inspect.h): what a container has written, and with its image. */
#include "base/json.h"
#include "cli/inspect.h"
#include "engine/disk_usage.h"

int inspect_add_size(const struct store *s, const struct container *c, struct json_object *json,
                     struct err *e)
{
    struct disk_usage usage = {0};
    struct err gone = {0};
    _cleanup_image_ struct image *image = NULL;
    int r = disk_usage_container(c, &usage, e);
    uint64_t below = r == 0 && image_find(s, c->plan.image_id, &image, &gone) == 0 ? image->size : 0;
    if (r == 0)
        r = json_add_u64(json, "SizeRw", usage.bytes, e);
    return r < 0 ? r : json_add_u64(json, "SizeRootFs", usage.bytes + below, e);
}
