/* SPDX-License-Identifier: Apache-2.0 */
/* Exit records and the shim's lock (exit_record.h, base/shimproto.h). */
#include "engine/exit_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/io.h"
#include "base/num.h"
#include "base/shimproto.h"
#include "base/str.h"

#define EXIT_WORD "casemate-exit"
#define EXIT_VERSION "1"
#define SIGNAL_MAX 64

enum word { WORD_NAME, WORD_VERSION, WORD_CODE, WORD_SIGNAL, WORD_OOM, WORD_TIME, WORD_LOST, WORD_COUNT };

static int parse_words(const struct str_list *words, struct exit_record *ret, struct err *e)
{
    uint64_t code = 0, signal = 0, oom = 0, time = 0, lost = 0;
    if (words->count != WORD_COUNT || !str_equal(words->items[WORD_NAME], EXIT_WORD) ||
        !str_equal(words->items[WORD_VERSION], EXIT_VERSION))
        return err_set(e, EINVAL, "unknown form");
    int r = num_parse_u64(words->items[WORD_CODE], UINT8_MAX, &code, e);
    if (r == 0)
        r = num_parse_u64(words->items[WORD_SIGNAL], SIGNAL_MAX, &signal, e);
    if (r == 0)
        r = num_parse_u64(words->items[WORD_OOM], 1, &oom, e);
    if (r == 0)
        r = num_parse_u64(words->items[WORD_TIME], INT64_MAX, &time, e);
    if (r == 0)
        r = num_parse_u64(words->items[WORD_LOST], UINT64_MAX, &lost, e);
    if (r == 0)
        *ret = (struct exit_record){(int)code, (int)signal, oom != 0, (int64_t)time, lost};
    return r;
}

int exit_record_parse(const char *text, struct exit_record *ret, struct err *e)
{
    _cleanup_str_list_ struct str_list words = {0};
    _cleanup_free_ char *line = NULL;
    size_t length = strcspn(text, "\n");
    if (text[length] != '\n' || text[length + 1] != '\0')
        return err_set(e, EINVAL, "exit record: not one line");
    int r = str_copy_n(text, length, &line, e);
    if (r == 0)
        r = str_list_split(line, ' ', WORD_COUNT, &words, e);
    if (r == 0)
        r = parse_words(&words, ret, e);
    return r < 0 ? err_wrap(e, "exit record") : 0;
}

int exit_record_read(int shim_dir_fd, struct exit_record *ret, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    struct err absent = {0};
    int r = io_read_file_at(shim_dir_fd, SHIM_EXIT_FILE, SHIM_EXIT_TEXT_MAX, &text, &absent);
    if (r == -ENOENT)
        return 0;
    if (r < 0) {
        *e = absent;
        return r;
    }
    r = exit_record_parse(text.data ? text.data : "", ret, e);
    return r < 0 ? r : 1;
}

static int open_lock(int shim_dir_fd)
{
    int fd = openat(shim_dir_fd, SHIM_LOCK_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int is_held(int lock)
{
    _cleanup_close_ int fd = lock;
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    if (flock(fd, LOCK_SH | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? 1 : -errno;
}

int shim_alive(int shim_dir_fd)
{
    return is_held(open_lock(shim_dir_fd));
}

int shim_alive_in(int containers_fd, const char *id)
{
    char path[ID_LENGTH + sizeof("/shim/" SHIM_LOCK_FILE)];
    (void)snprintf(path, sizeof(path), "%.*s/shim/" SHIM_LOCK_FILE, ID_LENGTH, id);
    int fd = openat(containers_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return is_held(fd < 0 ? -errno : fd);
}

int shim_wait(int shim_dir_fd, struct err *e)
{
    _cleanup_close_ int fd = open_lock(shim_dir_fd);
    int r;
    if (fd == -ENOENT)
        return 0;
    if (fd < 0)
        return err_set(e, -fd, "open the shim's lock: %s", strerror(-fd));
    do
        r = flock(fd, LOCK_SH);
    while (r < 0 && errno == EINTR);
    return r < 0 ? err_errno(e, "wait for the container") : 0;
}
