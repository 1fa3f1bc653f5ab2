/* SPDX-License-Identifier: Apache-2.0 */
/* --sysctl (sysctl.h). */
#include "plan/sysctl.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"

#define PRACTICE_HOST_ISOLATION 5

/* Settings of the IPC and network namespaces (sysctl documentation of the kernel: admin-guide/sysctl/kernel.rst, net.rst). */
static const char *const exact[] = {
    "kernel.msgmax",      "kernel.msgmnb",      "kernel.msgmni",      "kernel.sem",
    "kernel.shmall",      "kernel.shmmax",      "kernel.shmmni",      "kernel.shm_rmid_forced",
    "kernel.msg_next_id", "kernel.sem_next_id", "kernel.shm_next_id",
};
static const char *const prefixes[] = {"fs.mqueue.", "net."};

static bool in_set(const char *s, size_t length, const char *more)
{
    for (size_t i = 0; i < length; i++) {
        char c = s[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && (!c || !strchr(more, c)))
            return false;
    }
    return true;
}

static bool namespaced(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
        if (strlen(exact[i]) == length && strncmp(name, exact[i], length) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
        if (length > strlen(prefixes[i]) && strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

int sysctl_check(const char *entry, struct err *e)
{
    const char *equals = strchr(entry, '=');
    if (!equals || equals == entry)
        return err_set(e, EINVAL, "sysctl '%s' is not NAME=VALUE", entry);
    if (strlen(entry) > SYSCTL_TEXT_MAX)
        return err_set(e, EINVAL, "sysctl longer than %d characters", SYSCTL_TEXT_MAX);
    size_t length = (size_t)(equals - entry);
    if (!in_set(entry, length, "._-") || strstr(entry, "..") || entry[0] == '.' || equals[-1] == '.')
        return err_set(e, EINVAL, "sysctl '%.*s' is not a name with dots", (int)length, entry);
    if (!equals[1] || !in_set(equals + 1, strlen(equals + 1), " -._:,"))
        return err_set(e, EINVAL, "sysctl %.*s: '%s' is not a plain value", (int)length, entry, equals + 1);
    if (!namespaced(entry, length))
        return err_refuse(e, PRACTICE_HOST_ISOLATION,
                          "sysctl '%.*s' is not of a namespace of the container; allowed are kernel.msg*, "
                          "kernel.sem*, kernel.shm*, "
                          "fs.mqueue.* and net.*",
                          (int)length, entry);
    return 0;
}
