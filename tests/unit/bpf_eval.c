/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small interpreter of classic BPF as seccomp allows it (bpf_eval.h).
 */
#include "bpf_eval.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
    uint32_t word = 0;
    assert_true(offset % sizeof(word) == 0 && offset < sizeof(*data));
    memcpy(&word, (const char *)data + offset, sizeof(word));
    return word;
}

static int jump_taken(uint16_t code, uint32_t a, uint32_t k)
{
    switch (code) {
    case BPF_JMP | BPF_JEQ | BPF_K:
        return a == k;
    case BPF_JMP | BPF_JGT | BPF_K:
        return a > k;
    case BPF_JMP | BPF_JGE | BPF_K:
        return a >= k;
    case BPF_JMP | BPF_JSET | BPF_K:
        return (a & k) != 0;
    default:
        fail_msg("instruction 0x%x is not allowed here", code);
        return 0;
    }
}

uint32_t bpf_eval(const struct sock_filter *code, size_t len, const struct seccomp_data *data)
{
    uint32_t a = 0, x = 0, memory[BPF_MEMWORDS] = {0};
    for (size_t pc = 0; pc < len; pc++) {
        const struct sock_filter *i = &code[pc];
        if (i->code == (BPF_RET | BPF_K))
            return i->k;
        if (i->code == (BPF_LD | BPF_W | BPF_ABS))
            a = load(data, i->k);
        else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
            a &= i->k;
        else if (i->code == BPF_ST)
            memory[i->k % BPF_MEMWORDS] = a;
        else if (i->code == (BPF_LD | BPF_MEM))
            a = memory[i->k % BPF_MEMWORDS];
        else if (i->code == (BPF_MISC | BPF_TAX))
            x = a;
        else if (i->code == (BPF_MISC | BPF_TXA))
            a = x;
        else if (i->code == (BPF_JMP | BPF_JA))
            pc += i->k;
        else
            pc += jump_taken(i->code, a, i->k) ? i->jt : i->jf;
    }
    fail_msg("the program runs off its end");
    return 0;
}
