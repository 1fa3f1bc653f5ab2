/* SPDX-License-Identifier: Apache-2.0 */
/* What clients send to the container: written at once, or kept in the packet buffer until the container takes it. */
#include <errno.h>
#include <unistd.h>

#include "shim/shim.h"

bool input_pending(const struct input *in)
{
    return in->start < in->end;
}

static void close_input(struct shim *s)
{
    struct input *in = &s->input;
    in->start = in->end = 0;
    in->ending = false;
    if (!(s->config.flags & SHIM_TTY))
        close_fd(&in->fd);
}

void input_write(struct shim *s)
{
    struct input *in = &s->input;
    while (input_pending(in)) {
        ssize_t n = in->fd < 0 ? -1 : write(in->fd, in->packet + in->start, in->end - in->start);
        if (n > 0) {
            in->start += (size_t)n;
            continue;
        }
        if (n < 0 && in->fd >= 0 && errno == EINTR)
            continue;
        if (n < 0 && in->fd >= 0 && errno == EAGAIN)
            return;
        /* Nobody reads it any more: the rest is for nobody. */
        close_input(s);
        return;
    }
    if (in->ending)
        close_input(s);
}

void input_put(struct shim *s, size_t offset, size_t length)
{
    if (s->input.fd < 0 || s->input.discard)
        return;
    s->input.start = offset;
    s->input.end = offset + length;
    input_write(s);
}

void input_end(struct shim *s)
{
    s->input.ending = true;
    if (!input_pending(&s->input))
        close_input(s);
}
