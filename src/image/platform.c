/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms (platform.h). */
#include "image/platform.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/str.h"

/* Architecture words: the machine name of uname(2) and other spellings, and what images call it. */
static const struct {
    const char *alias;
    const char *architecture;
    const char *variant;
} aliases[] = {
    {"x86_64", "amd64", ""},
    {"x86-64", "amd64", ""},
    {"aarch64", "arm64", ""},
    {"armhf", "arm", "v7"},
    {"armv7l", "arm", "v7"},
    {"armv6l", "arm", "v6"},
    {"armel", "arm", "v6"},
    {"i386", "386", ""},
    {"i686", "386", ""},
    {"ppc64el", "ppc64le", ""},
    {"loongarch64", "loong64", ""},
};

static void set(char *target, const char *word)
{
    (void)snprintf(target, PLATFORM_WORD_MAX, "%s", word);
}

static void set_architecture(struct platform *p, const char *word)
{
    set(p->architecture, word);
    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
        if (str_equal(word, aliases[i].alias)) {
            set(p->architecture, aliases[i].architecture);
            set(p->variant, aliases[i].variant);
        }
}

void platform_host(struct platform *ret_platform)
{
    struct utsname u;
    struct platform p = {0};
    set(p.os, "linux");
    if (uname(&u) == 0)
        set_architecture(&p, u.machine);
    *ret_platform = p;
}

static bool word_valid(const char *s)
{
    size_t n = strlen(s);
    return n > 0 && n < PLATFORM_WORD_MAX && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == n;
}

int platform_parse(const char *text, struct platform *ret_platform, struct err *e)
{
    struct platform p = {0};
    _cleanup_str_list_ struct str_list parts = {0};
    int r = str_list_split(text, '/', 3, &parts, e);
    if (r < 0)
        return err_set(e, EINVAL, "platform '%.80s' is not OS/ARCHITECTURE[/VARIANT]", text);
    for (size_t i = 0; i < parts.count; i++)
        if (!word_valid(parts.items[i]))
            return err_set(e, EINVAL, "platform '%.80s' is not OS/ARCHITECTURE[/VARIANT]", text);
    set(p.os, "linux");
    if (parts.count == 1 && !str_equal(parts.items[0], "linux")) {
        set_architecture(&p, parts.items[0]);
    } else if (parts.count == 1) {
        platform_host(&p);
    } else {
        set(p.os, parts.items[0]);
        set_architecture(&p, parts.items[1]);
        if (parts.count == 3)
            set(p.variant, parts.items[2]);
    }
    if (!str_equal(p.os, "linux"))
        return err_set(e, EINVAL, "platform '%s': only Linux containers can run here", text);
    *ret_platform = p;
    return 0;
}

void platform_format(const struct platform *p, char *ret_text)
{
    (void)snprintf(ret_text, PLATFORM_TEXT_MAX + 1, "%s/%s%s%s", p->os, p->architecture,
                   p->variant[0] ? "/" : "", p->variant);
}
