/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a container for `debug` (debug.h), read by casemate-files in the container's view of them. Names and content are hostile. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/copy_path.h"
#include "cli/debug.h"
#include "cli/listing.h"
#include "cli/visible.h"
#include "engine/audit_log.h"
#include "engine/files.h"

#define LIST_MAX 10000 /* entries of a directory that are shown */

static const struct listing_column columns[] = {
    {"Mode", "MODE", true}, {"User", "USER", true}, {"Group", "GROUP", true},   {"Size", "SIZE", true},
    {"Time", "TIME", true}, {"Name", "NAME", true}, {"Target", "TARGET", true}, {0},
};

/* Records what is looked at, and by whom, before it is; then starts the worker. */
static int open_files(struct debug *d, const char *what, const char *typed, char *ret_path, struct files *ret,
                      struct err *e)
{
    _cleanup_free_ char *text = NULL;
    int r = copy_path_clean(typed, true, ret_path, e);
    if (r == 0)
        r = str_format(&text, e, "%s %s", what, ret_path);
    if (r < 0)
        return r;
    audit_note_container(d->s, AUDIT_DEBUG, &d->c->plan, text);
    r = files_check_policy(true, e);
    if (r < 0) {
        audit_note_refusal(d->s, &d->c->plan, e);
        return r;
    }
    return files_open_container(d->s, d->c, FILES_ROOT_NAMESPACE, false, ret, e);
}

static char kind_of(uint32_t mode)
{
    return S_ISDIR(mode)    ? 'd'
           : S_ISLNK(mode)  ? 'l'
           : S_ISCHR(mode)  ? 'c'
           : S_ISBLK(mode)  ? 'b'
           : S_ISFIFO(mode) ? 'p'
           : S_ISSOCK(mode) ? 's'
                            : '-';
}

/* As ls(1) has it. */
static void mode_text(uint32_t mode, char ret[11])
{
    static const char letters[] = "rwxrwxrwx";
    ret[0] = kind_of(mode);
    for (unsigned i = 0; i < 9; i++)
        ret[i + 1] = mode & (0400U >> i) ? letters[i] : '-';
    if (mode & S_ISUID)
        ret[3] = mode & 0100 ? 's' : 'S';
    if (mode & S_ISGID)
        ret[6] = mode & 0010 ? 's' : 'S';
    if (mode & S_ISVTX)
        ret[9] = mode & 0001 ? 't' : 'T';
    ret[10] = '\0';
}

static void add_entry(struct members *rows, const struct message_files_entry *entry, char *name, char *target)
{
    char mode[11], number[24];
    struct members row = members_item(rows);
    mode_text(entry->mode, mode);
    str_neutralize(name);
    str_neutralize(target);
    members_text(&row, "Mode", mode);
    (void)snprintf(number, sizeof(number), "%u", entry->uid);
    members_text(&row, "User", number);
    (void)snprintf(number, sizeof(number), "%u", entry->gid);
    members_text(&row, "Group", number);
    (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)entry->size);
    members_text(&row, "Size", number);
    members_time(&row, "Time",
                 entry->mtime > 0 && entry->mtime < INT64_MAX / 1000000000 ? entry->mtime * 1000000000 : 1);
    members_text(&row, "Name", name);
    members_text(&row, "Target", target);
    members_join(rows, &row);
}

static int malformed(struct err *e)
{
    return err_set(e, EBADMSG, "casemate-files: malformed answer");
}

static bool read_text(FILE *in, char *text, size_t length)
{
    text[length] = '\0';
    return fread(text, 1, length, in) == length && strlen(text) == length;
}

/* What the worker sends is bounded by what was asked for, and believed for this listing only. */
static int read_entries(int fd, struct members *rows, struct err *e)
{
    static char name[UINT16_MAX + 1], target[MESSAGE_PATH_MAX];
    struct message_files_entry entry;
    _cleanup_fclose_ FILE *in = fdopen(fd, "re");
    if (!in) {
        (void)close(fd);
        return err_errno(e, "read the directory");
    }
    for (size_t count = 0; fread(&entry, sizeof(entry), 1, in) == 1; count++) {
        if (count == LIST_MAX || entry.length == 0 || entry.target_length >= sizeof(target) ||
            !read_text(in, name, entry.length) || !read_text(in, target, entry.target_length))
            return malformed(e);
        add_entry(rows, &entry, name, target);
    }
    return 0;
}

int debug_list(struct debug *d, struct err *e)
{
    char path[MESSAGE_PATH_MAX];
    int ends[2];
    struct message_files_counts counts = {0};
    _cleanup_files_ struct files f = FILES_INIT;
    _cleanup_json_ struct json_object *array = json_object_new_array();
    struct members rows = {.object = array, .failed = !array};
    int r = open_files(d, "list", d->o->list, path, &f, e);
    if (r < 0)
        return r;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    r = files_list(&f, path, LIST_MAX, ends[1], e);
    (void)close(ends[1]);
    if (r < 0) {
        (void)close(ends[0]);
        return r;
    }
    r = read_entries(ends[0], &rows, e);
    if (r == 0)
        r = files_wait(&f, NULL, NULL, &counts, e);
    if (r == 0 && rows.failed)
        r = err_oom(e);
    if (r == 0)
        r = listing_print(columns, array, d->o->format, true, e);
    if (r == 0 && counts.entries > LIST_MAX)
        fprintf(stderr, "casemate: %llu more entries are not shown\n",
                (unsigned long long)(counts.entries - LIST_MAX));
    return r;
}

/* On a terminal all of it is taken first, so that no character is cut. */
static int read_visibly(struct files *f, const char *path, uint64_t max, struct message_files_counts *counts,
                        struct err *e)
{
    int ends[2];
    _cleanup_buf_ struct buf text = {0};
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    _cleanup_close_ int in = ends[0];
    int r = files_read(f, path, max, ends[1], e);
    (void)close(ends[1]);
    if (r == 0)
        r = io_read_to_end(in, max, &text, e);
    if (r == 0)
        r = files_wait(f, NULL, NULL, counts, e);
    if (r == 0 && text.data)
        visible_print(text.data, text.length, stdout);
    return r;
}

int debug_read(struct debug *d, struct err *e)
{
    char path[MESSAGE_PATH_MAX];
    struct message_files_counts counts = {0};
    struct message_files_found found = {0};
    _cleanup_files_ struct files f = FILES_INIT;
    int r = open_files(d, "read", d->o->read, path, &f, e);
    if (r == 0)
        r = files_stat(&f, path, true, &found, e);
    if (r < 0)
        return r;
    if (isatty(STDOUT_FILENO)) {
        r = read_visibly(&f, path, d->o->max_bytes, &counts, e);
    } else {
        r = files_read(&f, path, d->o->max_bytes, STDOUT_FILENO, e);
        if (r == 0)
            r = files_wait(&f, NULL, NULL, &counts, e);
    }
    if (r == 0 && counts.bytes == d->o->max_bytes && found.size > counts.bytes)
        fprintf(stderr, "casemate: only the first %llu of %llu bytes; --max-bytes shows more\n",
                (unsigned long long)counts.bytes, (unsigned long long)found.size);
    return r;
}
