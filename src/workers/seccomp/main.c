/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casemate-seccomp: one system-call profile in, one program out. Runs without files, network and capabilities. A process compiles either our
 * own default profile, which is part of the program, or one text from outside, never both: what a hostile text does to the process
 * cannot reach the filter that stays beneath it.
 */
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/ipc.h"
#include "base/messages.h"
#include "base/sandbox.h"
#include "base/worker.h"
#include "seccomp/below.h"

_Static_assert(BELOW_SHOWN == MESSAGE_SECCOMP_SHOWN, "what is shown must fit the message");

static int answer_program(const struct seccomp_program *p, int out, struct err *e)
{
    struct message_seccomp_program answer = {.instructions = (uint32_t)p->len};
    int r = io_write_all(out, p->code, p->len * sizeof(*p->code), e);
    return r < 0 ? r : ipc_send(WORKER_SOCKET, MESSAGE_SECCOMP_PROGRAM, &answer, sizeof(answer), NULL, 0, e);
}

static int answer_excess(const struct below_excess *x, struct err *e)
{
    struct message_seccomp_excess answer = {.count = x->count};
    for (size_t i = 0; i < BELOW_SHOWN && i < x->count; i++) {
        memcpy(answer.shown[i].name, x->shown[i].name, sizeof(answer.shown[i].name));
        answer.shown[i].capability = x->shown[i].cap;
    }
    return ipc_send(WORKER_SOCKET, MESSAGE_SECCOMP_EXCESS, &answer, sizeof(answer), NULL, 0, e);
}

static int serve_default(const struct profile_target *t, int out, struct err *e)
{
    _cleanup_(seccomp_program_clear) struct seccomp_program p = {0};
    int r = below_compile_default(t, &p, e);
    return r < 0 ? r : answer_program(&p, out, e);
}

static int serve_profile(const struct profile_target *t, bool judge, int out, int profile, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_(seccomp_program_clear) struct seccomp_program p = {0};
    struct below_excess excess = {0};
    if (lseek(profile, 0, SEEK_SET) < 0)
        return err_errno(e, "seek");
    int r = io_read_to_end(profile, PROFILE_BYTES_MAX, &text, e);
    if (r < 0)
        return r;
    const char *json = text.data ? text.data : "";
    r = judge ? below_compile_profile(json, text.length, t, &p, &excess, e)
              : seccomp_compile(json, text.length, t, &p, e);
    if (r < 0)
        return r;
    return excess.count > 0 ? answer_excess(&excess, e) : answer_program(&p, out, e);
}

static int serve(struct ipc_message *m, struct err *e)
{
    bool own = m->type == MESSAGE_SECCOMP_DEFAULT;
    struct message_seccomp_request request;
    int r = ipc_expect(m, own ? MESSAGE_SECCOMP_DEFAULT : MESSAGE_SECCOMP_PROFILE, sizeof(request),
                       own ? 1 : 2, e);
    if (r < 0)
        return r;
    memcpy(&request, m->payload, sizeof(request));
    const struct profile_target target = {.arch = SECCOMP_ARCH_NATIVE,
                                          .caps = request.capabilities,
                                          .kernel_version = request.kernel_version,
                                          .runtime = !own && request.reading == SECCOMP_READ_RUNTIME};
    return own ? serve_default(&target, m->fds[0], e)
               : serve_profile(&target, request.reading == SECCOMP_READ_JUDGED, m->fds[0], m->fds[1], e);
}

int main(void)
{
    static struct ipc_message m;
    struct err e = {0};
    const struct sandbox_profile profile = {0};
    if (sandbox_enter(&profile, &e) < 0 || sandbox_filter("seccomp", &e) < 0)
        worker_fail(&e);
    int r = ipc_receive(WORKER_SOCKET, &m, &e);
    if (r > 0)
        r = serve(&m, &e);
    if (r < 0)
        worker_fail(&e);
    return 0;
}
