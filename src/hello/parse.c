/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsers of kernel text (parse.h). tests/unit/test_hello_parse.c.
 */
#include "hello/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* cgroup v1 says LONG_MAX rounded down to a page for "none". */
#define LIMIT_NONE_FROM (1LL << 60)
#define MOUNT_FIELDS_BEFORE_DASH 6

/* Undoes the octal escapes of mountinfo in place. */
static void unescape(char *text)
{
    char *out = text;
    for (const char *in = text; *in;) {
        if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' && in[3] >= '0' &&
            in[3] <= '7') {
            *out++ = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
            in += 4;
        } else {
            *out++ = *in++;
        }
    }
    *out = '\0';
}

bool parse_mount_line(char *line, struct mount_line *ret_mount)
{
    char *rest = line, *before[MOUNT_FIELDS_BEFORE_DASH];
    for (size_t i = 0; i < MOUNT_FIELDS_BEFORE_DASH; i++)
        if (!(before[i] = strsep(&rest, " ")) || !rest)
            return false;
    /* Optional fields until the dash. */
    char *field;
    while ((field = strsep(&rest, " ")) && strcmp(field, "-") != 0) {
    }
    char *type = strsep(&rest, " "), *source = strsep(&rest, " "), *super_options = strsep(&rest, " \n");
    if (!field || !type || !source || !super_options)
        return false;
    unescape(before[3]);
    unescape(before[4]);
    unescape(source);
    *ret_mount = (struct mount_line){before[3], before[4], before[5], type, source, super_options};
    return true;
}

bool parse_has_option(const char *options, const char *option)
{
    size_t length = strlen(option);
    for (const char *p = options; p; p = strchr(p, ',')) {
        p += *p == ',';
        if (strncmp(p, option, length) == 0 && (p[length] == ',' || p[length] == '\0'))
            return true;
    }
    return false;
}

bool parse_mount_shows_host(const struct mount_line *mount)
{
    static const char *const own[] = {"proc",     "sysfs",  "cgroup", "cgroup2",
                                      "devtmpfs", "devpts", "mqueue", "nsfs"};
    if (strncmp(mount->source, "/dev/", 5) == 0)
        return true;
    if (strcmp(mount->type, "overlay") == 0 && strstr(mount->super_options, "dir=/"))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        if (strcmp(mount->type, own[i]) == 0)
            return false;
    return strcmp(mount->root, "/") != 0;
}

bool parse_number(const char *text, long long *ret_number)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno || end == text)
        return false;
    while (isspace((unsigned char)*end))
        end++;
    if (*end)
        return false;
    *ret_number = n;
    return true;
}

bool parse_limit(const char *text, long long *ret_limit)
{
    long long n;
    if (!parse_number(text, &n) || n < 0 || n >= LIMIT_NONE_FROM)
        return false;
    *ret_limit = n;
    return true;
}

bool parse_cpu_max(const char *text, long long *ret_millicores)
{
    long long quota, period;
    if (sscanf(text, "%lld %lld", &quota, &period) != 2 || quota <= 0 || period <= 0 ||
        quota > LIMIT_NONE_FROM / 1000)
        return false;
    *ret_millicores = quota * 1000 / period;
    return true;
}

bool parse_id_map_root(const char *text, long long *ret_host_id)
{
    for (const char *line = text; line && *line;) {
        long long inside, outside, count;
        if (sscanf(line, "%lld %lld %lld", &inside, &outside, &count) == 3 && inside == 0 && count > 0) {
            *ret_host_id = outside;
            return true;
        }
        line = strchr(line, '\n');
        line += line != NULL;
    }
    return false;
}

/* Is `controller` among the comma-separated names between the two colons? */
static bool controllers_have(const char *names, const char *end, const char *controller)
{
    char list[256];
    size_t length = (size_t)(end - names);
    if (*controller == '\0')
        return length == 0;
    if (length >= sizeof(list))
        return false;
    memcpy(list, names, length);
    list[length] = '\0';
    return parse_has_option(list, controller);
}

bool parse_cgroup_path(const char *text, const char *controller, char *ret_path, size_t room)
{
    for (const char *line = text; line && *line;) {
        const char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
        if (!path)
            return false;
        const char *end = strchr(path, '\n');
        size_t length = end ? (size_t)(end - path - 1) : strlen(path + 1);
        if (controllers_have(names + 1, path, controller) && length < room) {
            memcpy(ret_path, path + 1, length);
            ret_path[length] = '\0';
            return true;
        }
        line = end ? end + 1 : NULL;
    }
    return false;
}

const char *parse_status_value(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; line && *line;) {
        if (strncmp(line, key, length) == 0 && line[length] == ':') {
            const char *value = line + length + 1;
            return value + strspn(value, " \t");
        }
        line = strchr(line, '\n');
        line += line != NULL;
    }
    return NULL;
}

int parse_count_bits(const char *hex)
{
    char *end;
    errno = 0;
    unsigned long long set = strtoull(hex, &end, 16);
    if (errno || end == hex)
        return -1;
    return __builtin_popcountll(set);
}
