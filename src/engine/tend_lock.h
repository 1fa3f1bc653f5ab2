/* SPDX-License-Identifier: Apache-2.0 */
/* The lock of the one tender: run/tend (tend.h). */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "store/root.h"

enum tend_lock_state {
    TEND_LOCK_FREE,
    TEND_LOCK_OURS,  /* a tender of this version that ends by itself */
    TEND_LOCK_KEPT,  /* one of this version that stays (--keep) */
    TEND_LOCK_OTHER, /* one of another version, or one that cannot be read */
};

/* Takes the lock and writes who holds it: a descriptor; -EWOULDBLOCK while another holds it. */
int tend_lock_take(const struct store *s, bool keep, struct err *e);

/* Who holds it now. */
enum tend_lock_state tend_lock_look(const struct store *s);

/* Asks the holder to end. */
void tend_lock_ask_to_end(const struct store *s);
