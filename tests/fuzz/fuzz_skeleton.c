/* SPDX-License-Identifier: Apache-2.0 */
/* workers/files/assemble.c: any skeleton brings out only its own bytes and those of the layer's files, or an error. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "fuzz.h"
#include "workers/files/assemble.h"

#define PLACE "/tmp/casemate-fuzz-XXXXXX"
#define CONTENT_SIZE 1000
#define OUTPUT_MAX (1U << 20)

static char path[] = PLACE;

static void remove_layer(void)
{
    struct err ignored = {0};
    (void)path_remove_tree_at(AT_FDCWD, path, &ignored);
}

/* A directory with the file f, which is all that a skeleton may name. */
static int make_layer(void)
{
    static const char content[CONTENT_SIZE] = "content";
    MUST(mkdtemp(path));
    MUST(atexit(remove_layer) == 0);
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int fd = openat(dir, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    MUST(dir >= 0 && fd >= 0 && write(fd, content, sizeof(content)) == sizeof(content));
    return dir;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int layer = -1;
    static uint8_t compressed[1U << 20];
    struct err e = {0};
    struct message_files_counts counts = {0};
    if (layer < 0)
        layer = make_layer();
    if (size > OUTPUT_MAX / 64)
        return 0;
    size_t n = ZSTD_compress(compressed, sizeof(compressed), data, size, 1);
    MUST(!ZSTD_isError(n));
    _cleanup_close_ int in = memfd_create("skeleton", MFD_CLOEXEC);
    _cleanup_close_ int out = memfd_create("tar", MFD_CLOEXEC);
    MUST(in >= 0 && out >= 0 && write(in, compressed, n) == (ssize_t)n && lseek(in, 0, SEEK_SET) == 0);
    int r = assemble_layer(layer, in, out, &counts, &e);
    MUST(r == 0 ? (uint64_t)lseek(out, 0, SEEK_END) == counts.bytes : e.text[0] != '\0');
    return 0;
}
