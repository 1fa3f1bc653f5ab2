/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords of registries. Looked up for exactly one host (never for another, whatever fails), in this order: our own file
 * ($CASEMATE_AUTH, else ~/.config/casemate/auth.json, else /etc/casemate/auth.json), then Docker's ($DOCKER_CONFIG/config.json
 * or ~/.docker/config.json; its credential helpers are not run). Format of both: {"auths": {HOST: {"auth": base64("USER:PASSWORD")}}}.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "image/reference.h"

#define CREDENTIALS_USER_MAX 255
#define CREDENTIALS_PASSWORD_MAX 8191

struct credentials {
    char user[CREDENTIALS_USER_MAX + 1];
    char password[CREDENTIALS_PASSWORD_MAX + 1];
    char token_host[REFERENCE_NAME_MAX +
                    1]; /* a host that may issue tokens for these; "" : only the registry itself */
};

/* Wipes the memory. */
void credentials_clear(struct credentials *c);
#define _cleanup_credentials_ _cleanup_(credentials_clear)

/* 1: found; 0: none for this host (as in reference.host). */
int credentials_find(const char *host, struct credentials *ret_credentials, struct err *e);

/* Writes our own file, mode 0600. */
int credentials_store(const char *host, const struct credentials *c, struct err *e);

/* 1: was there; 0: was not. */
int credentials_erase(const char *host, struct err *e);
