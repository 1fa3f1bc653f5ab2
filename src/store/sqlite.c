/* SPDX-License-Identifier: Apache-2.0 */
/* Loading SQLite (sqlite.h), where the linker would have found it. It stays until the process ends. */
#include "store/sqlite.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

#define LIBRARY "libsqlite3.so.0"

struct sqlite sqlite;

struct symbol {
    const char *name;
    size_t offset;
};

#define SYMBOL(name)                                    \
    {                                                   \
        "sqlite3_" #name, offsetof(struct sqlite, name) \
    }

static const struct symbol symbols[] = {
    SYMBOL(bind_int64),
    SYMBOL(bind_text),
    SYMBOL(busy_timeout),
    SYMBOL(close),
    SYMBOL(column_int64),
    SYMBOL(column_text),
    SYMBOL(db_config),
    SYMBOL(errcode),
    SYMBOL(errmsg),
    SYMBOL(exec),
    SYMBOL(extended_result_codes),
    SYMBOL(file_control),
    SYMBOL(finalize),
    SYMBOL(open_v2),
    SYMBOL(prepare_v2),
    SYMBOL(step),
    SYMBOL(system_errno),
    SYMBOL(wal_checkpoint_v2),
};
_Static_assert(sizeof(symbols) / sizeof(*symbols) == sizeof(struct sqlite) / sizeof(void *), "one for each");

int sqlite_load(struct err *e)
{
    static bool loaded;
    struct sqlite found = {0};
    if (loaded)
        return 0;
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return err_set(e, ELIBACC, "the image index needs SQLite (package libsqlite3-0): %s", dlerror());
    for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
        void *symbol = dlsym(library, symbols[i].name);
        if (!symbol)
            return err_set(e, ELIBACC, "the image index needs a newer SQLite: %s", dlerror());
        memcpy((char *)&found + symbols[i].offset, &symbol, sizeof(symbol));
    }
    sqlite = found;
    loaded = true;
    return 0;
}
