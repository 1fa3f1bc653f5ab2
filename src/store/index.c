/* SPDX-License-Identifier: Apache-2.0 */
/* index.db (index.h). Trusted; every value goes in as a bound parameter. */
#include "store/index.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/dirs.h"
#include "store/sqlite.h"

#define BUSY_TIMEOUT_MS 10000
#define WAL_RETRIES 500
#define WAL_RETRY_US 10000
#define ROOM_LEAST (UINT64_C(1) << 20)

struct index {
    sqlite3 *db;
    int root;   /* the data root; borrowed */
    bool wrote; /* the last closer of a reader does not check-point: that costs as much as a write */
};

static const char schema[] = "CREATE TABLE images(id TEXT PRIMARY KEY, created INTEGER NOT NULL, pulled "
                             "INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
                             "CREATE TABLE names(name TEXT PRIMARY KEY, image TEXT NOT NULL, updated INTEGER "
                             "NOT NULL, origin INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
                             "CREATE INDEX names_image ON names(image);"
                             "CREATE TABLE image_layers(image TEXT NOT NULL, position INTEGER NOT NULL, "
                             "layer TEXT NOT NULL, size INTEGER NOT NULL,"
                             " PRIMARY KEY(image, position)) STRICT, WITHOUT ROWID;"
                             "CREATE INDEX image_layers_layer ON image_layers(layer);"
                             "PRAGMA user_version = 2;";
_Static_assert(INDEX_SCHEMA == 2, "the schema above sets user_version");

/* A name whose image has the digest of a pull in the same repository came from there; of the others nothing is known. */
static const char from_schema_1[] =
    "ALTER TABLE names ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;"
    "UPDATE names SET origin = 1 WHERE EXISTS (SELECT 1 FROM names AS d WHERE d.image = names.image AND "
    "instr(d.name, '@') > 0 AND (d.name = names.name OR instr(names.name, substr(d.name, 1, instr(d.name, "
    "'@') - 1) || ':') = 1));"
    "PRAGMA user_version = 2;";

/* "disk I/O error" has a reason that the system has given. */
static int failed(struct index *x, struct err *e)
{
    int code = sqlite.errcode(x->db);
    int reason = code == SQLITE_IOERR ? sqlite.system_errno(x->db) : 0;
    int number = code == SQLITE_FULL    ? ENOSPC
                 : code == SQLITE_BUSY  ? EBUSY
                 : code == SQLITE_NOMEM ? ENOMEM
                 : reason > 0           ? reason
                                        : EIO;
    return err_set(e, number, "image index: %s", reason > 0 ? strerror(reason) : sqlite.errmsg(x->db));
}

static int run(struct index *x, const char *sql, struct err *e)
{
    return sqlite.exec(x->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(x, e);
}

static void finalize(sqlite3_stmt **s)
{
    (void)sqlite.finalize(*s);
}
#define _cleanup_statement_ _cleanup_(finalize)

/* A statement with its parameters: 't' const char *, 'i' int64_t. */
static int prepare(struct index *x, sqlite3_stmt **ret_statement, struct err *e, const char *sql,
                   const char *types, ...)
{
    sqlite3_stmt *s = NULL;
    va_list ap;
    if (sqlite.prepare_v2(x->db, sql, -1, &s, NULL) != SQLITE_OK)
        return failed(x, e);
    int r = SQLITE_OK;
    va_start(ap, types);
    for (int n = 1; types[n - 1] && r == SQLITE_OK; n++) {
        if (types[n - 1] == 't')
            r = sqlite.bind_text(s, n, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
        else
            r = sqlite.bind_int64(s, n, va_arg(ap, int64_t));
    }
    va_end(ap);
    if (r != SQLITE_OK) {
        (void)sqlite.finalize(s);
        return failed(x, e);
    }
    *ret_statement = s;
    return 0;
}

/* 1: a row, 0: no more. */
static int step(struct index *x, sqlite3_stmt *s, struct err *e)
{
    int r = sqlite.step(s);
    if (r == SQLITE_ROW)
        return 1;
    return r == SQLITE_DONE ? 0 : failed(x, e);
}

static int get_id(sqlite3_stmt *s, char *ret_id, struct err *e)
{
    const char *text = (const char *)sqlite.column_text(s, 0);
    if (!text || strlen(text) != DIGEST_HEX_LENGTH || strspn(text, "0123456789abcdef") != DIGEST_HEX_LENGTH)
        return err_set(e, EIO, "image index: an id is damaged");
    memcpy(ret_id, text, DIGEST_HEX_LENGTH + 1);
    return 1;
}

static int schema_version(struct index *x, int64_t *ret_version, struct err *e)
{
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    int r = prepare(x, &s, e, "PRAGMA user_version", "");
    if (r == 0)
        r = step(x, s, e);
    if (r > 0)
        *ret_version = sqlite.column_int64(s, 0);
    return r < 0 ? r : 0;
}

/* The change to WAL does not wait by itself when another process does the same. */
static int enter_wal(struct index *x, struct err *e)
{
    for (int i = 0; i < WAL_RETRIES; i++) {
        int r = sqlite.exec(x->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if (r == SQLITE_OK)
            return 0;
        if (r != SQLITE_BUSY && r != SQLITE_LOCKED)
            break;
        (void)usleep(WAL_RETRY_US);
    }
    return failed(x, e);
}

static int make_schema(struct index *x, struct err *e)
{
    int64_t version = 0;
    int r = enter_wal(x, e);
    if (r == 0)
        r = index_begin(x, e);
    if (r == 0)
        r = schema_version(x, &version, e);
    if (r == 0 && version < INDEX_SCHEMA)
        r = run(x, version == 0 ? schema : from_schema_1, e);
    return r < 0 ? r : index_commit(x, e);
}

static int check_schema(struct index *x, struct err *e)
{
    int64_t version = 0;
    int r = schema_version(x, &version, e);
    if (r == 0 && version >= 0 && version < INDEX_SCHEMA) {
        r = make_schema(x, e);
        if (r == 0)
            r = schema_version(x, &version, e);
    }
    if (r == 0 && version != INDEX_SCHEMA)
        r = err_set(e, EPROTO,
                    "image index: it has schema %lld, this Casemate knows %d: use the version that wrote it, "
                    "or a newer one",
                    (long long)version, INDEX_SCHEMA);
    return r;
}

int index_open(const struct store *s, struct index **ret_index, struct err *e)
{
    char path[64];
    _cleanup_index_ struct index *x = calloc(1, sizeof(*x));
    int r = x ? sqlite_load(e) : err_oom(e);
    if (r < 0)
        return r;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/index.db", s->root);
    if (sqlite.open_v2(path, &x->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                       NULL) != SQLITE_OK) {
        r = x->db ? failed(x, e) : err_oom(e);
        (void)err_wrap(e, "open %s/index.db", dirs_data_root());
        return r;
    }
    (void)sqlite.busy_timeout(x->db, BUSY_TIMEOUT_MS);
    (void)sqlite.extended_result_codes(x->db, 0);
    /* Its two files stay: on a full disk there would be no room to make them anew, and nothing could be read or removed. */
    int persist = 1;
    (void)sqlite.file_control(x->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    x->root = s->root;
    r = run(x, "PRAGMA synchronous = NORMAL", e);
    if (r == 0)
        r = check_schema(x, e);
    if (r < 0)
        return r;
    *ret_index = steal_ptr(x);
    return 0;
}

void index_close(struct index *x)
{
    if (!x)
        return;
    if (x->db && !x->wrote)
        (void)sqlite.db_config(x->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (x->db)
        (void)sqlite.close(x->db);
    free(x);
}

/* On a disk that is nearly full the log is begun anew, in the room that it has: what makes room must not need some. */
static void reuse_wal(struct index *x)
{
    struct statvfs fs;
    if (fstatvfs(x->root, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_bsize < ROOM_LEAST)
        (void)sqlite.wal_checkpoint_v2(x->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
}

int index_begin(struct index *x, struct err *e)
{
    x->wrote = true;
    reuse_wal(x);
    return run(x, "BEGIN IMMEDIATE", e);
}

int index_commit(struct index *x, struct err *e)
{
    return run(x, "COMMIT", e);
}

int index_find_name(struct index *x, const char *name, char *ret_id, struct err *e)
{
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    int r = prepare(x, &s, e, "SELECT image FROM names WHERE name = ?", "t", name);
    if (r == 0)
        r = step(x, s, e);
    return r > 0 ? get_id(s, ret_id, e) : r;
}

int index_find_image(struct index *x, const char *id, struct index_image *ret_image, struct err *e)
{
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    int r = prepare(x, &s, e, "SELECT id, created, pulled FROM images WHERE id = ?", "t", id);
    if (r == 0)
        r = step(x, s, e);
    if (r > 0)
        r = get_id(s, ret_image->id, e);
    if (r > 0) {
        ret_image->created = sqlite.column_int64(s, 1);
        ret_image->pulled = sqlite.column_int64(s, 2);
    }
    return r;
}

int index_find_prefix(struct index *x, const char *prefix, char *ret_id, struct err *e)
{
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    char found[DIGEST_HEX_LENGTH + 1];
    int r = prepare(x, &s, e, "SELECT id FROM images WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id LIMIT 2",
                    "t", prefix);
    if (r == 0)
        r = step(x, s, e);
    if (r > 0)
        r = get_id(s, found, e);
    if (r <= 0)
        return r;
    r = step(x, s, e);
    if (r < 0)
        return r;
    memcpy(ret_id, found, sizeof(found));
    return r > 0 ? 2 : 1;
}

static int list_texts(struct index *x, const char *sql, const char *parameter, struct str_list *list,
                      struct err *e)
{
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    int r = prepare(x, &s, e, sql, parameter ? "t" : "", parameter);
    while (r == 0 && (r = step(x, s, e)) > 0) {
        const char *text = (const char *)sqlite.column_text(s, 0);
        r = text ? str_list_add(list, text, e) : err_set(e, EIO, "image index: a row is damaged");
    }
    return r;
}

int index_list_names(struct index *x, const char *id, struct str_list *names, struct err *e)
{
    return list_texts(x, "SELECT name FROM names WHERE image = ? ORDER BY name", id, names, e);
}

int index_list_vouched(struct index *x, const char *id, struct str_list *names, struct err *e)
{
    return list_texts(x, "SELECT name FROM names WHERE image = ? AND origin != 0 ORDER BY name", id, names,
                      e);
}

int index_list_images(struct index *x, struct str_list *ids, struct err *e)
{
    return list_texts(x, "SELECT id FROM images ORDER BY created DESC, id", NULL, ids, e);
}

int index_list_layers(struct index *x, const char *id, struct str_list *layers, struct err *e)
{
    return list_texts(x, "SELECT layer FROM image_layers WHERE image = ? ORDER BY position", id, layers, e);
}

int index_count_layer(struct index *x, const char *layer, uint64_t *ret_count, struct err *e)
{
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    int r = prepare(x, &s, e, "SELECT count(DISTINCT image) FROM image_layers WHERE layer = ?", "t", layer);
    if (r == 0)
        r = step(x, s, e);
    if (r > 0)
        *ret_count = (uint64_t)sqlite.column_int64(s, 0);
    return r < 0 ? r : 0;
}

static int finish(struct index *x, sqlite3_stmt *s, int r, struct err *e)
{
    return r < 0 ? r : step(x, s, e);
}

static int put_layer(struct index *x, const char *id, size_t position, const struct index_layer *layer,
                     struct err *e)
{
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    int r = prepare(x, &s, e, "INSERT INTO image_layers(image, position, layer, size) VALUES(?, ?, ?, ?)",
                    "titi", id, (int64_t)position, layer->layer, (int64_t)layer->size);
    return finish(x, s, r, e);
}

static int delete_layers(struct index *x, const char *id, struct err *e)
{
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    int r = prepare(x, &s, e, "DELETE FROM image_layers WHERE image = ?", "t", id);
    return finish(x, s, r, e);
}

int index_put_image(struct index *x, const struct index_image *image, const struct index_layer *layers,
                    size_t layer_count, struct err *e)
{
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    int r = prepare(x, &s, e,
                    "INSERT INTO images(id, created, pulled) VALUES(?, ?, ?) ON CONFLICT(id) DO UPDATE SET "
                    "created = excluded.created",
                    "tii", image->id, image->created, image->pulled);
    r = finish(x, s, r, e);
    if (r == 0)
        r = delete_layers(x, image->id, e);
    for (size_t i = 0; r == 0 && i < layer_count; i++)
        r = put_layer(x, image->id, i, &layers[i], e);
    return r;
}

int index_put_name(struct index *x, const char *name, const char *id, enum index_origin origin, struct err *e)
{
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    int r = prepare(
        x, &s, e,
        "INSERT INTO names(name, image, updated, origin) VALUES(?, ?, unixepoch(), ?) "
        "ON CONFLICT(name) DO UPDATE SET image = excluded.image, updated = excluded.updated, origin = "
        "CASE WHEN excluded.origin = 0 AND image = excluded.image THEN origin ELSE excluded.origin END",
        "tti", name, id, (int64_t)origin);
    return finish(x, s, r, e);
}

int index_delete_name(struct index *x, const char *name, struct err *e)
{
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    int r = prepare(x, &s, e, "DELETE FROM names WHERE name = ?", "t", name);
    return finish(x, s, r, e);
}

int index_delete_image(struct index *x, const char *id, struct err *e)
{
    static const char *const statements[] = {"DELETE FROM names WHERE image = ?",
                                             "DELETE FROM images WHERE id = ?"};
    int r = delete_layers(x, id, e);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(statements); i++) {
        _cleanup_statement_ sqlite3_stmt *s = NULL;
        r = prepare(x, &s, e, statements[i], "t", id);
        r = finish(x, s, r, e);
    }
    return r;
}
