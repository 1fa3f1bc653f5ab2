/* SPDX-License-Identifier: Apache-2.0 */
/* Reader of subuid(5) and subgid(5) (subid.h). The files are the administrator's. */
#include "store/subid.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/identity.h"
#include "base/io.h"
#include "base/num.h"
#include "base/str.h"

#define FILE_MAX (4U << 20)
#define LINE_MAX_LENGTH 512
#define NUMBER_TEXT 16

/* NAME:FIRST:COUNT. False when it is not this user's, or malformed. */
static bool read_line(const char *line, size_t length, const char *name, uint32_t uid,
                      struct subid_range *ret)
{
    char text[LINE_MAX_LENGTH], number[NUMBER_TEXT];
    struct err ignored = {0};
    uint64_t first = 0, count = 0;
    if (length >= sizeof(text))
        return false;
    memcpy(text, line, length);
    text[length] = '\0';
    char *rest = text;
    const char *owner = strsep(&rest, ":");
    const char *from = strsep(&rest, ":");
    (void)snprintf(number, sizeof(number), "%u", uid);
    if (!from || !rest || (!str_equal(owner, name) && !str_equal(owner, number)))
        return false;
    if (num_parse_u64(from, UINT32_MAX, &first, &ignored) < 0 ||
        num_parse_u64(rest, UINT32_MAX, &count, &ignored) < 0 || first == 0 || first + count > UINT32_MAX)
        return false;
    *ret = (struct subid_range){(uint32_t)first, (uint32_t)count};
    return true;
}

struct subid_range subid_find(const char *text, const char *name, uint32_t uid)
{
    struct subid_range best = {0, 0};
    while (*text) {
        struct subid_range range;
        size_t n = strcspn(text, "\n");
        if (read_line(text, n, name, uid, &range) && range.count > best.count)
            best = range;
        text += n + (text[n] == '\n');
    }
    return best;
}

static int read_file(const char *path, const char *flag, const char *name, struct subid_range *ret,
                     struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = io_read_path(path, FILE_MAX, &text, e);
    if (r < 0 && r != -ENOENT)
        return r;
    struct subid_range range = subid_find(r == 0 && text.data ? text.data : "", name, getuid());
    if (range.count == 0)
        return err_set(e, ENOENT,
                       "user %s has no subordinate ids in %s, which the containers of an ordinary user live "
                       "in: as root, "
                       "usermod %s 100000-165535 %s (a range that nobody else has)",
                       name, path, flag, name);
    if (range.count < IDENTITY_RANGE_MIN)
        return err_set(
            e, ERANGE,
            "user %s has only %u subordinate ids in %s, at least %d are needed and 65536 are usual", name,
            range.count, path, IDENTITY_RANGE_MIN);
    *ret = range;
    return 0;
}

int subid_read(struct subid_range *ret_uids, struct subid_range *ret_gids, char ret_name[SUBID_NAME_MAX],
               struct err *e)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char strings[4096];
    if (getpwuid_r(getuid(), &entry, strings, sizeof(strings), &found) == 0 && found)
        (void)snprintf(ret_name, SUBID_NAME_MAX, "%s", found->pw_name);
    else
        (void)snprintf(ret_name, SUBID_NAME_MAX, "%u", getuid());
    int r = read_file("/etc/subuid", "--add-subuids", ret_name, ret_uids, e);
    return r < 0 ? r : read_file("/etc/subgid", "--add-subgids", ret_name, ret_gids, e);
}
