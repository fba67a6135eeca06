//! How connections are set up.

use super::Durability;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};
use std::time::Duration;

/// How long a write waits for another process, before it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How large the log grows before it is moved into the database, in pages of 4 KiB. Larger values
/// give a little more throughput and longer pauses.
const CHECKPOINT_PAGES: u32 = 4000;
/// How large a log is left behind after a burst, in bytes.
const LOG_LEN_MAX: u32 = 64 << 20;
/// The page caches, in KiB. The operating system caches the file as well.
const WRITER_CACHE_KIB: i32 = 4096;
const READER_CACHE_KIB: i32 = 512;
/// How many prepared statements a connection keeps: all there are.
const STATEMENTS_KEPT_MAX: usize = 64;
/// How often switching to the log is tried while others switch too.
const WAL_ATTEMPTS_MAX: u32 = 100;

/// Sets up the connection that writes.
pub(super) fn writer(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    common(connection, WRITER_CACHE_KIB)?;
    use_wal(connection)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_LEN_MAX)?;
    // What is deleted or replaced is overwritten, as far as that writes no further page.
    connection.pragma_update(None, "secure_delete", "FAST")?;
    match durability {
        Durability::Full => {
            connection.pragma_update(None, "synchronous", "FULL")?;
            // Without it, macOS leaves what was synced in the cache of the disk.
            connection.pragma_update(None, "fullfsync", true)
        }
        Durability::Normal => connection.pragma_update(None, "synchronous", "NORMAL"),
    }
}

/// Sets up a connection that reads.
pub(super) fn reader(connection: &Connection) -> rusqlite::Result<()> {
    common(connection, READER_CACHE_KIB)
}

fn common(connection: &Connection, cache_kib: i32) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT_MAX);
    // A file that somebody else wrote into must not run functions through its schema, and a
    // corrupt page must be an error.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -cache_kib)
}

/// Switches to the write-ahead log.
///
/// SQLite does not wait when several connections switch a fresh file at once, so waiting is done
/// by a transaction, which does.
fn use_wal(connection: &Connection) -> rusqlite::Result<()> {
    for _ in 0..WAL_ATTEMPTS_MAX {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(fault) if fault.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                connection.execute_batch("BEGIN IMMEDIATE; COMMIT")?;
            }
            switched => return switched,
        }
    }
    connection.pragma_update(None, "journal_mode", "WAL")
}
