//! A store that is already large: sessions of other users, beside those that are measured.

use crate::steps::Stop;
use rusqlite::{Connection, params};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What every SQLite database starts with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Copies the one session that is there until there are `count`, each with an id of its own and
/// three to a user. Nothing may have the database open.
///
/// # Errors
/// When there is no database in the folder, no session in it, or it cannot be written.
pub(crate) fn sessions(folder: &Path, count: u32) -> Result<(), Stop> {
    let database = Connection::open(database_in(folder)?)?;
    // A benchmark that is cut short starts again: nothing here has to outlive a power failure.
    database.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;")?;
    let mut names = database.prepare(
        "SELECT name FROM pragma_table_info('session') WHERE name NOT IN ('id', 'user_id')",
    )?;
    let names: Vec<String> = names
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let names = names.join(", ");
    let insert = format!(
        "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?1) \
         INSERT INTO session (id, user_id, {names}) \
         SELECT randomblob(16), 'other-' || (n / 3), {names} FROM number, (SELECT * FROM session LIMIT 1)"
    );
    let inserted = database.execute(&insert, params![count])?;
    database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);")?;
    match inserted {
        0 => Err(Stop::because("the database has no session to copy")),
        _ => Ok(()),
    }
}

fn database_in(folder: &Path) -> Result<PathBuf, Stop> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let mut start = [0; MAGIC.len()];
        let is_read = fs::File::open(&path).and_then(|mut file| file.read_exact(&mut start));
        if is_read.is_ok() && start == *MAGIC {
            return Ok(path);
        }
    }
    Err(Stop::because(format!(
        "no SQLite database in {}",
        folder.display()
    )))
}

impl From<rusqlite::Error> for Stop {
    fn from(fault: rusqlite::Error) -> Self {
        Self::because(format!("database: {fault}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_copied_with_an_id_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("master.key"), "not a database").unwrap();
        assert!(sessions(folder.path(), 10).is_err());
        let path = folder.path().join("some.db");
        let database = Connection::open(&path).unwrap();
        database
            .execute_batch(
                "CREATE TABLE session (id BLOB PRIMARY KEY, user_id TEXT, generation INTEGER, ip TEXT) WITHOUT ROWID;",
            )
            .unwrap();
        assert!(sessions(folder.path(), 10).is_err());
        database
            .execute_batch("INSERT INTO session VALUES (x'01', 'me', 5, NULL)")
            .unwrap();
        sessions(folder.path(), 10).unwrap();
        let count =
            "SELECT count(DISTINCT id), sum(generation), count(DISTINCT user_id) FROM session";
        let found: (u32, u32, u32) = database
            .query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap();
        assert_eq!(found, (11, 55, 5));
    }
}
