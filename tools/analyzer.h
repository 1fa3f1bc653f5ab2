/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only for clang-tidy (tools/lint puts it in front of every source): the analyzer sees one file at a time and would
 * not know that the functions of base/err.h return a negative number.
 */
#pragma once

#include <errno.h>

#include "base/err.h"

int analyzer_uses(struct err *e, ...);

#define err_set(e, code, ...) (analyzer_uses(e, code, __VA_ARGS__), -(code))
#define err_errno(e, ...) (analyzer_uses(e, __VA_ARGS__), -EIO)
#define err_wrap(e, ...) (analyzer_uses(e, __VA_ARGS__), -EIO)
#define err_refuse(e, practice, ...) (analyzer_uses(e, practice, __VA_ARGS__), -EPERM)
#define err_oom(e) (analyzer_uses(e), -ENOMEM)
