/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a container's output is logged: --log-driver and --log-opt as people use them with Docker. The words are kept in the plan as they
 * were given (log_driver, log_options); this is what they mean.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "plan/plan.h"

#define LOG_FILES_MAX 64             /* how many files a log may have */
#define LOG_SIZE_DEFAULT (10U << 20) /* of a plan that an older version has made */
#define LOG_FILES_DEFAULT 3
#define LOG_SIZE_LEAST 4096 /* bytes of one file */
#define LOG_TEMPLATE_DEFAULT "{{.ID}}"
#define LOG_TAG_MAX 256
#define LOG_ATTRS_BYTES_MAX 4095 /* of all labels and variables of a record; base/shimproto.h */

enum log_driver {
    LOG_JSON_FILE,
    LOG_LOCAL, /* the same files: both are Casemate's own */
    LOG_JOURNALD,
    LOG_SYSLOG,
    LOG_NONE,
};

enum log_syslog_format { LOG_RFC3164, LOG_RFC5424, LOG_RFC5424_MICRO };

/* Texts are borrowed from the plan; NULL: not given. */
struct log_options {
    enum log_driver driver;
    bool keeps;           /* there are files: all but `none` and cache-disabled */
    bool drop;            /* mode: rather lose output, and say so, than hold the container up */
    uint64_t size, files; /* PLAN_UNSET: the policy's */
    uint64_t buffer;      /* max-buffer-size in bytes; 0: not given */
    const char *tag, *labels, *labels_regex, *env, *env_regex;
    const char *syslog_address; /* path of the socket */
    unsigned syslog_facility;   /* 0..23 */
    enum log_syslog_format syslog_format;
};

int log_driver_parse(const char *name, enum log_driver *ret, struct err *e);
const char *log_driver_name(enum log_driver driver);

/* What a driver and its options say; -EINVAL names the option that is not one, and which there are. `driver` NULL: json-file. */
int log_options_parse(const char *driver, const struct str_list *options, struct log_options *ret,
                      struct err *e);

/* The tag with {{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageID}}, {{.ImageFullID}}, {{.ImageName}}, {{.DaemonName}} put in. */
int log_tag_expand(const char *tag, const struct plan *p, char **ret_tag, struct err *e);

/* The labels and variables that the options name, as KEY=VALUE. */
int log_attributes(const struct log_options *o, const struct plan *p, struct str_list *ret, struct err *e);
