/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 digests (digest.h), computed by nettle. */
#include "base/digest.h"

#include <errno.h>

#include "base/hex.h"
#include "base/str.h"

int digest_parse_hex(const char *hex, struct digest *ret_digest, struct err *e)
{
    struct digest d;
    if (strlen(hex) != DIGEST_HEX_LENGTH || !hex_decode(hex, d.bytes, sizeof(d.bytes)))
        return err_set(e, EINVAL, "'%.80s' is not a digest (64 lower-case hexadecimal digits)", hex);
    *ret_digest = d;
    return 0;
}

int digest_parse(const char *text, struct digest *ret_digest, struct err *e)
{
    const char *hex = str_after(text, "sha256:");
    if (!hex)
        return err_set(e, EINVAL, "'%.80s' is not a sha256 digest (only sha256 is supported)", text);
    return digest_parse_hex(hex, ret_digest, e);
}

void digest_format_hex(const struct digest *d, char *ret_text)
{
    hex_encode(d->bytes, sizeof(d->bytes), ret_text);
}

void digest_format(const struct digest *d, char *ret_text)
{
    memcpy(ret_text, "sha256:", 7);
    digest_format_hex(d, ret_text + 7);
}

void digest_start(struct digest_state *s)
{
    sha256_init(&s->context);
}

void digest_update(struct digest_state *s, const void *data, size_t length)
{
    sha256_update(&s->context, length, data);
}

void digest_finish(struct digest_state *s, struct digest *ret_digest)
{
    sha256_digest(&s->context, DIGEST_BYTES, ret_digest->bytes);
}

void digest_of(const void *data, size_t length, struct digest *ret_digest)
{
    struct digest_state s;
    digest_start(&s);
    digest_update(&s, data, length);
    digest_finish(&s, ret_digest);
}
