/* SPDX-License-Identifier: Apache-2.0 */
/* Copies (copy.h). */
#include "engine/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"

int copy_between(struct files *from, struct files *to, const struct copy_request *request,
                 struct message_files_counts *ret_counts, struct err *e)
{
    int ends[2];
    struct message_files_counts packed = {0};
    struct message_files_counts placed = {0};
    struct err reader = {0};
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    const struct files_place_options options = {
        .owners = request->owners, .drop_set_id = request->drop_set_id, .plain = true};
    int r = files_place(to, request->to_path, &options, ends[0], e);
    if (r == 0)
        r = files_pack(from, request->from_path, request->name, request->pack_flags, ends[1], e);
    (void)close(ends[0]);
    (void)close(ends[1]);
    if (r < 0)
        return r;
    r = files_wait(from, request->progress, request->context, &packed, e);
    if (r < 0 && r != -EPIPE) /* the other side sees a cut archive then, which is not the reason */
        return r;
    int placing = files_wait(to, NULL, NULL, &placed, &reader);
    if (placing < 0) {
        *e = reader;
        return placing;
    }
    placed.devices += packed.devices;
    *ret_counts = placed;
    return r;
}
