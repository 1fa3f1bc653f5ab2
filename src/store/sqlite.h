/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite, loaded when an index is opened: most commands, and the OCI runtime, open none, and loading it with each of them would be a quarter
 * of the time that the program takes to come up.
 */
#pragma once

#include <sqlite3.h>

#include "base/err.h"

/* Functions of the library by their own names (sqlite3.h). */
struct sqlite {
    __typeof__(&sqlite3_bind_int64) bind_int64;
    __typeof__(&sqlite3_bind_text) bind_text;
    __typeof__(&sqlite3_busy_timeout) busy_timeout;
    __typeof__(&sqlite3_close) close;
    __typeof__(&sqlite3_column_int64) column_int64;
    __typeof__(&sqlite3_column_text) column_text;
    __typeof__(&sqlite3_db_config) db_config;
    __typeof__(&sqlite3_errcode) errcode;
    __typeof__(&sqlite3_errmsg) errmsg;
    __typeof__(&sqlite3_exec) exec;
    __typeof__(&sqlite3_extended_result_codes) extended_result_codes;
    __typeof__(&sqlite3_file_control) file_control;
    __typeof__(&sqlite3_finalize) finalize;
    __typeof__(&sqlite3_open_v2) open_v2;
    __typeof__(&sqlite3_prepare_v2) prepare_v2;
    __typeof__(&sqlite3_step) step;
    __typeof__(&sqlite3_system_errno) system_errno;
    __typeof__(&sqlite3_wal_checkpoint_v2) wal_checkpoint_v2;
};

/* Set by sqlite_load. */
extern struct sqlite sqlite;

/* -ELIBACC when the library is not there, or lacks something; done once. */
int sqlite_load(struct err *e);
