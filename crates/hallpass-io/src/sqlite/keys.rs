//! Keys, sealed by the core.

use super::SqliteStore;
use super::columns::Column;
use super::feed;
use super::writer::{Statements, Write};
use async_trait::async_trait;
use hallpass_core::key::{SealedKey, SealedRoot};
use hallpass_core::store::{Changed, KeyRevocation, KeyStore, Resealing, StoreError, Successor};
use hallpass_verify::{Revoked, Timestamp};
use rusqlite::{Connection, Row, params};

/// All columns but the place in the order, in the order in which [`key`] reads them.
macro_rules! columns {
    () => {
        "kid, algorithm, sealed, created_at, signs_from, revoked_at"
    };
}

#[async_trait]
impl KeyStore for SqliteStore {
    async fn root_key(&self, sealed: SealedRoot) -> Result<SealedRoot, StoreError> {
        self.writer.write(RootKey(sealed)).await
    }

    async fn keys(&self) -> Result<Vec<SealedKey>, StoreError> {
        self.readers.read("read the signing keys", |connection| {
            let mut statement = connection.prepare_cached(concat!(
                "SELECT ",
                columns!(),
                " FROM signing_key ORDER BY seq"
            ))?;
            statement.query_map([], key)?.collect()
        })
    }

    async fn add_key(&self, key: SealedKey, after: Option<&str>) -> Result<Changed, StoreError> {
        let after = after.map(str::to_owned);
        self.writer.write(AddKey { key, after }).await
    }

    async fn revoke_key(&self, revocation: KeyRevocation) -> Result<Changed, StoreError> {
        self.writer.write(revocation).await
    }

    async fn forget_keys(&self, kids: &[String]) -> Result<(), StoreError> {
        self.writer.write(ForgetKeys(kids.to_owned())).await
    }

    async fn reseal(&self, resealing: Resealing) -> Result<Changed, StoreError> {
        self.writer.write(resealing).await
    }
}

fn key(row: &Row<'_>) -> rusqlite::Result<SealedKey> {
    Ok(SealedKey {
        kid: row.get(0)?,
        algorithm: row.get::<_, Column<_>>(1)?.0,
        sealed: row.get(2)?,
        created_at: row.get::<_, Column<_>>(3)?.0,
        signs_from: row.get::<_, Column<_>>(4)?.0,
        revoked_at: row.get::<_, Option<Column<_>>>(5)?.map(|column| column.0),
    })
}

fn insert(connection: &Connection, key: &SealedKey) -> rusqlite::Result<()> {
    connection
        .prepare_cached(concat!(
            "INSERT INTO signing_key (",
            columns!(),
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        ))?
        .execute(params![
            key.kid,
            key.algorithm.name(),
            key.sealed,
            Column(key.created_at),
            Column(key.signs_from),
            key.revoked_at.map(Column),
        ])
        .map(|_inserted| ())
}

struct RootKey(SealedRoot);

impl Write for RootKey {
    type Written = SealedRoot;
    const DOING: &'static str = "keep the root key";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<SealedRoot> {
        connection
            .prepare_cached(
                "INSERT INTO root_key (id, sealed) VALUES (1, ?1) ON CONFLICT DO NOTHING",
            )?
            .execute([&self.0.0])?;
        connection
            .prepare_cached("SELECT sealed FROM root_key")?
            .query_row([], |row| row.get(0).map(SealedRoot))
    }
}

struct AddKey {
    key: SealedKey,
    after: Option<String>,
}

impl Write for AddKey {
    type Written = Changed;
    const DOING: &'static str = "add a signing key";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<Changed> {
        // Without a row the inner query is NULL, like `after` is then.
        let is_last: bool = connection
            .prepare_cached("SELECT ?1 IS (SELECT kid FROM signing_key ORDER BY seq DESC LIMIT 1)")?
            .query_row([&self.after], |row| row.get(0))?;
        if !is_last {
            return Ok(Changed::Unchanged);
        }
        insert(connection, &self.key).map(|()| Changed::Changed)
    }
}

impl Write for KeyRevocation {
    type Written = Changed;
    const DOING: &'static str = "revoke a signing key";
    const STATEMENTS: Statements = Statements::Several;

    fn write(&self, connection: &Connection) -> rusqlite::Result<Changed> {
        let revoked = connection
            .prepare_cached(
                "UPDATE signing_key SET revoked_at = ?2 WHERE kid = ?1 AND revoked_at IS NULL",
            )?
            .execute(params![self.kid, Column(self.at)])?;
        if revoked == 0 {
            return Ok(Changed::Unchanged);
        }
        feed::append(connection, &Revoked::Key(self.kid.clone()), self.at)?;
        match &self.successor {
            Successor::Unchanged => {}
            Successor::Promoted(kid) => promote(connection, kid, self.at)?,
            Successor::Added(key) => insert(connection, key)?,
        }
        Ok(Changed::Changed)
    }
}

fn promote(connection: &Connection, kid: &str, at: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE signing_key SET signs_from = ?2 WHERE kid = ?1")?
        .execute(params![kid, Column(at)])
        .map(|_updated| ())
}

struct ForgetKeys(Vec<String>);

impl Write for ForgetKeys {
    type Written = ();
    const DOING: &'static str = "forget signing keys";
    const STATEMENTS: Statements = Statements::Several;

    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached("DELETE FROM signing_key WHERE kid = ?1")?;
        self.0
            .iter()
            .try_for_each(|kid| statement.execute([kid]).map(|_deleted| ()))
    }
}

impl Write for Resealing {
    type Written = Changed;
    const DOING: &'static str = "reseal the keys";
    const STATEMENTS: Statements = Statements::Several;

    fn write(&self, connection: &Connection) -> rusqlite::Result<Changed> {
        let (old_root, new_root) = &self.root;
        let mut is_same = connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM root_key WHERE sealed = ?1)")?
            .query_row([&old_root.0], |row| row.get(0))?;
        let mut same_key = connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM signing_key WHERE kid = ?1 AND sealed = ?2)",
        )?;
        for (kid, old, _) in &self.keys {
            is_same = is_same && same_key.query_row(params![kid, old], |row| row.get(0))?;
        }
        if !is_same {
            return Ok(Changed::Unchanged);
        }
        connection
            .prepare_cached("UPDATE root_key SET sealed = ?1")?
            .execute([&new_root.0])?;
        let mut reseal =
            connection.prepare_cached("UPDATE signing_key SET sealed = ?2 WHERE kid = ?1")?;
        for (kid, _, new) in &self.keys {
            reseal.execute(params![kid, new])?;
        }
        Ok(Changed::Changed)
    }
}
