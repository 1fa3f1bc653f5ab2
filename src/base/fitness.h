/* SPDX-License-Identifier: Apache-2.0 */
/* Why a place on this machine cannot hold what Casemate stores: asked only when something has failed there. */
#pragma once

#include "base/err.h"

/* r is what failed on the file system of fd, e why. Where that file system is one that cannot do it, e says that instead, with what
 * to do. Returns r. */
int fitness_explain(int fd, int r, struct err *e);
