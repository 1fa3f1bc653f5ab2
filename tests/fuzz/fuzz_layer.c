/* SPDX-License-Identifier: Apache-2.0 */
/* workers/unpack: a stream of any compression, the archive in it, the names of its entries, the members of an image archive. */
#include <sys/mman.h>
#include <unistd.h>

#include "base/path.h"
#include "fuzz.h"
#include "workers/unpack/limits.h"
#include "workers/unpack/members.h"
#include "workers/unpack/name.h"
#include "workers/unpack/stream.h"

#define OUTPUT_MAX (8U << 20) /* a bomb is not what is looked for here, and takes long */

static int memory_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    MUST(fd >= 0);
    MUST(size == 0 || write(fd, data, size) == (ssize_t)size);
    MUST(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void check_clean(const char *path)
{
    MUST(path[0] != '/' && strlen(path) <= TAR_PATH_MAX);
    for (const char *at = path; *at;) {
        char component[NAME_COMPONENT_MAX + 1];
        size_t n = strcspn(at, "/");
        MUST(n > 0 && n <= NAME_COMPONENT_MAX);
        memcpy(component, at, n);
        component[n] = '\0';
        MUST(path_is_component(component));
        at += n + (at[n] == '/');
    }
}

static void check_name(const char *path)
{
    static struct name name;
    char joined[TAR_PATH_MAX + 1];
    struct err e = {0};
    if (name_parse(path, &name, &e) < 0) {
        MUST(e.text[0]);
        return;
    }
    check_clean(name.parent);
    MUST(name.kind == NAME_ROOT ? !name.base[0] && !name.parent[0] : path_is_component(name.base));
    if (name.kind == NAME_PLAIN) {
        name_join(&name, joined);
        check_clean(joined);
        MUST(strncmp(name.base, ".wh.", 4) != 0);
    }
}

static void check_entry(struct tar *t, const struct tar_entry *entry)
{
    const uint8_t *data;
    size_t length;
    uint64_t offset;
    uint64_t end = 0;
    uint64_t sum = 0;
    struct err e = {0};
    int r;
    MUST(strlen(entry->path) <= TAR_PATH_MAX && strlen(entry->target) <= TAR_PATH_MAX);
    MUST(entry->mode <= 07777 && entry->mtime_ns < 1000000000 && entry->xattr_count <= TAR_XATTRS_MAX);
    MUST(entry->size <= TAR_FILE_MAX && entry->stored <= TAR_FILE_MAX);
    check_name(entry->path);
    if (entry->type == TAR_HARDLINK)
        check_name(entry->target);
    if (entry->type != TAR_FILE)
        return;
    while ((r = tar_read(t, &data, &length, &offset, &e)) > 0) {
        MUST(length > 0 && offset >= end && offset + length <= entry->size);
        end = offset + length;
        sum += length;
    }
    MUST(r < 0 || sum == entry->stored);
}

static void read_stream(int fd)
{
    _cleanup_stream_ struct stream *stream = NULL;
    static struct tar tar;
    const struct tar_entry *entry;
    struct err e = {0};
    if (stream_open(fd, LAYER_DETECT, true, &stream, &e) < 0) {
        MUST(e.text[0]);
        return;
    }
    tar_open(&tar, stream_next, stream);
    int r;
    while ((r = tar_next(&tar, &entry, &e)) > 0 && stream_position(stream) < OUTPUT_MAX)
        check_entry(&tar, entry);
    MUST(r >= 0 || e.text[0]);
    tar_close(&tar);
}

static void read_members(const uint8_t *bytes, size_t size, bool seekable)
{
    struct message_unpack_index_done done = {0};
    struct message_unpack_member member;
    struct err e = {0};
    _cleanup_close_ int archive = memory_file(bytes, size);
    _cleanup_close_ int spool = memory_file(NULL, 0);
    _cleanup_close_ int answer = memory_file(NULL, 0);
    if (members_find(archive, seekable, spool, answer, &done, &e) < 0) {
        MUST(e.text[0]);
        return;
    }
    MUST(done.members <= ARCHIVE_MEMBERS_MAX && lseek(answer, 0, SEEK_SET) == 0);
    for (uint64_t i = 0; i < done.members; i++) {
        MUST(read(answer, &member, sizeof(member)) == (ssize_t)sizeof(member));
        MUST(message_text_ok(member.name, sizeof(member.name)));
        check_clean(member.name);
        MUST(member.offset <= STREAM_BYTES_MAX && member.size <= TAR_FILE_MAX);
    }
    MUST(read(answer, &member, 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_close_ int fd = memory_file(data, size);
    read_stream(fd);
    bool compressed =
        size >= 4 && (memcmp(data, "\x1f\x8b", 2) == 0 || memcmp(data, "\x28\xb5\x2f\xfd", 4) == 0);
    if (compressed) /* bounded above; here it would be written out */
        return 0;
    read_members(data, size, true);
    read_members(data, size, false);
    return 0;
}
