/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are (dirs.h). secure_getenv: ignored when the program was started with raised privileges. */
#include "base/dirs.h"

#include <stdlib.h>

#include "config.h"

static const char *from_environment(const char *name, const char *fallback)
{
    const char *value = secure_getenv(name);
    return value && *value ? value : fallback;
}

const char *dirs_data_root(void)
{
    return from_environment("CASEMATE_ROOT", "/var/lib/casemate");
}

const char *dirs_run(void)
{
    return from_environment("CASEMATE_RUN", "/run/casemate");
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
