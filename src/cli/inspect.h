/* SPDX-License-Identifier: Apache-2.0 */
/* Containers, images and volumes as Docker's API describes them. */
#pragma once

#include <json-c/json.h>

#include "engine/container.h"
#include "image/image.h"

/* Docker's ContainerInspect, and a member "Casemate" with profile and grants. */
int inspect_container(const struct container *c, struct json_object **ret_json, struct err *e);

/* Adds SizeRw and SizeRootFs. */
int inspect_add_size(const struct store *s, const struct container *c, struct json_object *json,
                     struct err *e);

/* Docker's ImageInspect. */
int inspect_image(const struct image *image, struct json_object **ret_json, struct err *e);

/* Docker's VolumeInspect. -ENOENT: there is none of this name. */
int inspect_volume(const struct store *s, const char *name, struct json_object **ret_json, struct err *e);

/* Prints the objects as `format` says: NULL, "json", or a template. */
int inspect_print(struct json_object *array, const char *format, struct err *e);
