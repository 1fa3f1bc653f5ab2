/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams for the journal and syslog (forward.h). The text of a container is the last part of each: in the journal's protocol with its
 * length in front, so that it cannot be taken for a field; in syslog behind everything that a receiver looks at.
 */
#include "shim/forward.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "base/cleanup.h"
#include "shim/encode.h"

#define SECOND 1000000000LL
#define MICROSECOND 1000
#define SEVERITY_ERR 3
#define SEVERITY_INFO 6
#define STAMP_MAX 96

static enum forward_result send_parts(struct forward *f, struct iovec *parts, size_t count)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (__typeof__(message.msg_iovlen))count};
    for (;;) {
        if (sendmsg(SHIM_FD_FORWARD, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return FORWARD_SENT;
        if (errno == EINTR)
            continue;
        f->blocked = errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM;
        return f->blocked ? FORWARD_LATER : FORWARD_NEVER;
    }
}

#define PART(text, length)                                                 \
    {                                                                      \
        .iov_base = (void *)(uintptr_t)(text), .iov_len = (size_t)(length) \
    }

/* The journal's native protocol: KEY=VALUE lines, and for a value of any bytes KEY, a newline, its length in 64 bits, the value. */
static enum forward_result send_journal(struct forward *f, const unsigned char *text, size_t length,
                                        bool from_stderr, bool whole)
{
    static const char partial[] = "CONTAINER_PARTIAL_MESSAGE=true\n";
    static const char key[] = "MESSAGE\n";
    char priority[] = "PRIORITY=6\n";
    unsigned char size[8];
    priority[sizeof(priority) - 3] = (char)('0' + (from_stderr ? SEVERITY_ERR : SEVERITY_INFO));
    for (size_t i = 0; i < sizeof(size); i++)
        size[i] = (unsigned char)((uint64_t)length >> (8 * i));
    struct iovec parts[] = {PART(f->prefix, f->prefix_length),
                            PART(priority, sizeof(priority) - 1),
                            PART(partial, whole ? 0 : sizeof(partial) - 1),
                            PART(key, sizeof(key) - 1),
                            PART(size, sizeof(size)),
                            PART(text, length),
                            PART("\n", 1)};
    return send_parts(f, parts, ARRAY_SIZE(parts));
}

/* RFC 3164: Nov 24 03:40:20, in local time. */
static int stamp_3164(const struct forward *f, int64_t now, char *out, size_t size)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(now / SECOND) + f->utc_offset;
    struct tm tm = {0};
    (void)gmtime_r(&seconds, &tm);
    return snprintf(out, size, "%s %2d %02d:%02d:%02d", months[tm.tm_mon % 12], tm.tm_mday, tm.tm_hour,
                    tm.tm_min, tm.tm_sec);
}

/* RFC 5424: 1 2026-11-24T03:40:20.123456Z; at most six digits of fraction. */
static int stamp_5424(int64_t now, bool micro, char *out, size_t size)
{
    char time[ENCODE_TIME_MAX + 1] = {0};
    int64_t part = micro ? MICROSECOND : SECOND;
    time[encode_time(now - now % part, time)] = '\0';
    return snprintf(out, size, "1 %s", time);
}

static enum forward_result send_syslog(struct forward *f, const unsigned char *text, size_t length,
                                       bool from_stderr, int64_t now)
{
    char stamp[STAMP_MAX];
    unsigned priority = f->facility * 8 + (from_stderr ? SEVERITY_ERR : SEVERITY_INFO);
    int n = snprintf(stamp, sizeof(stamp), "<%u>", priority);
    char *at = stamp + n;
    size_t room = sizeof(stamp) - (size_t)n;
    n += f->kind == SHIM_FORWARD_RFC3164 ? stamp_3164(f, now, at, room)
                                         : stamp_5424(now, f->kind == SHIM_FORWARD_RFC5424_MICRO, at, room);
    struct iovec parts[] = {PART(stamp, n), PART(f->prefix, f->prefix_length), PART(text, length)};
    return send_parts(f, parts, ARRAY_SIZE(parts));
}

enum forward_result forward_send(struct forward *f, const unsigned char *data, size_t length,
                                 bool from_stderr, int64_t now)
{
    bool whole = length > 0 && data[length - 1] == '\n';
    size_t text = length - whole;
    return f->kind == SHIM_FORWARD_JOURNAL ? send_journal(f, data, text, from_stderr, whole)
                                           : send_syslog(f, data, text, from_stderr, now);
}
