/* SPDX-License-Identifier: Apache-2.0 */
/* From options to a container (create_container.h). */
#include "cli/create_container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/find_image.h"
#include "engine/lifecycle.h"

/* The file must be new, so that two runs do not share one. */
static int open_cid_file(const char *path, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd >= 0)
        return fd;
    if (errno == EEXIST)
        return err_set(e, EEXIST,
                       "container ID file found, make sure the other container isn't running or delete %s",
                       path);
    return err_errno(e, "failed to create the container ID file %s", path);
}

static void print_notes(const struct plan *p)
{
    for (size_t i = 0; i < p->notes.count; i++) {
        str_neutralize(p->notes.items[i]);
        fprintf(stderr, "casemate: %s\n", p->notes.items[i]);
    }
}

static int make(const struct store *s, struct run_options *o, int *ret_waiter, struct err *e)
{
    _cleanup_image_ struct image *image = NULL;
    int r = find_image(s, o, &image, e);
    if (r == 0)
        r = lifecycle_create(s, &o->plan, image, ret_waiter, e);
    if (r < 0)
        return r;
    print_notes(&o->plan);
    return 0;
}

int create_container(const struct store *s, struct run_options *o, int *ret_waiter, struct err *e)
{
    _cleanup_close_ int cid = -1;
    if (o->cid_file && (cid = open_cid_file(o->cid_file, e)) < 0)
        return cid;
    int r = make(s, o, ret_waiter, e);
    if (r == 0 && cid >= 0)
        r = io_write_all(cid, o->plan.id, ID_LENGTH, e);
    if (r < 0 && cid >= 0)
        (void)unlink(o->cid_file);
    return r;
}
