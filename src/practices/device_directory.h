/* SPDX-License-Identifier: Apache-2.0 */
/* --device with a directory of the host: each device in it is meant. */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* Puts in the place of each entry whose source is a directory one for each device below it, in the order of their names; links are left out. */
int device_expand(struct str_list *devices, struct err *e);
