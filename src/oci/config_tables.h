/* SPDX-License-Identifier: Apache-2.0 */
/* The tables by which config.json is read (schema.h). Internal to src/oci. */
#pragma once

#include "oci/config.h"

#define OCI_SCHED_ISO 4 /* reserved by the kernel, which refuses it */

extern const struct schema oci_config_fields[];    /* struct oci_config */
extern const struct schema oci_process_fields[];   /* struct oci_process */
extern const struct schema oci_linux_fields[];     /* struct oci_linux */
extern const struct schema oci_resources_fields[]; /* struct oci_resources */
extern const struct schema oci_id_map_fields[];    /* struct oci_id_map */

extern const struct schema_choice oci_seccomp_actions[];
extern const struct schema_choice oci_scheduler_policies[], oci_scheduler_flags[];
extern const struct schema_choice oci_io_classes[];
extern const struct schema_choice oci_device_types[];
extern const struct schema_choice oci_propagations[];
extern const struct schema_choice oci_personalities[];

/* Judges what one table cannot: fields that must fit together. */
int oci_config_check(const struct oci_config *c, struct err *e);
int oci_process_check(const struct oci_process *p, const char *name, struct err *e);

/* Rows of a table: member m of structure T is field n; r: enum schema_rule, f: table of the inner structure I. */
#define STRING(T, m, n, r)                                                     \
    {                                                                          \
        .name = n, .kind = SCHEMA_STRING, .rules = r, .offset = offsetof(T, m) \
    }
#define BOOL(T, m, n)                                            \
    {                                                            \
        .name = n, .kind = SCHEMA_BOOL, .offset = offsetof(T, m) \
    }
#define NUMBER(T, m, n, r, least, most)                                                                   \
    {                                                                                                     \
        .name = n, .kind = SCHEMA_NUMBER, .rules = r, .offset = offsetof(T, m), .min = least, .max = most \
    }
#define OBJECT(T, m, n, r, f)                                                               \
    {                                                                                       \
        .name = n, .kind = SCHEMA_OBJECT, .rules = r, .offset = offsetof(T, m), .fields = f \
    }
#define LIST(T, m, n, f, I)                                                                      \
    {                                                                                            \
        .name = n, .kind = SCHEMA_LIST, .offset = offsetof(T, m), .fields = f, .size = sizeof(I) \
    }
#define MAP(T, m, n, f, I)                                                                      \
    {                                                                                           \
        .name = n, .kind = SCHEMA_MAP, .offset = offsetof(T, m), .fields = f, .size = sizeof(I) \
    }
#define STRINGS(T, m, n, r)                                                     \
    {                                                                           \
        .name = n, .kind = SCHEMA_STRINGS, .rules = r, .offset = offsetof(T, m) \
    }
#define NUMBERS(T, m, n, least, most)                                                          \
    {                                                                                          \
        .name = n, .kind = SCHEMA_NUMBERS, .offset = offsetof(T, m), .min = least, .max = most \
    }
#define CHOICE(T, m, n, r, c)                                                                \
    {                                                                                        \
        .name = n, .kind = SCHEMA_CHOICE, .rules = r, .offset = offsetof(T, m), .choices = c \
    }
#define FLAGS(T, m, n, c)                                                       \
    {                                                                           \
        .name = n, .kind = SCHEMA_FLAGS, .offset = offsetof(T, m), .choices = c \
    }
#define JSON(T, m, n)                                            \
    {                                                            \
        .name = n, .kind = SCHEMA_JSON, .offset = offsetof(T, m) \
    }
