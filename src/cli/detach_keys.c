/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that leave a container running (detach_keys.h). */
#include "cli/detach_keys.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

#define CONTROL_MASK 0x1f

static int parse_key(const char *word, unsigned char *ret, struct err *e)
{
    const char *control = str_after(word, "ctrl-");
    if (!control && strlen(word) == 1 && (unsigned char)word[0] < 0x80) {
        *ret = (unsigned char)word[0];
        return 0;
    }
    if (control && strlen(control) == 1 &&
        ((control[0] >= 'a' && control[0] <= 'z') || strchr("@[\\]^_", control[0]))) {
        *ret = (unsigned char)(control[0] & CONTROL_MASK);
        return 0;
    }
    return err_set(e, EINVAL,
                   "--detach-keys: '%.40s' is no key; a letter or ctrl- with a letter or @[\\]^_ is", word);
}

int detach_keys_parse(const char *text, struct detach_keys *ret_keys, struct err *e)
{
    _cleanup_str_list_ struct str_list words = {0};
    struct detach_keys k = {0};
    if (text && !*text) {
        *ret_keys = k;
        return 0;
    }
    int r = str_list_split(text ? text : DETACH_KEYS_DEFAULT, ',', DETACH_KEYS_MAX, &words, e);
    if (r < 0)
        return err_set(e, EINVAL, "--detach-keys: more than %d keys", DETACH_KEYS_MAX);
    for (size_t i = 0; i < words.count; i++)
        if ((r = parse_key(words.items[i], &k.keys[k.count++], e)) < 0)
            return r;
    *ret_keys = k;
    return 0;
}

/* A byte that does not go on with the match: the longest end of what was typed that begins the keys anew stays held. */
static void fall_back(struct detach_keys *k, unsigned char byte, unsigned char *pass, size_t *at)
{
    unsigned char held[DETACH_KEYS_MAX + 1];
    size_t n = k->matched;
    memcpy(held, k->keys, n);
    held[n++] = byte;
    for (size_t skip = 1; skip <= n; skip++) {
        if (skip < n && memcmp(held + skip, k->keys, n - skip) != 0)
            continue;
        memcpy(pass + *at, held, skip);
        *at += skip;
        k->matched = n - skip;
        return;
    }
}

bool detach_keys_feed(struct detach_keys *k, const unsigned char *typed, size_t length,
                      unsigned char *ret_pass, size_t *ret_length)
{
    size_t at = 0;
    for (size_t i = 0; i < length; i++) {
        if (k->count > 0 && typed[i] == k->keys[k->matched]) {
            if (++k->matched == k->count) {
                k->matched = 0;
                *ret_length = at;
                return true;
            }
        } else {
            fall_back(k, typed[i], ret_pass, &at);
        }
    }
    *ret_length = at;
    return false;
}
