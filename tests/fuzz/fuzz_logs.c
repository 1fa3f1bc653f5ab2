/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine/logs and engine/logs_verify: files of a log as a subverted shim may write them. No bytes crash the readers; a log that was made of
 * the input with a chain is intact, and is not when any one of its bytes is another.
 */
#include "engine/logs_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "engine/logs.h"
#include "fuzz.h"

#define ID "c0ffee0000000000000000000000000000000000000000000000000000000000"
#define TEXT_MAX (1U << 20)
#define BETWEEN_FILES 0xff
#define LINE_TEXT 24
#define TAIL "\",\"stream\":\"stdout\",\"time\":\"2026-11-24T03:40:20Z\""

/* In memory: a disk would be written to thousands of times. */
static char dir_name[] = "/dev/shm/fuzz-logs-XXXXXX";
static int dir = -1;

static void clean_up(void)
{
    static const char *const names[] = {"head", "log", "log.1"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        (void)unlinkat(dir, names[i], 0);
    (void)rmdir(dir_name);
}

static void open_dir(void)
{
    if (dir >= 0)
        return;
    MUST(mkdtemp(dir_name) != NULL);
    dir = open(dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MUST(dir >= 0 && atexit(clean_up) == 0);
}

static void put_file(const char *name, const void *data, size_t size)
{
    _cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
}

static int visit(const struct logs_entry *entry, void *context, struct err *e)
{
    uint64_t *count = context;
    (void)e;
    MUST(entry->text != NULL && entry->length <= TEXT_MAX);
    (*count)++;
    return 0;
}

static uint64_t read_all(void)
{
    uint64_t count = 0;
    struct err e = {0};
    const struct logs_options options = {.tail = LOGS_ALL, .visit = visit, .context = &count};
    MUST(logs_read_kept(dir, &options, &e) == 0);
    return count;
}

static int verify(struct logs_summary *ret)
{
    struct err e = {0};
    int r = logs_verify(dir, ID, NULL, 0, ret, &e);
    MUST(r == 0 || (r == -EBADMSG && e.text[0]));
    return r;
}

/* The head, then two files. */
static void take_as_it_is(const uint8_t *data, size_t size)
{
    struct logs_summary sum;
    size_t head = size < LOGCHAIN_STATE_SIZE ? size : LOGCHAIN_STATE_SIZE;
    const uint8_t *between = size > head ? memchr(data + head, BETWEEN_FILES, size - head) : NULL;
    size_t older = between ? (size_t)(between - data) - head : 0;
    put_file("head", data, head);
    put_file("log.1", data + head, older);
    put_file("log", data + head + older, size - head - older);
    (void)verify(&sum);
    (void)read_all();
}

/* Records of the input's bytes, those that need no escape. */
static void chain_records(const uint8_t *data, size_t size, struct logchain *c, struct buf *b)
{
    struct err e = {0};
    for (size_t at = 0; at < size; at += LINE_TEXT) {
        char line[LINE_TEXT + 512] = LOGCHAIN_HEAD;
        size_t n = LOGCHAIN_HEAD_LENGTH;
        for (size_t i = at; i < size && i < at + LINE_TEXT; i++)
            line[n++] = data[i] > ' ' && data[i] < 0x7f && !strchr("\"\\", data[i]) ? (char)data[i] : '.';
        size_t text = n - LOGCHAIN_HEAD_LENGTH;
        memcpy(line + n, TAIL, sizeof(TAIL) - 1);
        n += sizeof(TAIL) - 1;
        logchain_add(c, line + LOGCHAIN_HEAD_LENGTH, b->length == 0 ? text + sizeof(TAIL) - 1 : text);
        n += logchain_put(c, line + n);
        MUST(buf_add(b, line, n, TEXT_MAX, &e) == 0);
    }
}

static void chain_and_change(const uint8_t *data, size_t size)
{
    char head[LOGCHAIN_STATE_SIZE];
    struct logchain_state state = {.origin = LOGCHAIN_WHOLE};
    struct logs_summary sum;
    _cleanup_buf_ struct buf b = {0};
    logchain_begin(&state.before, ID);
    state.last = state.before;
    chain_records(data, size < 2048 ? size : 2048, &state.last, &b);
    logchain_state_format(&state, head);
    put_file("head", head, sizeof(head));
    put_file("log.1", "", 0);
    put_file("log", b.data, b.length);
    MUST(verify(&sum) == 0 && sum.last == state.last.number && read_all() == sum.last);
    size_t at = (data[0] | (size_t)data[size - 1] << 8) % b.length;
    b.data[at] = (char)(b.data[at] ^ (1 + data[size / 2] % 255));
    put_file("log", b.data, b.length);
    MUST(verify(&sum) == -EBADMSG);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    open_dir();
    take_as_it_is(data, size);
    if (size > 0)
        chain_and_change(data, size);
    return 0;
}
