/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One try of something in a child of its own, so that whatever it does (a filter kills it, a limit is raised, an identity changes)
 * ends with that child.
 */
#pragma once

#include <stdbool.h>

enum attempt_end {
    ATTEMPT_RETURNED, /* the function returned: value */
    ATTEMPT_EXITED,   /* the child ended itself within the function: value is its exit status */
    ATTEMPT_KILLED,   /* value is the signal */
    ATTEMPT_WAITING,  /* still within the function when the time was over (the child is ended then) */
    ATTEMPT_UNKNOWN,  /* no child could be started */
};

struct attempt {
    enum attempt_end end;
    long value;
};

/* Runs what(argument) in a child and waits at most `milliseconds` for it. The child leads a session of its own (no
 * controlling terminal) and leaves no core. */
struct attempt attempt_run(long (*what)(const void *argument), const void *argument, int milliseconds);

/* As attempt_run for a question: true when `what` returned a value other than 0. */
bool attempt_succeeds(long (*what)(const void *argument), const void *argument);
