/* SPDX-License-Identifier: Apache-2.0 */
/* The report of a start (report.h). */
#include "runtime/report.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

void report_send(int report_fd, int status, const struct err *e)
{
    struct runtime_report report = {.code = e->code, .status = status};
    struct err ignored = {0};
    memcpy(report.text, e->text, sizeof(report.text));
    (void)io_write_all(report_fd, &report, sizeof(report), &ignored);
}

void report_send_begun(int report_fd)
{
    struct runtime_report report = {0};
    struct err ignored = {0};
    (void)io_write_all(report_fd, &report, sizeof(report), &ignored);
}

/* 1, or 0 at the end. */
static int read_one(int report_fd, struct runtime_report *ret, struct err *e)
{
    ssize_t n = io_read_full(report_fd, ret, sizeof(*ret), e);
    if (n < 0)
        return (int)n;
    if (n == 0)
        return 0;
    if ((size_t)n != sizeof(*ret) || !memchr(ret->text, '\0', sizeof(ret->text)))
        return err_set(e, EBADMSG, "malformed report of a start");
    return 1;
}

/* The program's process may report after the supervisor has. */
int report_await_start(int report_fd, struct runtime_report *ret, struct err *e)
{
    bool begun = false;
    for (;;) {
        int r = read_one(report_fd, ret, e);
        if (r < 0 || (r > 0 && ret->status != 0))
            return r;
        if (r == 0)
            return begun ? 0 : err_set(e, ECHILD, "the container's supervisor was killed while it started");
        begun = true;
    }
}

int report_receive(int report_fd, struct runtime_report *ret, struct err *e)
{
    return read_one(report_fd, ret, e);
}
