/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of block I/O in words (io.h). */
#include "plan/io.h"

#include <errno.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/path.h"

#define WEIGHT_LEAST 10 /* Docker's range */
#define WEIGHT_MOST 1000
#define LIST_MAX 64

static const char *const names[PLAN_IO_KINDS] = {[PLAN_IO_READ_BPS] = "read-bps",
                                                 [PLAN_IO_WRITE_BPS] = "write-bps",
                                                 [PLAN_IO_READ_IOPS] = "read-iops",
                                                 [PLAN_IO_WRITE_IOPS] = "write-iops",
                                                 [PLAN_IO_WEIGHT] = "weight"};

const char *plan_io_name(enum plan_io_kind kind)
{
    return names[kind];
}

void plan_io_clear(struct plan_io *io)
{
    free(io->path);
    io->path = NULL;
}

static int parse_number(enum plan_io_kind kind, const char *text, uint64_t *ret, struct err *e)
{
    uint64_t number = 0;
    bool bytes = kind == PLAN_IO_READ_BPS || kind == PLAN_IO_WRITE_BPS;
    int r = bytes ? num_parse_size(text, &number, e) : num_parse_u64(text, UINT32_MAX, &number, e);
    if (r == 0 && kind == PLAN_IO_WEIGHT && (number < WEIGHT_LEAST || number > WEIGHT_MOST))
        r = err_set(e, ERANGE, "a weight is %d to %d", WEIGHT_LEAST, WEIGHT_MOST);
    if (r == 0 && number == 0)
        r = err_set(e, EINVAL, "a rate must be more than 0");
    if (r == 0)
        *ret = number;
    return r;
}

/* One entry for each kind and path: the beginning of the text up to the number says which. */
static int put(struct str_list *list, const char *entry, size_t key, struct err *e)
{
    for (size_t i = 0; i < list->count; i++)
        if (strncmp(list->items[i], entry, key) == 0)
            return str_replace(&list->items[i], entry, e);
    if (list->count == LIST_MAX)
        return err_set(e, E2BIG, "more than %d limits of single disks", LIST_MAX);
    return str_list_add(list, entry, e);
}

int plan_io_add(struct str_list *list, enum plan_io_kind kind, const char *value, struct err *e)
{
    _cleanup_free_ char *path = NULL;
    _cleanup_free_ char *entry = NULL;
    uint64_t number = 0;
    const char *colon = strrchr(value, ':');
    if (!colon || value[0] != '/')
        return err_set(e, EINVAL, "it is not DEVICE:%s, with the path of a disk",
                       kind == PLAN_IO_WEIGHT ? "WEIGHT" : "RATE");
    int r = str_copy_n(value, (size_t)(colon - value), &path, e);
    if (r == 0)
        r = path_check_absolute(path, e);
    if (r == 0)
        r = parse_number(kind, colon + 1, &number, e);
    if (r == 0)
        r = str_format(&entry, e, "%s %s %llu", names[kind], path, (unsigned long long)number);
    return r < 0 ? r : put(list, entry, strlen(names[kind]) + 1 + strlen(path) + 1, e);
}

int plan_io_parse(const char *entry, struct plan_io *ret, struct err *e)
{
    const char *first = strchr(entry, ' ');
    const char *last = strrchr(entry, ' ');
    struct plan_io io = {.kind = PLAN_IO_KINDS};
    for (int k = 0; first && k < PLAN_IO_KINDS; k++)
        if (strlen(names[k]) == (size_t)(first - entry) && str_after(entry, names[k]))
            io.kind = (enum plan_io_kind)k;
    if (io.kind == PLAN_IO_KINDS || last == first)
        return err_set(e, EINVAL, "'%s' is no limit of a disk", entry);
    int r = num_parse_u64(last + 1, UINT64_MAX, &io.number, e);
    if (r == 0)
        r = str_copy_n(first + 1, (size_t)(last - first - 1), &io.path, e);
    if (r < 0)
        return r;
    *ret = io;
    return 0;
}
