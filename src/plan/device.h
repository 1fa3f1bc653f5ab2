/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device of the host in a container: --device SOURCE[:TARGET][:RIGHTS], in a plan "SOURCE:TARGET:RIGHTS", where practice 5 adds
 * ":TYPE:MAJOR:MINOR", what it has judged.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define PLAN_DEVICES_MAX 64

struct plan_device {
    char *source; /* owned */
    char *target; /* below /dev */
    bool read, write;
    char type; /* 'c' or 'b'; 0: not judged yet */
    uint32_t major_number, minor_number;
};

void plan_device_clear(struct plan_device *d);
#define _cleanup_plan_device_ _cleanup_(plan_device_clear)

/* The value of --device, into `list`. */
int plan_device_add(struct str_list *list, const char *value, struct err *e);

/* An entry of a plan. */
int plan_device_parse(const char *entry, struct plan_device *ret, struct err *e);

/* The entry with what was judged. */
int plan_device_format(const struct plan_device *d, char **ret_entry, struct err *e);
