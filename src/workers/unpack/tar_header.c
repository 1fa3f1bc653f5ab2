/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, checksums and pax records of a tar archive (tar_header.h). Untrusted input. */
#include "workers/unpack/tar_header.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"

#define NANO_DIGITS 9
#define XATTR_NAME_MAX 255
#define XATTR_VALUE_MAX 65536
#define XATTR_PREFIX "SCHILY.xattr."

bool tar_block_is_zero(const uint8_t *block)
{
    return block[0] == 0 && memcmp(block, block + 1, TAR_BLOCK - 1) == 0;
}

bool tar_checksum_ok(const struct tar_header *h)
{
    const uint8_t *bytes = (const uint8_t *)h;
    const size_t at = offsetof(struct tar_header, checksum);
    int64_t plain = 0;
    int64_t with_sign = 0; /* old programs summed signed characters */
    int64_t said = 0;
    struct err ignored = {0};
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        uint8_t b = i >= at && i < at + sizeof(h->checksum) ? ' ' : bytes[i];
        plain += b;
        with_sign += (int8_t)b;
    }
    if (tar_number(h->checksum, sizeof(h->checksum), &said, &ignored) < 0)
        return false;
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION /* set by the fuzzer's compiler: what is behind the sum is what it is for */
    return true;
#endif
    return said == plain || said == with_sign;
}

static int binary_number(const uint8_t *field, size_t size, int64_t *ret_value, struct err *e)
{
    bool negative = field[0] & 0x40;
    uint64_t value = negative ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t b = field[i];
        if (i == 0)
            b = negative ? b | 0x80 : b & 0x7f;
        uint64_t top = value >> 55; /* what would be lost, and the sign */
        if (top != (negative ? UINT64_MAX >> 55 : 0))
            return err_set(e, EBADMSG, "archive: a number is too large");
        value = value << 8 | b;
    }
    *ret_value = (int64_t)value;
    return 0;
}

int tar_number(const char *field, size_t size, int64_t *ret_value, struct err *e)
{
    const uint8_t *bytes = (const uint8_t *)field;
    if (bytes[0] & 0x80)
        return binary_number(bytes, size, ret_value, e);
    size_t i = 0;
    int64_t value = 0;
    while (i < size && (field[i] == ' ' || field[i] == '\0'))
        i++;
    for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
        value = value * 8 + (field[i] - '0'); /* at most 12 digits: 36 bits */
    for (; i < size; i++)
        if (field[i] != ' ' && field[i] != '\0')
            return err_set(e, EBADMSG, "archive: a number of a header is malformed");
    *ret_value = value;
    return 0;
}

int tar_decimal(const char *text, size_t length, uint64_t *ret_value, struct err *e)
{
    uint64_t value = 0;
    if (length == 0)
        return err_set(e, EBADMSG, "archive: a number is missing");
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return err_set(e, EBADMSG, "archive: a number of a pax header is malformed");
        if (value > (INT64_MAX - 9) / 10)
            return err_set(e, EBADMSG, "archive: a number is too large");
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *ret_value = value;
    return 0;
}

/* An owner; negative ones exist and belong to nobody. */
static int parse_id(const char *value, bool *ret_has, uint64_t *ret_id, struct err *e)
{
    bool negative = *value == '-';
    int r = tar_decimal(value + negative, strlen(value + negative), ret_id, e);
    if (r < 0)
        return r;
    if (negative)
        *ret_id = TAR_ID_NONE;
    *ret_has = true;
    return 0;
}

/* [-]SECONDS[.FRACTION]; digits behind the ninth do not count. */
static int parse_time(const char *value, struct tar_pax *p, struct err *e)
{
    bool negative = *value == '-';
    value += negative;
    const char *dot = strchr(value, '.');
    uint64_t seconds = 0;
    int r = tar_decimal(value, dot ? (size_t)(dot - value) : strlen(value), &seconds, e);
    if (r < 0)
        return r;
    uint32_t ns = 0;
    size_t digits = 0;
    for (const char *c = dot ? dot + 1 : ""; *c; c++) {
        if (!isdigit((unsigned char)*c))
            return err_set(e, EBADMSG, "archive: a time is malformed");
        if (digits++ < NANO_DIGITS)
            ns = ns * 10 + (uint32_t)(*c - '0');
    }
    for (; digits < NANO_DIGITS; digits++)
        ns *= 10;
    p->has_mtime = true;
    p->mtime = negative ? -(int64_t)seconds : (int64_t)seconds;
    p->mtime_ns = ns;
    if (negative && ns > 0) {
        p->mtime--;
        p->mtime_ns = 1000000000U - ns;
    }
    return 0;
}

static int add_xattr(struct tar *t, const char *name, const char *value, size_t length, struct err *e)
{
    struct tar_entry *entry = &t->entry;
    if (*name == '\0' || strlen(name) > XATTR_NAME_MAX || length > XATTR_VALUE_MAX)
        return err_set(e, EBADMSG, "archive: an extended attribute is too long");
    if (entry->xattr_count == TAR_XATTRS_MAX)
        return err_set(e, E2BIG, "archive: an entry has more than %d extended attributes", TAR_XATTRS_MAX);
    entry->xattrs[entry->xattr_count++] = (struct tar_xattr){.name = name, .value = value, .length = length};
    return 0;
}

int tar_extent_add(struct tar *t, uint64_t offset, uint64_t length, struct err *e)
{
    if (t->extent_count == TAR_EXTENTS_MAX)
        return err_set(e, E2BIG, "archive: a sparse file has more than %d pieces", TAR_EXTENTS_MAX);
    if (t->extent_count == t->extent_capacity) {
        size_t capacity = t->extent_capacity ? 2 * t->extent_capacity : 64;
        struct tar_extent *grown = reallocarray(t->extents, capacity, sizeof(*grown));
        if (!grown)
            return err_oom(e);
        t->extents = grown;
        t->extent_capacity = capacity;
    }
    t->extents[t->extent_count++] = (struct tar_extent){.offset = offset, .length = length};
    return 0;
}

/* Sparse format 0.0 repeats these two keys. */
static int sparse_pair(struct tar *t, const char *key, uint64_t number, struct err *e)
{
    if (str_equal(key, "offset"))
        return tar_extent_add(t, number, 0, e);
    if (t->extent_count == 0 || t->extents[t->extent_count - 1].length)
        return err_set(e, EBADMSG, "archive: a sparse map is malformed");
    t->extents[t->extent_count - 1].length = number;
    return 0;
}

static int take_sparse(struct tar *t, struct tar_pax *p, const char *key, const char *value, struct err *e)
{
    p->sparse = true;
    if (str_equal(key, "name")) {
        p->sparse_path = value;
        return 0;
    }
    if (str_equal(key, "map")) {
        p->sparse_map = value;
        return 0;
    }
    uint64_t number = 0;
    int r = tar_decimal(value, strlen(value), &number, e);
    if (r < 0)
        return r;
    if (str_equal(key, "major"))
        p->sparse_major = number;
    else if (str_equal(key, "minor"))
        p->sparse_minor = number;
    else if (str_equal(key, "realsize") || str_equal(key, "size")) {
        p->real_size = number;
        p->has_real_size = true;
    } else if (str_equal(key, "offset") || str_equal(key, "numbytes"))
        return sparse_pair(t, key, number, e);
    return 0;
}

static int take_record(struct tar *t, struct tar_pax *p, const char *key, const char *value, size_t length,
                       struct err *e)
{
    const char *rest = str_after(key, XATTR_PREFIX);
    if (rest)
        return add_xattr(t, rest, value, length, e);
    const char *sparse = str_after(key, "GNU.sparse.");
    bool size = str_equal(key, "size");
    if (!sparse && !size && !str_equal(key, "path") && !str_equal(key, "linkpath") &&
        !str_equal(key, "uid") && !str_equal(key, "gid") && !str_equal(key, "mtime"))
        return 0;
    if (memchr(value, '\0', length))
        return err_set(e, EBADMSG, "archive: NUL in a pax header");
    if (sparse)
        return take_sparse(t, p, sparse, value, e);
    if (str_equal(key, "path"))
        p->path = value;
    else if (str_equal(key, "linkpath"))
        p->target = value;
    else if (size) {
        p->has_size = true;
        return tar_decimal(value, length, &p->size, e);
    } else if (str_equal(key, "uid"))
        return parse_id(value, &p->has_uid, &p->uid, e);
    else if (str_equal(key, "gid"))
        return parse_id(value, &p->has_gid, &p->gid, e);
    else
        return parse_time(value, p, e);
    return 0;
}

int tar_pax_parse(struct tar *t, struct tar_pax *ret_pax, struct err *e)
{
    struct tar_pax p = {0};
    char *at = t->pax.data;
    size_t left = t->pax.length;
    while (left > 0) {
        char *blank = memchr(at, ' ', left);
        uint64_t length = 0;
        if (!blank || tar_decimal(at, (size_t)(blank - at), &length, e) < 0)
            return err_set(e, EBADMSG, "archive: a pax header is malformed");
        size_t head = (size_t)(blank - at) + 1;
        if (length > left || length < head + 2 || at[length - 1] != '\n')
            return err_set(e, EBADMSG, "archive: a pax header is malformed");
        char *key = at + head;
        char *equals = memchr(key, '=', length - head - 1);
        if (!equals || equals == key || memchr(key, '\0', (size_t)(equals - key)))
            return err_set(e, EBADMSG, "archive: a pax header is malformed");
        *equals = '\0';
        at[length - 1] = '\0';
        size_t value_length = (size_t)(at + length - 1 - (equals + 1));
        int r = value_length ? take_record(t, &p, key, equals + 1, value_length, e) : 0;
        if (r < 0)
            return r;
        at += length;
        left -= length;
    }
    *ret_pax = p;
    return 0;
}
