/* SPDX-License-Identifier: Apache-2.0 */
/* Containers and images as Docker's API describes them. */
#pragma once

#include <json-c/json.h>

#include "engine/container.h"
#include "image/image.h"

/* Docker's ContainerInspect, and a member "Casemate" with profile and grants. */
int inspect_container(const struct container *c, struct json_object **ret_json, struct err *e);

/* Docker's ImageInspect. */
int inspect_image(const struct image *image, struct json_object **ret_json, struct err *e);
