//! Signing keys, sealed by the core.

use super::SqliteStore;
use super::columns::Column;
use super::writer::{Statements, Write};
use async_trait::async_trait;
use hallpass_core::key::SealedKey;
use hallpass_core::store::{KeyStore, StoreError};
use rusqlite::{Connection, Row, params};

#[async_trait]
impl KeyStore for SqliteStore {
    async fn first_key(&self, key: SealedKey) -> Result<SealedKey, StoreError> {
        self.writer.write(FirstKey(key)).await
    }

    async fn keys(&self) -> Result<Vec<SealedKey>, StoreError> {
        self.readers.read("read the signing keys", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT kid, algorithm, sealed, created_at FROM signing_key ORDER BY rowid",
            )?;
            statement.query_map([], key)?.collect()
        })
    }
}

fn key(row: &Row<'_>) -> rusqlite::Result<SealedKey> {
    Ok(SealedKey {
        kid: row.get(0)?,
        algorithm: row.get::<_, Column<_>>(1)?.0,
        sealed: row.get(2)?,
        created_at: row.get::<_, Column<_>>(3)?.0,
    })
}

struct FirstKey(SealedKey);

impl Write for FirstKey {
    type Written = SealedKey;
    const DOING: &'static str = "keep the first signing key";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<SealedKey> {
        let SealedKey {
            kid,
            algorithm,
            sealed,
            created_at,
        } = &self.0;
        connection
            .prepare_cached(
                "INSERT INTO signing_key (kid, algorithm, sealed, created_at) \
                 SELECT ?1, ?2, ?3, ?4 \
                 WHERE NOT EXISTS (SELECT 1 FROM signing_key WHERE algorithm = ?2)",
            )?
            .execute(params![kid, algorithm.name(), sealed, Column(*created_at)])?;
        connection
            .prepare_cached(
                "SELECT kid, algorithm, sealed, created_at FROM signing_key \
                 WHERE algorithm = ?1 ORDER BY rowid LIMIT 1",
            )?
            .query_row([algorithm.name()], key)
    }
}
