/* SPDX-License-Identifier: Apache-2.0 */
/* Disks (blockdev.h). Reads sysfs and our own mount table: the kernel's texts, and paths of root's. */
#include "base/blockdev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define NUMBER_MAX 64
#define MOUNTS_MAX (16U << 20)
#define SOURCE_MAX 4096

static bool read_number(const char *path, dev_t *ret)
{
    unsigned major_number, minor_number;
    struct err ignored = {0};
    _cleanup_buf_ struct buf text = {0};
    if (io_read_path(path, NUMBER_MAX, &text, &ignored) < 0 || !text.data ||
        sscanf(text.data, "%u:%u", &major_number, &minor_number) != 2)
        return false;
    *ret = makedev(major_number, minor_number);
    return true;
}

dev_t blockdev_disk(dev_t device)
{
    char path[64];
    dev_t disk;
    (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", major(device), minor(device));
    if (access(path, F_OK) < 0)
        return device;
    (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev", major(device), minor(device));
    return read_number(path, &disk) ? disk : device;
}

/* The source of the mount with this device number, from a line of mountinfo (proc(5)): "… MAJOR:MINOR … - TYPE SOURCE OPTIONS". */
static bool source_of(const char *line, dev_t device, char ret[SOURCE_MAX])
{
    unsigned major_number, minor_number;
    const char *separator = strstr(line, " - ");
    return separator && sscanf(line, "%*u %*u %u:%u", &major_number, &minor_number) == 2 &&
           makedev(major_number, minor_number) == device && sscanf(separator, " - %*s %4095s", ret) == 1;
}

/* File systems with a device number of their own (btrfs) say in the mount table where they are. */
static int find_source(dev_t device, dev_t *ret, struct err *e)
{
    char source[SOURCE_MAX];
    struct stat st;
    _cleanup_buf_ struct buf text = {0};
    int r = io_read_path("/proc/self/mountinfo", MOUNTS_MAX, &text, e);
    if (r < 0)
        return r;
    for (char *rest = text.data, *line; rest && (line = strsep(&rest, "\n"));) {
        if (!source_of(line, device, source))
            continue;
        if (source[0] != '/' || stat(source, &st) < 0 || !S_ISBLK(st.st_mode))
            return 0;
        *ret = blockdev_disk(st.st_rdev);
        return 1;
    }
    return 0;
}

int blockdev_of_file(int fd, dev_t *ret_disk, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(e, "file system of a file");
    if (major(st.st_dev) == 0)
        return find_source(st.st_dev, ret_disk, e);
    *ret_disk = blockdev_disk(st.st_dev);
    return 1;
}
