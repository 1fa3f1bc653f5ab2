/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers of containers (id.h). */
#include "base/id.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "base/hex.h"

int id_random(char *ret_id, struct err *e)
{
    uint8_t bytes[ID_LENGTH / 2];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return err_errno(e, "getrandom");
    hex_encode(bytes, sizeof(bytes), ret_id);
    return 0;
}

bool id_valid_prefix(const char *text)
{
    size_t n = strlen(text);
    return n >= 1 && n <= ID_LENGTH && strspn(text, "0123456789abcdef") == n;
}

bool id_valid(const char *id)
{
    return strlen(id) == ID_LENGTH && id_valid_prefix(id);
}
