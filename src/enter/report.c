/* SPDX-License-Identifier: Apache-2.0 */
/* What casemate-enter tells whoever has started it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "enter/enter.h"

static int told = -1; /* the connection that wants the report in job->sync's place */

void fail_to(int socket)
{
    told = socket;
}

static void send_report(struct enter_report *r, int descriptor)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.space = {0}};
    struct iovec bytes = {.iov_base = r, .iov_len = sizeof(*r)};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (descriptor >= 0) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &descriptor, sizeof(int));
    }
    while (sendmsg(told >= 0 ? told : job->sync, &message, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

void tell(enum enter_step step, int descriptor)
{
    struct enter_report r = {.step = step};
    send_report(&r, descriptor);
}

_Noreturn void fail(int status, const char *what, const char *subject)
{
    struct enter_report r = {.step = ENTER_FAILED, .code = errno, .status = status};
    (void)snprintf(r.text, sizeof(r.text), "%s%s%s%s: %s", what, subject ? " \"" : "", subject ? subject : "",
                   subject ? "\"" : "", strerror(r.code));
    send_report(&r, -1);
    _exit(status);
}

void await_answer(void)
{
    char byte;
    ssize_t n;
    while ((n = recv(job->sync, &byte, 1, 0)) < 0 && errno == EINTR)
        ;
    if (n == 1)
        return;
    errno = n == 0 ? ECONNRESET : errno;
    fail(1, "hand on the listener of the seccomp filter", NULL);
}
