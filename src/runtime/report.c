/* SPDX-License-Identifier: Apache-2.0 */
/* The report of a start (report.h). */
#include "runtime/report.h"

#include <errno.h>
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

int report_receive(int report_fd, struct runtime_report *ret, struct err *e)
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
