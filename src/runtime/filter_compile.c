/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's side of casemate-seccomp (filter_compile.h). Trusted; what the worker answers is checked like a stranger's word. */
#include "runtime/filter_compile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/capname.h"
#include "base/ids.h"
#include "base/io.h"
#include "base/messages.h"
#include "base/worker.h"

#define PROGRAM_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))
#define PRACTICE_SYSCALLS 7
#define EXCESS_TEXT_MAX 512

static const struct worker_profile worker_profile = {
    .program = "casemate-seccomp",
    .uid = IDS_WORKER_SECCOMP,
    .memory_max = 512ULL << 20,
    .cpu_seconds = 20,
    .files_max = 16,
    .file_size_max = PROGRAM_MAX,
};

struct filter *filter_new(size_t instructions, struct sock_filter **ret_code)
{
    struct filter *f = calloc(1, sizeof(*f) + instructions * sizeof(struct sock_filter));
    if (!f)
        return NULL;
    *ret_code = (struct sock_filter *)(f + 1);
    f->code = *ret_code;
    f->len = (unsigned short)instructions;
    return f;
}

static bool instruction_ok(const struct sock_filter *i, size_t left)
{
    switch (i->code) {
    case BPF_RET | BPF_K:
    case BPF_ALU | BPF_AND | BPF_K:
    case BPF_LD | BPF_W | BPF_ABS: /* the kernel checks the offset */
        return true;
    case BPF_JMP | BPF_JA:
        return i->k < left;
    case BPF_JMP | BPF_JEQ | BPF_K:
    case BPF_JMP | BPF_JGT | BPF_K:
    case BPF_JMP | BPF_JGE | BPF_K:
        return i->jt < left && i->jf < left;
    default:
        return false;
    }
}

int filter_check(const struct sock_filter *code, size_t instructions, struct err *e)
{
    bool good =
        instructions > 0 && instructions <= BPF_MAXINSNS && code[instructions - 1].code == (BPF_RET | BPF_K);
    for (size_t i = 0; i < instructions && good; i++)
        good = instruction_ok(&code[i], instructions - 1 - i);
    return good ? 0 : err_set(e, EBADMSG, "malformed system-call filter");
}

/* The profile as a sealed memory file. */
static int profile_file(const struct filter_source *source, struct err *e)
{
    _cleanup_close_ int fd = memfd_create("profile", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_errno(e, "memfd_create");
    int r = io_write_all(fd, source->profile, source->length, e);
    if (r < 0)
        return r;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        return err_errno(e, "seal a memory file");
    return steal_fd(&fd);
}

static int ask(struct worker *w, const struct filter_source *source, int out, struct ipc_message *m,
               struct err *e)
{
    const struct message_seccomp_request request = {.capabilities = source->capabilities,
                                                    .kernel_version = source->kernel_version,
                                                    .reading = source->runtime ? SECCOMP_READ_RUNTIME
                                                               : source->judge ? SECCOMP_READ_JUDGED
                                                                               : SECCOMP_READ_PLAIN};
    _cleanup_close_ int profile = source->profile ? profile_file(source, e) : -1;
    if (source->profile && profile < 0)
        return profile;
    const int fds[2] = {out, profile};
    int r = ipc_send(w->socket, source->profile ? MESSAGE_SECCOMP_PROFILE : MESSAGE_SECCOMP_DEFAULT, &request,
                     sizeof(request), fds, source->profile ? 2 : 1, e);
    if (r < 0 && r != -EPIPE) /* a worker that has ended: receiving tells how */
        return r;
    return worker_receive(w, m, NULL, NULL, e);
}

/* "mount (--cap-add SYS_ADMIN opens it)" and so on. */
static int describe(const struct message_seccomp_excess *x, struct buf *text, struct err *e)
{
    uint32_t shown = x->count < MESSAGE_SECCOMP_SHOWN ? x->count : MESSAGE_SECCOMP_SHOWN;
    int r = 0;
    for (uint32_t i = 0; i < shown && r == 0; i++) {
        int32_t number = x->shown[i].capability;
        const char *cap = number >= 0 ? cap_name((unsigned)number) : NULL;
        if (!message_text_ok(x->shown[i].name, sizeof(x->shown[i].name)) || (number >= 0 && !cap))
            return err_set(e, EBADMSG, "malformed answer of casemate-seccomp");
        r = buf_printf(text, EXCESS_TEXT_MAX, e, "%s%s", i ? ", " : "", x->shown[i].name);
        if (r == 0 && cap)
            r = buf_printf(text, EXCESS_TEXT_MAX, e, " (--cap-add %s opens it)", cap + strlen("CAP_"));
    }
    if (r == 0 && x->count > shown)
        r = buf_printf(text, EXCESS_TEXT_MAX, e, " and %u more", x->count - shown);
    return r;
}

static int refuse(const struct ipc_message *m, struct err *e)
{
    struct message_seccomp_excess x;
    _cleanup_buf_ struct buf calls = {0};
    int r = ipc_expect(m, MESSAGE_SECCOMP_EXCESS, sizeof(x), 0, e);
    if (r < 0)
        return r;
    memcpy(&x, m->payload, sizeof(x));
    if (x.count == 0)
        return err_set(e, EBADMSG, "malformed answer of casemate-seccomp");
    r = describe(&x, &calls, e);
    return r < 0 ? r
                 : err_refuse(e, PRACTICE_SYSCALLS,
                              "--security-opt seccomp=FILE is refused: a profile can only take system calls "
                              "away, and this one allows %s; take them out of the file",
                              calls.data);
}

/* The copy is checked, not the file: the worker can still write to that. */
static int read_program(const struct ipc_message *m, int out, struct filter **ret_filter, struct err *e)
{
    struct message_seccomp_program answer;
    struct sock_filter *code = NULL;
    int r = ipc_expect(m, MESSAGE_SECCOMP_PROGRAM, sizeof(answer), 0, e);
    if (r < 0)
        return r;
    memcpy(&answer, m->payload, sizeof(answer));
    if (answer.instructions == 0 || answer.instructions > BPF_MAXINSNS)
        return err_set(e, EBADMSG, "malformed answer of casemate-seccomp");
    _cleanup_free_ struct filter *f = filter_new(answer.instructions, &code);
    if (!f)
        return err_oom(e);
    if (lseek(out, 0, SEEK_SET) < 0)
        return err_errno(e, "seek");
    size_t size = answer.instructions * sizeof(*code);
    ssize_t n = io_read_full(out, code, size, e);
    if (n < 0)
        return (int)n;
    if ((size_t)n != size)
        return err_set(e, EBADMSG, "malformed answer of casemate-seccomp");
    r = filter_check(code, answer.instructions, e);
    if (r < 0)
        return r;
    *ret_filter = steal_ptr(f);
    return 0;
}

static void message_free(struct ipc_message *m)
{
    ipc_message_clear(m);
    free(m);
}
DEFINE_CLEANUP(struct ipc_message *, message_free);

int filter_compile(const struct filter_source *source, struct filter **ret_filter, struct err *e)
{
    _cleanup_(message_freep) struct ipc_message *m = calloc(1, sizeof(*m));
    _cleanup_worker_ struct worker w = WORKER_INIT;
    _cleanup_close_ int out = memfd_create("program", MFD_CLOEXEC);
    if (!m)
        return err_oom(e);
    if (out < 0)
        return err_errno(e, "memfd_create");
    int r = worker_start(&worker_profile, &w, e);
    if (r == 0)
        r = ask(&w, source, out, m, e);
    if (r < 0)
        return err_wrap(e, "%s", source->profile ? "system-call profile" : "system-call filter");
    return m->type == MESSAGE_SECCOMP_EXCESS && source->judge ? refuse(m, e)
                                                              : read_program(m, out, ret_filter, e);
}
