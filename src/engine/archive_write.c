/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the archive of `save` (archive_write.h): ustar (POSIX.1-2017, pax(1)); a size that needs more than eleven octal digits is
 * written in base 256, which every reader of today knows. */
#include "engine/archive_write.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/str.h"

#define BLOCK 512U
#define OCTAL_SIZE_MAX 077777777777ULL
#define FILE_MODE 0644U
#define DIRECTORY_MODE 0755U

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, linkname[100], magic[6],
        version[2], uname[32], gname[32], devmajor[8], devminor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

static void put_octal(char *field, size_t size, uint64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%0*llo", (int)size - 1, (unsigned long long)value);
    memcpy(field, text, size);
}

static void put_size(struct header *h, uint64_t size)
{
    if (size <= OCTAL_SIZE_MAX) {
        put_octal(h->size, sizeof(h->size), size);
        return;
    }
    for (size_t i = sizeof(h->size); i-- > 0; size >>= 8)
        h->size[i] = (char)(size & 0xff);
    h->size[0] = (char)(h->size[0] | 0x80);
}

int archive_write_begin(struct archive_writer *w, const char *name, uint64_t size, struct err *e)
{
    struct header h = {.type = str_ends_with(name, "/") ? '5' : '0'};
    const unsigned char *bytes = (const unsigned char *)&h;
    unsigned sum = 0;
    size_t n = strlen(name);
    if (n > sizeof(h.name))
        return err_set(e, ENAMETOOLONG, "the name of a member is too long: %s", name);
    memcpy(h.name, name, n);
    put_octal(h.mode, sizeof(h.mode), h.type == '5' ? DIRECTORY_MODE : FILE_MODE);
    put_octal(h.uid, sizeof(h.uid), 0);
    put_octal(h.gid, sizeof(h.gid), 0);
    put_size(&h, size);
    put_octal(h.mtime, sizeof(h.mtime), 0);
    memcpy(h.magic, "ustar", sizeof(h.magic));
    memcpy(h.version, "00", sizeof(h.version));
    memset(h.checksum, ' ', sizeof(h.checksum));
    for (size_t i = 0; i < sizeof(h); i++)
        sum += bytes[i];
    put_octal(h.checksum, sizeof(h.checksum) - 1, sum);
    w->size = size;
    return io_write_all(w->fd, &h, sizeof(h), e);
}

int archive_write_data(struct archive_writer *w, const void *data, size_t length, struct err *e)
{
    return io_write_all(w->fd, data, length, e);
}

int archive_write_end(struct archive_writer *w, struct err *e)
{
    static const char zeros[BLOCK];
    return io_write_all(w->fd, zeros, (size_t)(-w->size & (BLOCK - 1)), e);
}

int archive_write_member(struct archive_writer *w, const char *name, const void *data, size_t length,
                         struct err *e)
{
    int r = archive_write_begin(w, name, length, e);
    if (r == 0)
        r = archive_write_data(w, data, length, e);
    return r < 0 ? r : archive_write_end(w, e);
}

int archive_write_finish(struct archive_writer *w, struct err *e)
{
    static const char zeros[2 * BLOCK];
    return io_write_all(w->fd, zeros, sizeof(zeros), e);
}
