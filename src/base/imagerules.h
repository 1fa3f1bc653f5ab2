/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image configuration may say, field by field: the one place for these rules. The parse worker applies them to the
 * foreign document, the engine applies them again to what the worker answers and to its own record files, and the command
 * line to options that mean the same (-u, -e, -w, --stop-signal).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define IMAGE_RULE_LIST_MAX 2048 /* entries of env, arguments, labels, ports, volumes */
#define IMAGE_RULE_TEXT_MAX \
    131071 /* bytes of one argument or environment entry (MAX_ARG_STRLEN of the kernel) */
#define IMAGE_RULE_LABEL_KEY_MAX 4096
#define IMAGE_RULE_LABEL_VALUE_MAX (1 << 20)
#define IMAGE_RULE_USER_MAX 255
#define IMAGE_RULE_ID_MAX 2147483647U /* larger ids wrap to negative ones somewhere */
#define IMAGE_RULE_HISTORY_MAX 4096
#define IMAGE_RULE_SIGNAL_MAX 64

/* "", USER, USER:GROUP; each a name ([A-Za-z_][A-Za-z0-9_.-]*) or a decimal number up to IMAGE_RULE_ID_MAX. */
int image_rule_user(const char *user, struct err *e);

/* NAME=VALUE. No control character in a name, nor in the value of those variables that programs copy into files and prompts. */
int image_rule_env(const char *entry, struct err *e);

/* One word of entrypoint, command, shell, health check. */
int image_rule_argument(const char *word, struct err *e);

/* Absolute, without control characters, without ".."; writes it without doubled slashes, "." and a slash at the end.
 * ret_clean: PATH_LENGTH_MAX + 1 bytes. */
int image_rule_path(const char *path, char *ret_clean, struct err *e);

/* As image_rule_path; "" is allowed; not inside /proc. */
int image_rule_working_dir(const char *path, char *ret_clean, struct err *e);

/* As image_rule_path; not the root, not /proc, /sys or /dev nor inside them. */
int image_rule_volume(const char *path, char *ret_clean, struct err *e);

/* PORT or PORT/PROTO, 1..65535, tcp udp sctp. ret_clean gets PORT/PROTO: IMAGE_RULE_PORT_TEXT bytes. */
#define IMAGE_RULE_PORT_TEXT 16
int image_rule_port(const char *port, char *ret_clean, struct err *e);

/* "SIGTERM", "term", "15", "SIGRTMIN+3". ret_clean gets "SIGTERM" or "SIGRTMIN+3" (a name for every number that has one):
 * IMAGE_RULE_SIGNAL_TEXT bytes. */
#define IMAGE_RULE_SIGNAL_TEXT 16
/* Number of a signal by number or name, with or without SIG, RTMIN+n and RTMAX-n included; 0 when there is none. */
int image_rule_signal_number(const char *name);

int image_rule_signal(const char *signal, char *ret_clean, struct err *e);

int image_rule_label(const char *key, const char *value, struct err *e);
