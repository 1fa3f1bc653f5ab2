/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Powers over the machine (contract: try_powers.h). None of these calls can succeed: each carries an argument that the kernel
 * refuses right after it has checked the privilege. That refusal, and not EPERM, means that the privilege was there.
 *
 *   sethostname   a length of -1: EINVAL          kexec_load     more segments than there can be: EINVAL
 *   settimeofday  a time zone off the earth       init_module    a module of no bytes: ENOEXEC
 *   reboot        no magic numbers: EINVAL        swapon         a path that does not exist: ENOENT
 *   fanotify_init a descriptor that is closed     bpf            a map of one entry that is closed at once
 *   ioperm        one harmless port, this child   syslog         reads, and never with the clearing form
 *   vhangup       the child has no terminal
 */
#include "hello/try_powers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hello/raw_syscall.h"

#define SYSLOG_READ_ALL 3
#define MINUTES_IN_NO_ZONE 100000
#define DIAGNOSTIC_PORT 0x80
#define KEXEC_SEGMENTS_TOO_MANY 0x7fffffff

static long address_of(const void *p)
{
    return (long)(intptr_t)p;
}

static long try_hostname(const void *unused)
{
    (void)unused;
    return raw(SYS_sethostname, address_of(""), -1) == -EINVAL;
}

static long try_time(const void *unused)
{
    (void)unused;
    static const struct timezone nowhere = {.tz_minuteswest = MINUTES_IN_NO_ZONE};
    return raw(SYS_settimeofday, 0, address_of(&nowhere)) == -EINVAL;
}

static long try_reboot(const void *unused)
{
    (void)unused;
    return raw(SYS_reboot, 0, 0, 0, 0) == -EINVAL;
}

static long try_kexec(const void *unused)
{
    (void)unused;
    return raw(SYS_kexec_load, 0, KEXEC_SEGMENTS_TOO_MANY, 0, 0) == -EINVAL;
}

static long try_module(const void *unused)
{
    (void)unused;
    long r = raw(SYS_init_module, 0, 0, address_of(""));
    return r == -ENOEXEC || r == -EFAULT || r == -EINVAL;
}

static long try_swap(const void *unused)
{
    (void)unused;
    return raw(SYS_swapon, address_of(POWER_NO_PATH), 0) == -ENOENT;
}

static long try_io_ports(const void *unused)
{
    (void)unused;
#ifdef SYS_ioperm
    return raw(SYS_ioperm, DIAGNOSTIC_PORT, 1, 1) == 0;
#else
    return 0;
#endif
}

static long try_kernel_log(const void *unused)
{
    (void)unused;
    char text[64] = "";
    return raw(SYS_syslog, SYSLOG_READ_ALL, address_of(text), sizeof(text)) >= 0;
}

static long try_bpf(const void *unused)
{
    (void)unused;
    static const union bpf_attr map = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    long fd = raw(SYS_bpf, BPF_MAP_CREATE, address_of(&map), sizeof(map));
    if (fd >= 0)
        close((int)fd);
    return fd >= 0;
}

/* The form that sees the whole machine. */
static long try_fanotify(const void *unused)
{
    (void)unused;
    long fd = raw(SYS_fanotify_init, 0, O_RDONLY);
    if (fd >= 0)
        close((int)fd);
    return fd >= 0;
}

static long try_vhangup(const void *unused)
{
    (void)unused;
    return raw(SYS_vhangup, 0) == 0;
}

struct powers powers_machine(void)
{
    static const struct power list[] = {
        {"set_hostname", try_hostname}, {"set_time", try_time},         {"reboot", try_reboot},
        {"kexec", try_kexec},           {"load_module", try_module},    {"swap", try_swap},
        {"io_ports", try_io_ports},     {"kernel_log", try_kernel_log}, {"bpf", try_bpf},
        {"fanotify", try_fanotify},     {"vhangup", try_vhangup},
    };
    return (struct powers){list, ARRAY_SIZE(list)};
}
