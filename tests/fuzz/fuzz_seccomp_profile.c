/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp/below: no text of a profile crashes the compiler. What it accepts is a program whose jumps stay inside and which ends on
 * every path; what it refuses has a reason. The first byte chooses capabilities, architecture, and whether it is read as the OCI runtime does.
 */
#include "base/capname.h"
#include "seccomp/below.h"

#include "fuzz.h"

static void check_program(const struct seccomp_program *p)
{
    MUST(p->code && p->len > 0 && p->len <= BPF_MAXINSNS);
    MUST(p->code[p->len - 1].code == (BPF_RET | BPF_K));
    for (size_t i = 0; i < p->len; i++) {
        size_t left = p->len - 1 - i;
        const struct sock_filter *at = &p->code[i];
        switch (at->code) {
        case BPF_RET | BPF_K:
        case BPF_ALU | BPF_AND | BPF_K:
            break;
        case BPF_LD | BPF_W | BPF_ABS:
            MUST(at->k % 4 == 0 && at->k < 64); /* struct seccomp_data */
            break;
        case BPF_JMP | BPF_JA:
            MUST(at->k < left);
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
        case BPF_JMP | BPF_JGT | BPF_K:
        case BPF_JMP | BPF_JGE | BPF_K:
            MUST(at->jt < left && at->jf < left);
            break;
        default:
            MUST(!"an instruction that seccomp does not have");
        }
    }
}

static int run_runtime(const char *text, size_t size, struct profile_target t)
{
    struct seccomp_program p = {0};
    struct err e = {0};
    t.runtime = true;
    if (seccomp_compile(text, size, &t, &p, &e) < 0)
        MUST(e.code > 0 && e.text[0]);
    else
        check_program(&p);
    seccomp_program_clear(&p);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct profile_target t = {.arch = data[0] & 1 ? SECCOMP_ARCH_AARCH64 : SECCOMP_ARCH_X86_64,
                                     .caps = data[0] & 2 ? CAP_MASK_ALL : CAP_BIT(data[0] >> 2 & 31),
                                     .kernel_version = 6001};
    struct seccomp_program p = {0};
    struct below_excess x = {0};
    struct err e = {0};
    if (data[0] & 128)
        return run_runtime((const char *)data + 1, size - 1, t);
    if (below_compile_profile((const char *)data + 1, size - 1, &t, &p, &x, &e) < 0) {
        MUST(e.code > 0 && e.text[0]);
        return 0;
    }
    MUST((x.count == 0) == (p.len > 0));
    for (unsigned i = 0; i < x.count && i < BELOW_SHOWN; i++)
        MUST(x.shown[i].name[0] && memchr(x.shown[i].name, '\0', sizeof(x.shown[i].name)) &&
             (x.shown[i].cap == BELOW_CAP_NONE || cap_name((unsigned)x.shown[i].cap)));
    if (p.len > 0)
        check_program(&p);
    seccomp_program_clear(&p);
    return 0;
}
