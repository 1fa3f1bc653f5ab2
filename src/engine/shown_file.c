/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run/shown (shown.h): a line that names the format and the version that wrote it, then entries: a struct of numbers, then texts, each with a
 * byte in front that says whether it is one (NULL otherwise) and a NUL behind. Only root can write it; it is checked all the same, as a
 * command may have been another version.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "config.h"
#include "engine/shown.h"

#define HEAD "casemate-shown 2 " CASEMATE_VERSION "\n"
#define FILE_MAX (64U << 20)
#define ALIGNED 8U
#define LIST_MAX 4096U
#define TEXT_IS '1'
#define TEXT_NULL '0'

struct numbers {
    uint32_t length; /* of the entry */
    uint32_t size;   /* of this struct */
    struct shown_times times;
    struct listening_socket socket;
    int64_t created, started, finished;
    int32_t status, exit_code, exit_signal, oom_killed, profile;
    uint32_t entrypoint, command, labels, expose, mounts; /* texts; of each mount three */
    char id[ID_LENGTH];
    char image_id[ID_LENGTH];
};

struct cursor {
    const char *at, *end;
};

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct shown_entry *)a)->id, ((const struct shown_entry *)b)->id, ID_LENGTH);
}

/* The entry at `at`: false when it does not fit. */
static bool take_entry(const char *at, size_t left, struct shown_entry *ret)
{
    struct numbers n;
    if (left < sizeof(n))
        return false;
    memcpy(&n, at, sizeof(n));
    if (n.size != sizeof(n) || n.length < sizeof(n) || n.length > left)
        return false;
    *ret = (struct shown_entry){.id = at + offsetof(struct numbers, id),
                                .data = at,
                                .length = n.length,
                                .times = n.times,
                                .socket = n.socket};
    return true;
}

static int split(struct shown_entries *entries, struct err *e)
{
    const size_t head = sizeof(HEAD) - 1;
    const struct buf *text = &entries->text;
    if (text->length < head || memcmp(text->data, HEAD, head) != 0)
        return err_set(e, EBADMSG, "another version");
    size_t room = (text->length - head) / sizeof(struct numbers);
    if (room == 0)
        return text->length == head ? 0 : err_set(e, EBADMSG, "not a list of containers");
    entries->items = calloc(room, sizeof(*entries->items));
    if (!entries->items)
        return err_oom(e);
    for (size_t at = head; at < text->length; at += entries->items[entries->count++].length)
        if (entries->count >= room ||
            !take_entry(text->data + at, text->length - at, &entries->items[entries->count]))
            return err_set(e, EBADMSG, "not a list of containers");
    if (entries->count > 1)
        qsort(entries->items, entries->count, sizeof(*entries->items), by_id);
    return 0;
}

void shown_read(const struct store *s, struct shown_entries *ret)
{
    struct err ignored = {0};
    *ret = (struct shown_entries){0};
    int r = io_read_file_at(s->run, SHOWN_FILE, FILE_MAX, &ret->text, &ignored);
    if (r < 0 || split(ret, &ignored) < 0)
        shown_clear(ret);
}

void shown_clear(struct shown_entries *entries)
{
    buf_clear(&entries->text);
    free(entries->items);
    *entries = (struct shown_entries){0};
}

const struct shown_entry *shown_find(const struct shown_entries *entries, const char *id)
{
    const struct shown_entry wanted = {.id = id};
    return entries->count ? bsearch(&wanted, entries->items, entries->count, sizeof(wanted), by_id) : NULL;
}

bool shown_runs(const struct shown_entry *entry)
{
    struct numbers n;
    memcpy(&n, entry->data, sizeof(n));
    return n.status == CONTAINER_RUNNING;
}

int shown_begin(struct buf *text, struct err *e)
{
    return buf_add(text, HEAD, sizeof(HEAD) - 1, FILE_MAX, e);
}

int shown_add_entry(struct buf *text, const struct shown_entry *entry, struct err *e)
{
    return buf_add(text, entry->data, entry->length, FILE_MAX, e);
}

static int add_text(struct buf *b, const char *text, struct err *e)
{
    int r = buf_add(b, text ? "1" : "0", 1, FILE_MAX, e);
    return r < 0 ? r : buf_add(b, text ? text : "", (text ? strlen(text) : 0) + 1, FILE_MAX, e);
}

static int add_list(struct buf *b, const struct str_list *list, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < list->count && r == 0; i++)
        r = add_text(b, list->items[i], e);
    return r;
}

static int add_mounts(struct buf *b, const struct plan *p, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < p->mount_count && r == 0; i++) {
        const char type[] = {(char)('0' + p->mounts[i].type), '\0'};
        r = add_text(b, type, e);
        if (r == 0)
            r = add_text(b, p->mounts[i].source, e);
        if (r == 0)
            r = add_text(b, p->mounts[i].target, e);
    }
    return r;
}

static int add_texts(struct buf *b, const struct plan *p, struct err *e)
{
    const char *const single[] = {p->name, p->image_reference, p->network};
    const struct str_list *const lists[] = {&p->entrypoint, &p->command, &p->labels, &p->expose};
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(single) && r == 0; i++)
        r = add_text(b, single[i], e);
    for (size_t i = 0; i < ARRAY_SIZE(lists) && r == 0; i++)
        r = add_list(b, lists[i], e);
    return r < 0 ? r : add_mounts(b, p, e);
}

static struct numbers numbers_of(const struct container *c, const struct shown_times *times,
                                 const struct listening_socket *socket)
{
    const struct plan *p = &c->plan;
    struct numbers n = {.size = sizeof(n),
                        .times = *times,
                        .socket = *socket,
                        .created = p->created,
                        .started = c->start.time,
                        .finished = c->finished,
                        .status = (int32_t)c->status,
                        .exit_code = c->exit_code,
                        .exit_signal = c->exit_signal,
                        .oom_killed = c->oom_killed,
                        .profile = (int32_t)p->profile,
                        .entrypoint = (uint32_t)p->entrypoint.count,
                        .command = (uint32_t)p->command.count,
                        .labels = (uint32_t)p->labels.count,
                        .expose = (uint32_t)p->expose.count,
                        .mounts = (uint32_t)p->mount_count};
    memcpy(n.id, c->id, sizeof(n.id));
    memcpy(n.image_id, p->image_id, sizeof(n.image_id));
    return n;
}

int shown_add_container(struct buf *text, const struct container *c, const struct shown_times *times,
                        const struct listening_socket *socket, struct err *e)
{
    struct numbers n = numbers_of(c, times, socket);
    _cleanup_buf_ struct buf texts = {0};
    int r = add_texts(&texts, &c->plan, e);
    if (r < 0)
        return r;
    size_t length = (sizeof(n) + texts.length + ALIGNED - 1) / ALIGNED * ALIGNED;
    const char filling[ALIGNED] = {0};
    n.length = (uint32_t)length;
    r = buf_add(text, &n, sizeof(n), FILE_MAX, e);
    if (r == 0)
        r = buf_add(text, texts.data, texts.length, FILE_MAX, e);
    return r < 0 ? r : buf_add(text, filling, length - sizeof(n) - texts.length, FILE_MAX, e);
}

int shown_write(const struct store *s, const struct buf *text, struct err *e)
{
    return io_replace_file_at(s->run, SHOWN_FILE, text->data, text->length, 0600, false, e);
}

static int take_text(struct cursor *from, char **ret, struct err *e)
{
    const char *end = from->at < from->end ? memchr(from->at, '\0', (size_t)(from->end - from->at)) : NULL;
    if (!end || (*from->at != TEXT_IS && *from->at != TEXT_NULL))
        return err_set(e, EBADMSG, "no text");
    int r = str_copy(*from->at == TEXT_IS ? from->at + 1 : NULL, ret, e);
    from->at = end + 1;
    return r;
}

static int take_list(struct cursor *from, uint32_t count, struct str_list *ret, struct err *e)
{
    int r = count > LIST_MAX ? err_set(e, EBADMSG, "too many texts") : 0;
    for (uint32_t i = 0; i < count && r == 0; i++) {
        char *text = NULL;
        r = take_text(from, &text, e);
        if (r == 0 && !text)
            r = err_set(e, EBADMSG, "no text");
        if (r == 0)
            r = str_list_take(ret, text, e);
    }
    return r;
}

static int take_mounts(struct cursor *from, uint32_t count, struct plan *p, struct err *e)
{
    int r = 0;
    for (uint32_t i = 0; i < count && r == 0; i++) {
        _cleanup_free_ char *type = NULL;
        r = take_text(from, &type, e);
        if (r < 0)
            return r;
        if (!type || *type < '0' || *type > '0' + PLAN_MOUNT_TMPFS)
            return err_set(e, EBADMSG, "no mount");
        struct plan_mount *m = plan_add_mount(p, (enum plan_mount_type)(*type - '0'), e);
        r = m ? take_text(from, &m->source, e) : -e->code;
        if (r == 0)
            r = take_text(from, &m->target, e);
    }
    return r;
}

static int take_plan(struct cursor *from, const struct numbers *n, struct plan *p, struct err *e)
{
    int r = take_text(from, &p->name, e);
    if (r == 0)
        r = take_text(from, &p->image_reference, e);
    if (r == 0)
        r = take_text(from, &p->network, e);
    if (r == 0)
        r = take_list(from, n->entrypoint, &p->entrypoint, e);
    if (r == 0)
        r = take_list(from, n->command, &p->command, e);
    if (r == 0)
        r = take_list(from, n->labels, &p->labels, e);
    if (r == 0)
        r = take_list(from, n->expose, &p->expose, e);
    return r < 0 ? r : take_mounts(from, n->mounts, p, e);
}

int shown_restore(const struct shown_entry *entry, struct container *ret, struct err *e)
{
    struct numbers n;
    struct cursor from = {entry->data + sizeof(n), entry->data + entry->length};
    memcpy(&n, entry->data, sizeof(n));
    if (n.status < CONTAINER_CREATED || n.status > CONTAINER_DEAD || n.profile < PLAN_STANDARD ||
        n.profile > PLAN_COMPAT)
        return err_set(e, EBADMSG, "a number is out of range");
    memcpy(ret->id, n.id, sizeof(n.id));
    memcpy(ret->plan.id, n.id, sizeof(n.id));
    memcpy(ret->plan.image_id, n.image_id, sizeof(n.image_id));
    ret->plan.created = n.created;
    ret->plan.profile = (enum plan_profile)n.profile;
    ret->start.time = n.started;
    ret->finished = n.finished;
    ret->status = (enum container_status)n.status;
    ret->exit_code = n.exit_code;
    ret->exit_signal = n.exit_signal;
    ret->oom_killed = n.oom_killed != 0;
    return take_plan(&from, &n, &ret->plan, e);
}
