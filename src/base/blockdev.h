/* SPDX-License-Identifier: Apache-2.0 */
/* Disks of the host: limits of block I/O count for whole disks, while files lie on partitions. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* The whole disk of a block device's number: itself, or the disk that the partition is on. */
dev_t blockdev_disk(dev_t device);

/* The disk that holds an open file: 1 and *ret_disk, or 0 when no single disk does (tmpfs, overlay, network). */
int blockdev_of_file(int fd, dev_t *ret_disk, struct err *e);
