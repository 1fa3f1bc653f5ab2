/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the beginning of each place (read_hostinfo.h). Empty files, as a mask leaves them, and addresses that are all zero, as the
 * kernel shows them to the unprivileged, tell nothing and do not count. /proc/kmsg is only opened: reading it would take messages away.
 */
#include "hello/read_hostinfo.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hello/raw_syscall.h"
#include "hello/read_file.h"

#define BEGINNING_MAX 4096
#define SYSLOG_READ_ALL 3

enum sign {
    SIGN_CONTENT,   /* the file has any byte */
    SIGN_LINES,     /* more than a heading */
    SIGN_ADDRESSES, /* a line that begins with a number other than 0 */
    SIGN_ENTRIES,   /* the directory has an entry */
    SIGN_OPENS,     /* the file can be opened */
};

struct place {
    const char *name;
    enum sign sign;
    const char *path;
    const char *or_path; /* NULL when there is no second */
};

static const struct place places[] = {
    {"kallsyms", SIGN_ADDRESSES, "/proc/kallsyms", NULL},
    {"cmdline", SIGN_CONTENT, "/proc/cmdline", NULL},
    {"config.gz", SIGN_CONTENT, "/proc/config.gz", NULL},
    {"kmsg", SIGN_OPENS, "/proc/kmsg", NULL},
    {"dev_kmsg", SIGN_OPENS, "/dev/kmsg", NULL},
    {"diskstats", SIGN_CONTENT, "/proc/diskstats", NULL},
    {"partitions", SIGN_LINES, "/proc/partitions", NULL},
    {"dmi", SIGN_CONTENT, "/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/bios_version"},
    {"timer_list", SIGN_CONTENT, "/proc/timer_list", NULL},
    {"sched_debug", SIGN_CONTENT, "/proc/sched_debug", "/sys/kernel/debug/sched/debug"},
    {"keys", SIGN_CONTENT, "/proc/keys", NULL},
    {"key-users", SIGN_CONTENT, "/proc/key-users", NULL},
    {"interrupts", SIGN_CONTENT, "/proc/interrupts", NULL},
    {"softirqs", SIGN_CONTENT, "/proc/softirqs", NULL},
    {"slabinfo", SIGN_CONTENT, "/proc/slabinfo", NULL},
    {"vmallocinfo", SIGN_CONTENT, "/proc/vmallocinfo", NULL},
    {"kcore", SIGN_CONTENT, "/proc/kcore", NULL},
    {"iomem", SIGN_ADDRESSES, "/proc/iomem", NULL},
    {"ioports", SIGN_ADDRESSES, "/proc/ioports", NULL},
    {"modules", SIGN_CONTENT, "/proc/modules", NULL},
    {"zoneinfo", SIGN_CONTENT, "/proc/zoneinfo", NULL},
    {"buddyinfo", SIGN_CONTENT, "/proc/buddyinfo", NULL},
    {"pagetypeinfo", SIGN_CONTENT, "/proc/pagetypeinfo", NULL},
    {"swaps", SIGN_LINES, "/proc/swaps", NULL},
    {"sys_firmware", SIGN_ENTRIES, "/sys/firmware", NULL},
    {"sys_kernel_debug", SIGN_ENTRIES, "/sys/kernel/debug", NULL},
    {"sys_block", SIGN_ENTRIES, "/sys/class/block", "/sys/block"},
    {"sys_powercap", SIGN_ENTRIES, "/sys/class/powercap", "/sys/devices/virtual/powercap"},
};

static bool shows_address(const char *text)
{
    bool line_begins = true;
    for (const char *p = text; *p; p++) {
        if (line_begins && isxdigit((unsigned char)*p) && *p != '0')
            return true;
        line_begins = *p == '\n' || (line_begins && (*p == '0' || *p == '-' || *p == ' '));
    }
    return false;
}

static bool shows_lines(const char *text)
{
    const char *end = strchr(text, '\n');
    return end && end[1] != '\0';
}

static bool path_opens(const char *path)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd >= 0;
}

static bool path_tells(enum sign sign, const char *path)
{
    char text[BEGINNING_MAX];
    if (sign == SIGN_ENTRIES)
        return directory_has_entries(path);
    if (sign == SIGN_OPENS)
        return path_opens(path);
    if (read_file(path, text, sizeof(text)) <= 0)
        return false;
    if (sign == SIGN_ADDRESSES)
        return shows_address(text);
    return sign == SIGN_CONTENT || shows_lines(text);
}

static bool kernel_log_reads(void)
{
    char text[64] = "";
    return raw(SYS_syslog, SYSLOG_READ_ALL, (long)(intptr_t)text, sizeof(text)) > 0;
}

static bool mounts_show_host(const struct mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++)
        if (mounts->list[i].shows_host)
            return true;
    return false;
}

size_t read_hostinfo(const struct mounts *mounts, struct names *ret_readable)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (path_tells(places[i].sign, places[i].path) ||
            (places[i].or_path && path_tells(places[i].sign, places[i].or_path)))
            names_add(ret_readable, places[i].name);
    if (kernel_log_reads())
        names_add(ret_readable, "dmesg");
    if (mounts_show_host(mounts))
        names_add(ret_readable, "mountinfo");
    return ARRAY_SIZE(places) + 2;
}
