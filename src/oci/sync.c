/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of struct enter_report one way, single bytes the other (sync.h). */
#include "oci/sync.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"

union control {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
};

static int send_report(int socket, const struct enter_report *report, int fd)
{
    union control control = {.space = {0}};
    struct iovec bytes = {.iov_base = (void *)(uintptr_t)report, .iov_len = sizeof(*report)};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(int));
    }
    ssize_t n;
    while ((n = sendmsg(socket, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR)
        ;
    return n < 0 ? -1 : 0;
}

int oci_sync_tell(int socket, enum enter_step step, int fd, struct err *e)
{
    const struct enter_report report = {.step = step};
    return send_report(socket, &report, fd) < 0 ? err_errno(e, "tell the runtime") : 0;
}

int oci_sync_await(int socket, struct err *e)
{
    char byte;
    ssize_t n;
    while ((n = recv(socket, &byte, 1, 0)) < 0 && errno == EINTR)
        ;
    return n == 1 ? 0 : err_set(e, ECHILD, "the runtime has ended");
}

_Noreturn void oci_sync_fail(int socket, const struct err *e)
{
    const struct enter_report report = enter_report_failure(e->code, 1, e->text);
    (void)send_report(socket, &report, -1);
    _exit(1);
}

static void take_descriptor(struct msghdr *message, int *ret_fd)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
}

int oci_sync_receive(int socket, enum enter_step *ret_step, int *ret_fd, int *ret_status, struct err *e)
{
    struct enter_report report;
    union control control;
    struct iovec bytes = {.iov_base = &report, .iov_len = sizeof(report)};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof(control.space)};
    ssize_t n;
    *ret_fd = -1;
    while ((n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
        ;
    if (n < 0 && errno != ECONNRESET)
        return err_errno(e, "hear from the container's process");
    if (n <= 0)
        return 0;
    take_descriptor(&message, ret_fd);
    if (n != (ssize_t)sizeof(report)) {
        close_fd(ret_fd);
        return err_set(e, EBADMSG, "the container's process speaks another protocol");
    }
    if (report.step == ENTER_FAILED) {
        report.text[sizeof(report.text) - 1] = '\0';
        *ret_status = report.status;
        close_fd(ret_fd);
        return err_set(e, report.code > 0 ? report.code : EIO, "%s", report.text);
    }
    *ret_step = (enum enter_step)report.step;
    if (report.step == ENTER_NOTIFIES)
        *ret_status = report.status;
    return 1;
}

int oci_sync_answer(int socket, struct err *e)
{
    return send(socket, "", 1, MSG_NOSIGNAL) == 1 ? 0 : err_errno(e, "answer the container's process");
}
