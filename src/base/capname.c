/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capability names (capname.h). Trusted; names to look up may come from a command line or a profile.
 */
#include "base/capname.h"

#include <string.h>
#include <strings.h>

#define PREFIX "CAP_"
#define PREFIX_LEN (sizeof(PREFIX) - 1)

static const char *const names[CAP_NUMBERS] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};

const char *cap_name(unsigned number)
{
    return number < CAP_NUMBERS ? names[number] : NULL;
}

int cap_number(const char *name, size_t len)
{
    if (len >= PREFIX_LEN && strncasecmp(name, PREFIX, PREFIX_LEN) == 0) {
        name += PREFIX_LEN;
        len -= PREFIX_LEN;
    }
    for (unsigned i = 0; i < CAP_NUMBERS; i++) {
        const char *bare = names[i] + PREFIX_LEN;
        if (strlen(bare) == len && strncasecmp(bare, name, len) == 0)
            return (int)i;
    }
    return -1;
}
