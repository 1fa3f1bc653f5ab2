/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts (state_alert.h). */
#include "engine/state_alert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "engine/audit_log.h"
#include "engine/events.h"

#define ALERTS_FILE "alerts"

static void write_line(const struct store *s, const char *what)
{
    char line[STATE_ALERT_LINE_MAX], time[CLOCK_TEXT_LENGTH + 1];
    struct err ignored = {0};
    struct stat st;
    _cleanup_close_ int fd =
        openat(s->run, ALERTS_FILE, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > STATE_ALERTS_MAX - STATE_ALERT_LINE_MAX)
        return;
    clock_format(clock_now(), time);
    (void)snprintf(line, sizeof(line) - 1, "%s %s", time, what);
    str_neutralize(line);
    size_t n = strlen(line);
    line[n++] = '\n';
    (void)io_write_all(fd, line, n, &ignored);
}

void state_alert(const struct store *s, const char *path, const char *what)
{
    audit_note_name(s, AUDIT_STATE_ALERT, path, NULL, what);
    events_daemon(s, "alert", path, what);
    write_line(s, what);
}

int state_alert_read(const struct store *s, struct str_list *ret, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    struct err absent = {0};
    int r = io_read_file_at(s->run, ALERTS_FILE, STATE_ALERTS_MAX, &text, &absent);
    if (r == -ENOENT)
        return 0;
    if (r < 0) {
        *e = absent;
        return r;
    }
    for (char *rest = text.data, *line; rest && (line = strsep(&rest, "\n"));) {
        str_neutralize(line);
        if (*line && (r = str_list_add(ret, line, e)) < 0)
            return r;
    }
    return 0;
}

bool state_alert_any(const struct store *s)
{
    return faccessat(s->run, ALERTS_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void state_alert_forget(const struct store *s)
{
    (void)unlinkat(s->run, ALERTS_FILE, 0);
}
