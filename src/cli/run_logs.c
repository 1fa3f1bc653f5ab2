/* SPDX-License-Identifier: Apache-2.0 */
/* Where output is logged, on the command line of run and create (run_setters.h). What a log may take of the disk is for practice 13. */
#include "cli/run_setters.h"
#include "plan/log_options.h"

int run_set_log_driver(void *target, const char *value, struct err *e)
{
    enum log_driver driver;
    int r = log_driver_parse(value, &driver, e);
    return r < 0 ? r : str_replace(target, value, e);
}

/* After all options: which there are depends on the driver. The policy's driver is not known yet: then it is judged at create. */
int run_check_logs(const struct plan *p, struct err *e)
{
    struct log_options o;
    _cleanup_free_ char *tag = NULL;
    if (!p->log_driver)
        return 0;
    int r = log_options_parse(p->log_driver, &p->log_options, &o, e);
    if (r == 0 && o.tag)
        r = log_tag_expand(o.tag, p, &tag, e);
    return r < 0 ? err_wrap(e, "--log-opt") : 0;
}
