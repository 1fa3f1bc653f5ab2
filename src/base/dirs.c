/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are (dirs.h). secure_getenv: ignored when the program was started with raised privileges. */
#include "base/dirs.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/identity.h"
#include "config.h"

static const char *from_environment(const char *name, const char *fallback)
{
    const char *value = secure_getenv(name);
    return value && *value ? value : fallback;
}

/* Of an ordinary user, by the XDG base directory specification: $VARIABLE/casemate, else ~/FALLBACK/casemate. */
static const char *of_user(const char *variable, const char *fallback, const char *tail, char ret[PATH_MAX])
{
    const char *base = secure_getenv(variable);
    const char *home = secure_getenv("HOME");
    int n = base && *base == '/'
                ? snprintf(ret, PATH_MAX, "%s/casemate%s", base, tail)
                : snprintf(ret, PATH_MAX, "%s/%s/casemate%s", home ? home : "", fallback, tail);
    return n > 0 && n < PATH_MAX ? ret : "/";
}

const char *dirs_data_root(void)
{
    static char user[PATH_MAX];
    if (!identity_rootless())
        return from_environment("CASEMATE_ROOT", "/var/lib/casemate");
    return from_environment("CASEMATE_ROOT", of_user("XDG_DATA_HOME", ".local/share", "", user));
}

const char *dirs_run(void)
{
    static char user[PATH_MAX];
    if (!identity_rootless())
        return from_environment("CASEMATE_RUN", "/run/casemate");
    return from_environment("CASEMATE_RUN", of_user("XDG_DATA_HOME", ".local/share", "/run", user));
}

const char *dirs_user_conf(void)
{
    static char user[PATH_MAX];
    return identity_rootless() ? of_user("XDG_CONFIG_HOME", ".config", "/casemate.conf", user) : NULL;
}

const char *dirs_own_conf(void)
{
    const char *moved = secure_getenv("CASEMATE_CONF");
    return dirs_user_conf() && !(moved && *moved) ? dirs_user_conf() : dirs_conf();
}

const char *dirs_conf(void)
{
    return from_environment("CASEMATE_CONF", CASEMATE_SYSCONFDIR "/casemate.conf");
}

const char *dirs_libexec(void)
{
    return from_environment("CASEMATE_LIBEXEC", CASEMATE_LIBEXECDIR);
}

const char *dirs_data(void)
{
    return from_environment("CASEMATE_DATADIR", CASEMATE_DATADIR);
}
