/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the parts of a volume's directory, and its volume.json (volume.h). */
#pragma once

#include "engine/volume.h"

#define VOLUME_USERS "users"
#define VOLUME_FILL "fill"
#define VOLUME_NEW "new"
#define VOLUME_FILLING "filling"

int volume_record_write(int dir, const struct volume *v, struct err *e);
