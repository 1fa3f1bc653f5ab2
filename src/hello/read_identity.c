/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the own identity (read_identity.h).
 */
#include "hello/read_identity.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hello/parse.h"
#include "hello/read_file.h"

#define STATUS_MAX 8192
#define CAPS_KNOWN_USUALLY 41
#define DESCRIPTORS_LOOKED_AT 1024

static int status_number(const char *status, const char *key)
{
    const char *value = parse_status_value(status, key);
    return value && isdigit((unsigned char)*value) ? (int)strtol(value, NULL, 10) : -1;
}

static int caps_known(void)
{
    char text[32];
    long long last;
    if (read_file("/proc/sys/kernel/cap_last_cap", text, sizeof(text)) > 0 && parse_number(text, &last) &&
        last >= 0 && last < 64)
        return (int)last + 1;
    return CAPS_KNOWN_USUALLY;
}

static void caps_read(const char *status, struct identity *me)
{
    static const char *const keys[CAPS_SETS] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    me->caps_known = caps_known();
    for (size_t i = 0; i < CAPS_SETS; i++) {
        const char *value = parse_status_value(status, keys[i]);
        size_t length = value ? strcspn(value, "\n") : 0;
        me->caps_count[i] = -1;
        me->caps_hex[i][0] = '\0';
        if (!value || length >= CAPS_HEX_MAX)
            continue;
        memcpy(me->caps_hex[i], value, length);
        me->caps_hex[i][length] = '\0';
        me->caps_count[i] = parse_count_bits(me->caps_hex[i]);
    }
}

static void namespaces_read(struct identity *me)
{
    static const char *const names[NAMESPACES] = {"cgroup", "ipc",  "mnt",  "net",
                                                  "pid",    "time", "user", "uts"};
    for (size_t i = 0; i < NAMESPACES; i++) {
        char path[64];
        struct stat st;
        (void)snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
        me->namespaces[i].name = names[i];
        me->namespaces[i].inode = stat(path, &st) == 0 ? st.st_ino : 0;
    }
}

static long long limit_value(rlim_t limit)
{
    return limit == RLIM_INFINITY ? -1 : (long long)limit;
}

static void limits_read(struct identity *me)
{
    static const struct {
        const char *name;
        int resource;
    } wanted[RLIMITS] = {{"core", RLIMIT_CORE},     {"fsize", RLIMIT_FSIZE}, {"memlock", RLIMIT_MEMLOCK},
                         {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC}, {"stack", RLIMIT_STACK}};
    for (size_t i = 0; i < RLIMITS; i++) {
        struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
        (void)getrlimit((__typeof__(RLIMIT_CORE))wanted[i].resource, &limit);
        me->limits[i] =
            (struct resource_limit){wanted[i].name, limit_value(limit.rlim_cur), limit_value(limit.rlim_max)};
    }
}

static void groups_read(struct identity *me)
{
    static gid_t all[NGROUPS_MAX];
    int n = getgroups(NGROUPS_MAX, all);
    me->groups_count = n < 0 ? 0 : (size_t)n;
    for (size_t i = 0; i < me->groups_count && i < GROUPS_MAX_SHOWN; i++)
        me->groups[i] = all[i];
}

static void environment_read(struct identity *me)
{
    for (char **variable = environ; variable && *variable; variable++)
        names_add_format(&me->environment, "%.*s", (int)strcspn(*variable, "="), *variable);
}

void identity_read(struct identity *ret_identity)
{
    char status[STATUS_MAX] = "", map[1024];
    struct identity *me = ret_identity;
    (void)read_file("/proc/self/status", status, sizeof(status));
    me->uid = getuid();
    me->euid = geteuid();
    me->gid = getgid();
    me->egid = getegid();
    me->umask = umask(0);
    (void)umask(me->umask);
    groups_read(me);
    caps_read(status, me);
    me->no_new_privs = status_number(status, "NoNewPrivs");
    me->seccomp_mode = status_number(status, "Seccomp");
    me->seccomp_filters = status_number(status, "Seccomp_filters");
    if (read_file("/proc/self/uid_map", map, sizeof(map)) <= 0 || !parse_id_map_root(map, &me->root_host_id))
        me->root_host_id = -1;
    namespaces_read(me);
    limits_read(me);
    environment_read(me);
}

void descriptors_read(struct names *ret_leaked)
{
    for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS_LOOKED_AT; fd++) {
        char path[64], target[PATH_MAX];
        if (fcntl(fd, F_GETFD) < 0)
            continue;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, target, sizeof(target) - 1);
        target[length > 0 ? length : 0] = '\0';
        names_add_format(ret_leaked, "%d %s", fd, target);
    }
}

bool name_is_secret(const char *name)
{
    static const char *const words[] = {"PASSWORD", "PASSWD",      "SECRET",     "TOKEN",     "APIKEY",
                                        "API_KEY",  "PRIVATE_KEY", "ACCESS_KEY", "CREDENTIAL"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasestr(name, words[i]))
            return true;
    return false;
}
