/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the log ends (log.h). The head is written behind the records, so a shim that was killed in between has left records
 * that it does not count yet: they are taken up. A log that ends before its head does is not repaired: the chain goes on
 * behind the head, and verification names what is missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "shim/log.h"

bool log_head_write(struct log *l)
{
    char text[LOGCHAIN_STATE_SIZE];
    logchain_state_format(&l->state, text);
    if (l->head < 0)
        l->head =
            openat(l->dir, LOGCHAIN_STATE_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    return l->head >= 0 && pwrite(l->head, text, sizeof(text), 0) == (ssize_t)sizeof(text);
}

int log_last_chain(int fd, uint64_t size, struct logchain *ret)
{
    char text[LOGCHAIN_MEMBER_MAX];
    size_t want = size < sizeof(text) ? (size_t)size : sizeof(text);
    ssize_t n = pread(fd, text, want, (off_t)(size - want));
    return n > 0 && logchain_parse_member(text, (size_t)n, ret) > 0;
}

/* The last record of the newest file that has one: a rotation may have been cut short behind the rename. */
static int last_of_files(const struct log *l, struct logchain *ret, bool *ret_any)
{
    for (unsigned number = 0; number < 2; number++) {
        char name[LOG_NAME_MAX];
        struct stat st;
        log_file_name(number, name);
        _cleanup_close_ int fd = openat(l->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
            continue;
        *ret_any = true;
        return log_last_chain(fd, (uint64_t)st.st_size, ret);
    }
    return 0;
}

int log_head_open(struct log *l, const char *id)
{
    char text[LOGCHAIN_STATE_SIZE];
    struct logchain last = {0};
    bool any = false;
    int found = last_of_files(l, &last, &any);
    l->head = openat(l->dir, LOGCHAIN_STATE_FILE, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (l->head < 0 && errno != ENOENT)
        return -errno;
    bool known = l->head >= 0 && pread(l->head, text, sizeof(text), 0) == (ssize_t)sizeof(text) &&
                 logchain_state_parse(text, &l->state) == 0;
    if (!known) {
        logchain_begin(&l->state.before, id);
        l->state.last = l->state.before;
        l->state.origin = found ? LOGCHAIN_HEAD_LOST : any ? LOGCHAIN_UNCHAINED : LOGCHAIN_WHOLE;
    }
    if (found && last.number > l->state.last.number)
        l->state.last = last;
    l->chain = l->state.last;
    if (any) /* without records there is no head yet; a full disk: the next flush writes it */
        (void)log_head_write(l);
    return 0;
}
