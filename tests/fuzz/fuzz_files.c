/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workers/files: any archive is placed below its directory and nowhere else; and the tar of a layer that was unpacked is put together
 * again byte by byte from its skeleton and its files.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ids.h"
#include "base/path.h"
#include "fuzz.h"
#include "workers/files/assemble.h"
#include "workers/files/place.h"
#include "workers/unpack/layer.h"

#define PLACE "/tmp/casemate-fuzz-XXXXXX"
#define WORD "outside"

static int memory_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    MUST(fd >= 0);
    MUST(size == 0 || write(fd, data, size) == (ssize_t)size);
    MUST(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void check_outside(int base)
{
    char word[sizeof(WORD)] = "";
    struct stat st;
    unsigned entries = 0;
    _cleanup_closedir_ DIR *d = fdopendir(openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    MUST(d);
    for (struct dirent *entry; (entry = readdir(d));)
        entries += entry->d_name[0] != '.';
    MUST(entries == 2);
    _cleanup_close_ int fd = openat(base, WORD, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    MUST(fd >= 0 && read(fd, word, sizeof(word) - 1) == sizeof(word) - 1 && strcmp(word, WORD) == 0);
    MUST(fstat(fd, &st) == 0 && st.st_nlink == 1 && (st.st_mode & 07777) == 0600);
}

static void try_place(int base, const uint8_t *data, size_t size)
{
    struct err e = {0};
    struct message_files_counts counts = {0};
    const struct message_files_place request = {
        .owners = FILES_OWNER_SELF, .drop_set_id = 1, .plain = 1, .path = "/"};
    _cleanup_close_ int in = memory_file(data, size);
    _cleanup_close_ int dir = path_make_dir_at(base, "in", 0700, &e);
    MUST(dir >= 0);
    MUST(place_archive(dir, &request, in, &counts, &e) >= 0 || e.text[0]);
    check_outside(base);
}

static void check_same(int fd, const uint8_t *data, size_t size)
{
    struct stat st;
    MUST(fstat(fd, &st) == 0 && (size_t)st.st_size == size);
    void *map = size ? mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0) : NULL;
    MUST(map != MAP_FAILED);
    MUST(size == 0 || memcmp(map, data, size) == 0);
    MUST(!map || munmap(map, size) == 0);
}

static void try_round_trip(int base, const uint8_t *data, size_t size)
{
    struct err e = {0};
    struct message_unpack_layer_done done = {0};
    struct message_files_counts counts = {0};
    _cleanup_stream_ struct stream *stream = NULL;
    _cleanup_skeleton_ struct skeleton *skeleton = NULL;
    _cleanup_close_ int in = memory_file(data, size);
    _cleanup_close_ int kept = memory_file(NULL, 0);
    _cleanup_close_ int out = memory_file(NULL, 0);
    _cleanup_close_ int dir = path_make_dir_at(base, "in", 0700, &e);
    MUST(dir >= 0 && stream_open(in, LAYER_PLAIN, true, &stream, &e) == 0 &&
         skeleton_open(kept, &skeleton, &e) == 0);
    if (layer_unpack(stream, dir, IDS_BLOCK_SIZE, skeleton, &done, &e) < 0 || done.replaced > 0)
        return;
    MUST(lseek(kept, 0, SEEK_SET) == 0);
    if (assemble_layer(dir, kept, out, &counts, &e) < 0)
        (void)fprintf(stderr, "%s\n", e.text);
    check_same(out, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = PLACE;
    struct err e = {0};
    if (!mkdtemp(path))
        return 0;
    _cleanup_close_ int base = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MUST(base >= 0);
    _cleanup_close_ int word = openat(base, WORD, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    MUST(word >= 0 && write(word, WORD, sizeof(WORD) - 1) == sizeof(WORD) - 1);
    try_place(base, data, size);
    MUST(path_remove_tree_at(base, "in", &e) == 0);
    try_round_trip(base, data, size);
    MUST(path_remove_tree_at(AT_FDCWD, path, &e) == 0);
    return 0;
}
