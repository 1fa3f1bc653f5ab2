/* SPDX-License-Identifier: Apache-2.0 */
/* What libseccomp makes of the same rules: the oracle of the tests of our compiler. */
#pragma once

#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "seccomp/compile.h"

/* The program of a context, which is released. The caller clears the program. */
static inline struct seccomp_program oracle_export(scmp_filter_ctx ctx)
{
    struct seccomp_program p = {0};
    struct stat st;
    _cleanup_close_ int fd = memfd_create("oracle", MFD_CLOEXEC);
    assert_true(fd >= 0 && seccomp_export_bpf(ctx, fd) == 0 && fstat(fd, &st) == 0);
    seccomp_release(ctx);
    p.len = (size_t)st.st_size / sizeof(*p.code);
    p.code = calloc(p.len, sizeof(*p.code));
    assert_non_null(p.code);
    assert_int_equal(pread(fd, p.code, (size_t)st.st_size, 0), st.st_size);
    return p;
}
