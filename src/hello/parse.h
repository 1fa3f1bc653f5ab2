/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of /proc and of cgroup files. Pure functions; all input is text that a container may have forged, which only spoils
 * its own report.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* One line of /proc/self/mountinfo, see proc_pid_mountinfo(5). Points into the line, which is cut up; \040 and its like are undone. */
struct mount_line {
    char *root; /* the path within the file system that is mounted here */
    char *point;
    char *options; /* of the mount */
    char *type;
    char *source;
    char *super_options;
};

/* False when the line has another shape. */
bool parse_mount_line(char *line, struct mount_line *ret_mount);

/* Is `option` one of the comma-separated `options`? */
bool parse_has_option(const char *options, const char *option);

/* Does the line show where things lie on the host: a path of the host as root of the mount, as layer of an overlay, or a disk? */
bool parse_mount_shows_host(const struct mount_line *mount);

/* A decimal number and nothing behind it but white space. */
bool parse_number(const char *text, long long *ret_number);

/* A limit file of cgroup v1 or v2: "max", -1 and v1's huge numbers are no limit (false). */
bool parse_limit(const char *text, long long *ret_limit);

/* cpu.max ("quota period" or "max period") in thousandths of a processor. False: no limit. */
bool parse_cpu_max(const char *text, long long *ret_millicores);

/* The host id of id 0 in the text of /proc/self/uid_map. False when 0 is not mapped. */
bool parse_id_map_root(const char *text, long long *ret_host_id);

/* The path of this process in the hierarchy with `controller` ("" = cgroup v2) from the text of /proc/self/cgroup. */
bool parse_cgroup_path(const char *text, const char *controller, char *ret_path, size_t room);

/* Value of "Key:\tvalue" in the text of /proc/self/status: points into text, ends at the line's end. NULL when absent. */
const char *parse_status_value(const char *text, const char *key);

/* How many bits of a hexadecimal set are 1. -1 when it is no such number. */
int parse_count_bits(const char *hex);
