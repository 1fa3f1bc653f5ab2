/* SPDX-License-Identifier: Apache-2.0 */
/* What casemate-enter tells whoever has started it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "enter/enter.h"

static int told = -1; /* the connection that wants the report in job->sync's place */

void fail_to(int socket)
{
    told = socket;
}

/* By write alone, which every filter has to let through that a program can run under: the packet may be sent when the filter is on. */
static void send_report(const struct enter_report *r)
{
    while (write(told >= 0 ? told : job->sync, r, sizeof(*r)) < 0 && errno == EINTR)
        ;
}

void tell(enum enter_step step, int number)
{
    const struct enter_report r = {.step = step, .status = number};
    send_report(&r);
}

_Noreturn void fail(int status, const char *what, const char *subject)
{
    char text[ENTER_TEXT_MAX];
    int code = errno;
    (void)snprintf(text, sizeof(text), "%s%s%s%s: %s", what, subject ? " \"" : "", subject ? subject : "",
                   subject ? "\"" : "", strerror(code));
    const struct enter_report r = enter_report_failure(code, status, text);
    (void)signal(SIGPIPE, SIG_IGN);
    send_report(&r);
    _exit(status);
}

void await_answer(void)
{
    char byte;
    ssize_t n;
    while ((n = read(job->sync, &byte, 1)) < 0 && errno == EINTR)
        ;
    if (n == 1)
        return;
    errno = n == 0 ? ECONNRESET : errno;
    fail(1, "hand on the listener of the seccomp filter", NULL);
}
