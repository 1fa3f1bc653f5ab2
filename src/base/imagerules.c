/* SPDX-License-Identifier: Apache-2.0 */
/* What an image configuration may say (imagerules.h). No allocation, no state; used on both sides of the trust boundary. */
#include "base/imagerules.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"

#define PORT_MAX 65535

static bool has_control(const char *s)
{
    for (const unsigned char *p = (const unsigned char *)s; *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            return true;
    return false;
}

static bool name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

/* One side of USER:GROUP. What begins like a number must be one: "0x0", "+0", " 0" and "00" never reach a lookup. */
static int check_account(const char *s, size_t length, struct err *e)
{
    char word[IMAGE_RULE_USER_MAX + 1];
    uint64_t id = 0;
    if (length == 0)
        return err_set(e, EINVAL, "user or group is empty");
    (void)snprintf(word, sizeof(word), "%.*s", (int)length, s);
    if (word[0] >= '0' && word[0] <= '9') {
        int r = num_parse_u64(word, IMAGE_RULE_ID_MAX, &id, e);
        return r < 0 ? err_set(e, EINVAL, "'%s' is neither a user name nor an id of 0 to %u", word,
                               IMAGE_RULE_ID_MAX)
                     : 0;
    }
    if (word[0] == '-' || word[0] == '.')
        return err_set(e, EINVAL, "'%s' is neither a user name nor an id of 0 to %u", word,
                       IMAGE_RULE_ID_MAX);
    for (size_t i = 0; word[i]; i++)
        if (!name_character(word[i]))
            return err_set(e, EINVAL, "'%s' is not a user name", word);
    return 0;
}

int image_rule_user(const char *user, struct err *e)
{
    size_t n = strlen(user);
    if (n == 0)
        return 0;
    if (n > IMAGE_RULE_USER_MAX)
        return err_set(e, ENAMETOOLONG, "user '%.40s…' is longer than %d characters", user,
                       IMAGE_RULE_USER_MAX);
    size_t first = strcspn(user, ":");
    int r = check_account(user, first, e);
    if (r == 0 && user[first] == ':')
        r = check_account(user + first + 1, n - first - 1, e);
    return r < 0 ? err_wrap(e, "user '%s'", user) : 0;
}

int image_rule_env(const char *entry, struct err *e)
{
    static const char *const plain[] = {"HOME", "PATH",     "USER", "LOGNAME", "SHELL",
                                        "TERM", "HOSTNAME", "PWD",  "LANG"};
    const char *equals = strchr(entry, '=');
    if (!equals || equals == entry)
        return err_set(e, EINVAL, "environment entry '%.100s' is not NAME=VALUE", entry);
    size_t name = (size_t)(equals - entry);
    if (strlen(entry) > IMAGE_RULE_TEXT_MAX)
        return err_set(e, E2BIG, "environment entry '%.100s…' is longer than %d bytes", entry,
                       IMAGE_RULE_TEXT_MAX);
    for (size_t i = 0; i < name; i++)
        if (iscntrl((unsigned char)entry[i]))
            return err_set(e, EINVAL, "environment entry '%.100s' has a control character in its name",
                           entry);
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        if (strlen(plain[i]) == name && memcmp(plain[i], entry, name) == 0 && has_control(equals + 1))
            return err_set(e, EINVAL, "environment variable %s has a control character in its value",
                           plain[i]);
    return 0;
}

int image_rule_argument(const char *word, struct err *e)
{
    if (strlen(word) > IMAGE_RULE_TEXT_MAX)
        return err_set(e, E2BIG, "argument '%.100s…' is longer than %d bytes", word, IMAGE_RULE_TEXT_MAX);
    return 0;
}

int image_rule_path(const char *path, char *ret_clean, struct err *e)
{
    int r = path_check_absolute(path, e);
    if (r < 0)
        return r;
    char clean[PATH_LENGTH_MAX + 1];
    size_t used = 0;
    for (const char *at = path; *at;) {
        at += strspn(at, "/");
        size_t n = strcspn(at, "/");
        if (n == 2 && at[0] == '.' && at[1] == '.')
            return err_set(e, EINVAL, "path '%.200s' has '..' in it", path);
        if (n > 0 && !(n == 1 && at[0] == '.')) {
            clean[used++] = '/';
            memcpy(clean + used, at, n);
            used += n;
        }
        at += n;
    }
    if (used == 0)
        clean[used++] = '/';
    clean[used] = '\0';
    memcpy(ret_clean, clean, used + 1);
    return 0;
}

/* True for `dir` itself and what lies below it, both clean. */
static bool is_below(const char *path, const char *dir)
{
    const char *rest = str_after(path, dir);
    return rest && (*rest == '\0' || *rest == '/');
}

int image_rule_working_dir(const char *path, char *ret_clean, struct err *e)
{
    if (!*path) {
        ret_clean[0] = '\0';
        return 0;
    }
    int r = image_rule_path(path, ret_clean, e);
    if (r < 0)
        return err_wrap(e, "working directory");
    if (is_below(ret_clean, "/proc"))
        return err_set(e, EINVAL, "working directory '%.200s' is inside /proc", path);
    return 0;
}

int image_rule_volume(const char *path, char *ret_clean, struct err *e)
{
    static const char *const reserved[] = {"/proc", "/sys", "/dev"};
    int r = image_rule_path(path, ret_clean, e);
    if (r < 0)
        return err_wrap(e, "volume");
    if (str_equal(ret_clean, "/"))
        return err_set(e, EINVAL, "volume '%.200s' would cover the whole root file system", path);
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
        if (is_below(ret_clean, reserved[i]))
            return err_refuse(e, 5, "volume '%.200s' is refused: it would cover %s; mount it elsewhere", path,
                              reserved[i]);
    return 0;
}

int image_rule_port(const char *port, char *ret_clean, struct err *e)
{
    static const char *const protocols[] = {"tcp", "udp", "sctp"};
    char number[8];
    uint64_t value = 0;
    size_t n = strcspn(port, "/");
    const char *protocol = port[n] == '/' ? port + n + 1 : "tcp";
    struct err ignored = {0};
    (void)snprintf(number, sizeof(number), "%.*s", (int)(n < sizeof(number) ? n : sizeof(number)), port);
    if (n < sizeof(number) && num_parse_u64(number, PORT_MAX, &value, &ignored) == 0 && value > 0)
        for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
            if (str_equal(protocol, protocols[i])) {
                (void)snprintf(ret_clean, IMAGE_RULE_PORT_TEXT, "%s/%s", number, protocol);
                return 0;
            }
    return err_set(e, EINVAL, "port '%.100s' is not 1 to %d, with /tcp, /udp or /sctp", port, PORT_MAX);
}

/* "RTMIN+3", "RTMAX-1" in the numbers of the kernel's user interface; 0 when it is neither. */
static int realtime_signal(const char *name)
{
    const char *plus = str_after(name, "RTMIN");
    const char *minus = str_after(name, "RTMAX");
    const char *rest = plus ? plus : minus;
    uint64_t offset = 0;
    struct err ignored = {0};
    int range = SIGRTMAX - SIGRTMIN;
    if (!rest)
        return 0;
    if (*rest &&
        (*rest != (plus ? '+' : '-') || num_parse_u64(rest + 1, (uint64_t)range, &offset, &ignored) < 0))
        return 0;
    return plus ? SIGRTMIN + (int)offset : SIGRTMAX - (int)offset;
}

int image_rule_signal_number(const char *name)
{
    uint64_t value = 0;
    struct err ignored = {0};
    if (num_parse_u64(name, IMAGE_RULE_SIGNAL_MAX, &value, &ignored) == 0)
        return (int)value;
    if (strncasecmp(name, "SIG", 3) == 0)
        name += 3;
    for (int i = 1; i < 32; i++)
        if (sigabbrev_np(i) && strcasecmp(name, sigabbrev_np(i)) == 0)
            return i;
    char upper[IMAGE_RULE_SIGNAL_TEXT];
    size_t n = strlen(name);
    if (n >= sizeof(upper))
        return 0;
    for (size_t i = 0; i <= n; i++)
        upper[i] = (char)toupper((unsigned char)name[i]);
    return realtime_signal(upper);
}

int image_rule_signal(const char *signal, char *ret_clean, struct err *e)
{
    int number = image_rule_signal_number(signal);
    if (number <= 0)
        return err_set(e, EINVAL, "Invalid signal: %.60s", signal);
    if (number < 32 && sigabbrev_np(number))
        (void)snprintf(ret_clean, IMAGE_RULE_SIGNAL_TEXT, "SIG%s", sigabbrev_np(number));
    else if (number >= SIGRTMIN)
        (void)snprintf(ret_clean, IMAGE_RULE_SIGNAL_TEXT, "SIGRTMIN+%u",
                       (unsigned)(number - SIGRTMIN) % 100U);
    else
        return err_set(e, EINVAL, "Invalid signal: %.60s (the C library uses it itself)", signal);
    return 0;
}

int image_rule_label(const char *key, const char *value, struct err *e)
{
    if (!*key || strlen(key) > IMAGE_RULE_LABEL_KEY_MAX || strchr(key, '=') || has_control(key))
        return err_set(e, EINVAL, "label '%.100s' is empty, too long, or has '=' or a control character",
                       key);
    if (strlen(value) > IMAGE_RULE_LABEL_VALUE_MAX)
        return err_set(e, E2BIG, "label '%.100s' is longer than %d bytes", key, IMAGE_RULE_LABEL_VALUE_MAX);
    return 0;
}
