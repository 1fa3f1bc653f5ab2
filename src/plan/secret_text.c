/* SPDX-License-Identifier: Apache-2.0 */
/* Guessing secrets (secret_text.h). Texts may come from anybody; nothing is allocated but the results. */
#include "plan/secret_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"

#define NAME_MAX_LENGTH 128
#define TEXT_MAX (1U << 20)
#define BLANKS " \t\r\n"

/* Words of a name, which is cut at '_', '-' and '.'. Two words in a row are joined by '_'. */
static const char *const telling[] = {
    "PASSWORD",    "PASSWD",   "PASSPHRASE",     "PASS",        "PWD",        "SECRET",     "SECRETS",
    "TOKEN",       "APIKEY",   "CREDENTIAL",     "CREDENTIALS", "API_KEY",    "ACCESS_KEY", "SECRET_KEY",
    "PRIVATE_KEY", "AUTH_KEY", "ENCRYPTION_KEY", "SIGNING_KEY", "MASTER_KEY", NULL};
/* What such a name means when it ends so is where the secret is, or something about it. */
static const char *const harmless_ends[] = {"FILE", "FILES",     "PATH", "DIR",    "URL", "URI",    "NAME",
                                            "ID",   "USER",      "TTL",  "EXPIRY", "AGE", "LENGTH", "SIZE",
                                            "TYPE", "ALGORITHM", "HOST", "PORT",   "MIN", "MAX",    NULL};
static const char *const harmless_values[] = {"",    "yes",  "no",   "true",     "false",    "on",
                                              "off", "none", "null", "required", "optional", NULL};
/* What tokens of services begin with, and how long they are at least. */
static const struct {
    const char *prefix;
    size_t least;
} forms[] = {{"AKIA", 20},  {"ASIA", 20},        {"ghp_", 40},     {"gho_", 40},
             {"ghs_", 40},  {"github_pat_", 40}, {"glpat-", 26},   {"xoxb-", 24},
             {"xoxp-", 24}, {"xoxa-", 24},       {"sk_live_", 24}, {"rk_live_", 24},
             {"npm_", 40},  {"hvs.", 24},        {"AIza", 39},     {"dckr_pat_", 30}};

static bool is_one_of(const char *const *list, const char *word, size_t length)
{
    for (; *list; list++)
        if (strlen(*list) == length && strncasecmp(*list, word, length) == 0)
            return true;
    return false;
}

/* In capitals, with '_' wherever the words are divided; false when it is too long to be one. */
static bool plain_name(const char *name, size_t length, char ret[NAME_MAX_LENGTH + 1])
{
    if (length == 0 || length > NAME_MAX_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        if (!isalnum(c) && !strchr("_-.", c))
            return false;
        ret[i] = (char)(isalnum(c) ? toupper(c) : '_');
    }
    ret[length] = '\0';
    return true;
}

static bool telling_name(const char *name, size_t length)
{
    char plain[NAME_MAX_LENGTH + 1];
    if (!plain_name(name, length, plain))
        return false;
    const char *last = strrchr(plain, '_');
    last = last ? last + 1 : plain;
    if (is_one_of(harmless_ends, last, strlen(last)))
        return false;
    for (const char *word = plain; *word;) {
        size_t n = strcspn(word, "_");
        size_t two = word[n] ? n + 1 + strcspn(word + n + 1, "_") : n;
        if (is_one_of(telling, word, n) || is_one_of(telling, word, two))
            return true;
        word += n + (word[n] == '_');
    }
    return false;
}

static bool harmless_value(const char *value, size_t length)
{
    size_t digits = 0;
    while (digits < length && isdigit((unsigned char)value[digits]))
        digits++;
    /* short numbers are settings; a path is where something is */
    return (digits == length && length < 4) || value[0] == '/' || is_one_of(harmless_values, value, length);
}

/* scheme://user:password@host */
static bool url_with_password(const char *value, size_t length)
{
    const char *at = memmem(value, length, "://", 3);
    if (!at)
        return false;
    at += 3;
    size_t rest = length - (size_t)(at - value);
    size_t authority = 0;
    while (authority < rest && !strchr("/?#" BLANKS, at[authority]))
        authority++;
    const char *host = memrchr(at, '@', authority);
    const char *colon = host ? memchr(at, ':', (size_t)(host - at)) : NULL;
    return colon && colon + 1 < host;
}

/* Three parts of base64url, the first of which is an object. */
static bool signed_token(const char *value, size_t length)
{
    size_t dots = 0;
    if (length < 40 || strncmp(value, "eyJ", 3) != 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)value[i]) && !strchr("_-.", value[i]))
            return false;
        dots += value[i] == '.';
    }
    return dots == 2;
}

static bool secret_form(const char *value, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        if (length >= forms[i].least && strncmp(value, forms[i].prefix, strlen(forms[i].prefix)) == 0)
            return true;
    return memmem(value, length, "PRIVATE KEY-----", 16) || signed_token(value, length) ||
           url_with_password(value, length);
}

bool secret_value(const char *value)
{
    return secret_form(value, strlen(value));
}

static bool named_value(const char *name, size_t name_length, const char *value, size_t length)
{
    return secret_form(value, length) || (telling_name(name, name_length) && !harmless_value(value, length));
}

bool secret_entry(const char *entry)
{
    const char *equals = strchr(entry, '=');
    return equals && named_value(entry, (size_t)(equals - entry), equals + 1, strlen(equals + 1));
}

/* One word of a text: how much of it is shown; the rest of it is a secret. `flag`: the word before was a telling flag. */
static size_t shown_part(const char *word, size_t length, bool flag)
{
    size_t dashes = 0;
    const char *equals = memchr(word, '=', length);
    while (dashes < length && (word[dashes] == '-' || word[dashes] == '"' || word[dashes] == '\''))
        dashes++;
    if (equals && (size_t)(equals - word) >= dashes) {
        size_t value = length - (size_t)(equals + 1 - word);
        if (named_value(word + dashes, (size_t)(equals - word) - dashes, equals + 1, value))
            return secret_form(word, (size_t)(equals - word)) ? 0 : (size_t)(equals + 1 - word);
    }
    return secret_form(word, length) || (flag && word[0] != '-' && !harmless_value(word, length)) ? 0
                                                                                                  : length;
}

static bool telling_flag(const char *word, size_t length)
{
    size_t dashes = strspn(word, "-");
    return dashes >= 1 && dashes <= 2 && dashes < length && telling_name(word + dashes, length - dashes);
}

int secret_hide(const char *text, char **ret_text, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    bool flag = false;
    int r = buf_add(&b, "", 0, TEXT_MAX, e);
    for (const char *at = text; *at && r == 0;) {
        size_t blanks = strspn(at, BLANKS);
        size_t length = strcspn(at + blanks, BLANKS);
        const char *word = at + blanks;
        size_t shown = length ? shown_part(word, length, flag) : 0;
        r = buf_add(&b, at, blanks + shown, TEXT_MAX, e);
        if (r == 0 && shown < length)
            r = buf_add(&b, SECRET_HIDDEN, sizeof(SECRET_HIDDEN) - 1, TEXT_MAX, e);
        flag = telling_flag(word, length);
        at = word + length;
    }
    return r < 0 ? r : str_copy(b.data ? b.data : "", ret_text, e);
}

int secret_hide_words(const struct str_list *words, struct str_list *ret, struct err *e)
{
    bool flag = false;
    int r = 0;
    for (size_t i = 0; i < words->count && r == 0; i++) {
        const char *word = words->items[i];
        char *hidden = NULL;
        if (flag && shown_part(word, strlen(word), true) == 0)
            r = str_list_add(ret, SECRET_HIDDEN, e);
        else if ((r = secret_hide(word, &hidden, e)) == 0)
            r = str_list_take(ret, hidden, e);
        flag = telling_flag(word, strlen(word));
    }
    return r;
}

int secret_hide_entries(const struct str_list *entries, bool all, struct str_list *ret, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < entries->count && r == 0; i++) {
        const char *entry = entries->items[i];
        const char *equals = strchr(entry, '=');
        if (equals && (all || secret_entry(entry)))
            r = str_list_addf(ret, e, "%.*s" SECRET_HIDDEN, (int)(equals + 1 - entry), entry);
        else
            r = str_list_add(ret, entry, e);
    }
    return r;
}
