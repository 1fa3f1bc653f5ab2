/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Automatic clean-up and ownership. Needs libc only, so that the static programs use it too.
 *
 * A variable marked with one of these is released when it goes out of scope; steal_ptr() and steal_fd() hand
 * ownership on. This is the only clean-up style of the project.
 */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((__cleanup__(f)))

/* For struct T with `void T_free(struct T *)` that accepts NULL: DEFINE_CLEANUP(struct plan *, plan_free) gives plan_freep. */
#define DEFINE_CLEANUP(type, func)      \
    static inline void func##p(type *p) \
    {                                   \
        if (*p)                         \
            func(*p);                   \
    }                                   \
    _Static_assert(1, "")

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_closedir(DIR **d)
{
    if (*d)
        closedir(*d);
}

static inline void cleanup_fclose(FILE **f)
{
    if (*f)
        fclose(*f);
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

/* Takes the pointer out of *p, which becomes NULL. */
#define steal_ptr(p)                        \
    ({                                      \
        __typeof__(p) *steal_at_ = &(p);    \
        __typeof__(p) stolen_ = *steal_at_; \
        *steal_at_ = NULL;                  \
        stolen_;                            \
    })

/* Takes the descriptor out of *fd, which becomes -1. */
static inline int steal_fd(int *fd)
{
    int stolen = *fd;
    *fd = -1;
    return stolen;
}

/* Closes *fd if it is open and sets it to -1. */
static inline void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
