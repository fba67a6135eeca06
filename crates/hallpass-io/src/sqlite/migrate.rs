//! Brings a database to the schema of this program.

use super::OpenFault;
use rusqlite::{Connection, TransactionBehavior};

/// One file per version, in order. A file that was released never changes.
const MIGRATIONS: [&str; 3] = [
    include_str!("migrations/0001_start.sql"),
    include_str!("migrations/0002_keys_and_feed.sql"),
    include_str!("migrations/0003_scopes_and_claims.sql"),
];

/// Applies the migrations that are missing, all in one transaction: of several programs that start
/// at once, one does it and the others find it done.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenFault> {
    apply(connection, &MIGRATIONS)
}

fn apply(connection: &mut Connection, migrations: &[&str]) -> Result<(), OpenFault> {
    let failed = OpenFault::Migrate;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    transaction
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY) STRICT",
        )
        .map_err(failed)?;
    let found: usize = transaction
        .query_row("SELECT count(*) FROM schema_version", [], |row| {
            row.get::<_, u32>(0)
        })
        .map_err(failed)?
        .try_into()
        .unwrap_or(usize::MAX);
    if found > migrations.len() {
        return Err(OpenFault::Newer {
            found,
            known: migrations.len(),
        });
    }
    for (index, migration) in migrations.iter().enumerate().skip(found) {
        let version = u32::try_from(index + 1).unwrap_or(u32::MAX);
        transaction.execute_batch(migration).map_err(failed)?;
        transaction
            .execute(
                "INSERT INTO schema_version (version) VALUES (?1)",
                [version],
            )
            .map_err(failed)?;
        tracing::info!(version, "the database schema moved to this version");
    }
    transaction.commit().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(connection: &Connection) -> Vec<String> {
        let mut statement = connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            .unwrap();
        statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    #[test]
    fn nothing_of_an_older_schema_is_left_over() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let tables = tables(&connection);
        for gone in ["ended_session", "signing_key_before"] {
            assert!(!tables.iter().any(|name| name == gone), "{gone}");
        }
    }

    #[test]
    fn an_empty_database_gets_the_schema_and_a_second_start_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let first = tables(&connection);
        for table in [
            "user",
            "session",
            "revocation",
            "signing_key",
            "root_key",
            "ticket",
            "schema_version",
        ] {
            assert!(first.iter().any(|name| name == table), "{table}");
        }
        let changes = connection.total_changes();
        migrate(&mut connection).unwrap();
        assert_eq!(tables(&connection), first);
        assert_eq!(connection.total_changes(), changes);
    }

    #[test]
    fn only_the_missing_migrations_are_applied() {
        let mut connection = Connection::open_in_memory().unwrap();
        let (one, two) = ("CREATE TABLE one (x) ;", "CREATE TABLE two (x);");
        apply(&mut connection, &[one]).unwrap();
        apply(&mut connection, &[one, two]).unwrap();
        assert!(tables(&connection).contains(&"two".to_owned()));
    }

    #[test]
    fn a_migration_that_fails_leaves_the_database_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        let fault = apply(
            &mut connection,
            &["CREATE TABLE one (x);", "CREATE TABLE one (y);"],
        );
        assert!(matches!(fault, Err(OpenFault::Migrate(_))));
        assert_eq!(tables(&connection), Vec::<String>::new());
    }

    #[test]
    fn a_database_of_a_newer_program_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection
            .execute("INSERT INTO schema_version VALUES (4)", [])
            .unwrap();
        let fault = migrate(&mut connection).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "the database has schema version 4, this program knows versions up to 3: \
             start a newer program, or restore an older database"
        );
    }
}
