//! The feed: what was revoked, in order.

use super::SqliteStore;
use super::columns::{Column, Kind};
use super::writer::{Statements, Write};
use async_trait::async_trait;
use hallpass_core::store::{Cursor, FeedEntry, FeedStore, StoreError};
use hallpass_verify::{Revoked, Timestamp};
use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// How many entries a step of a purge looks at. Between two steps other writes have their turn.
const PURGE_ENTRIES_MAX: u32 = 1000;

#[async_trait]
impl FeedStore for SqliteStore {
    async fn revoke(&self, revoked: &Revoked, at: Timestamp) -> Result<(), StoreError> {
        let revoked = revoked.clone();
        self.writer.write(Append { revoked, at }).await
    }

    async fn revoked_since(
        &self,
        cursor: Cursor,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError> {
        self.readers
            .read("read the feed of what was revoked", |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT seq, at, kind, subject FROM revocation WHERE seq > ?1 \
                     ORDER BY seq LIMIT ?2",
                )?;
                let after = i64::try_from(cursor.0).unwrap_or(i64::MAX);
                statement.query_map(params![after, limit], entry)?.collect()
            })
    }

    async fn purge_feed(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut next = Some(0);
        while let Some(after) = next {
            next = self.writer.write(PurgeFeed { after, before }).await?;
        }
        Ok(())
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<FeedEntry> {
    let seq: i64 = row.get(0)?;
    Ok(FeedEntry {
        cursor: Cursor(u64::try_from(seq).unwrap_or_default()),
        at: row.get::<_, Column<_>>(1)?.0,
        revoked: match row.get::<_, Column<Kind>>(2)?.0 {
            Kind::Session => Revoked::Session(row.get::<_, Column<_>>(3)?.0),
            Kind::User => Revoked::User(row.get::<_, Column<_>>(3)?.0),
            Kind::Token => Revoked::Token(row.get(3)?),
            Kind::Key => Revoked::Key(row.get(3)?),
        },
    })
}

/// Appends to the feed. There is one writer at a time, so a smaller number is never seen later
/// than a larger one.
pub(super) fn append(
    connection: &Connection,
    revoked: &Revoked,
    at: Timestamp,
) -> rusqlite::Result<()> {
    match revoked {
        Revoked::Session(id) => insert(connection, Kind::Session, Column(*id), at),
        Revoked::User(id) => insert(connection, Kind::User, id.as_str(), at),
        Revoked::Token(id) => insert(connection, Kind::Token, id, at),
        Revoked::Key(kid) => insert(connection, Kind::Key, kid, at),
    }
}

fn insert(
    connection: &Connection,
    kind: Kind,
    subject: impl ToSql,
    at: Timestamp,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO revocation (kind, subject, at) VALUES (?1, ?2, ?3)")?
        .execute(params![kind.name(), subject, Column(at)])
        .map(|_inserted| ())
}

struct Append {
    revoked: Revoked,
    at: Timestamp,
}

impl Write for Append {
    type Written = ();
    const DOING: &'static str = "append to the feed of what was revoked";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        append(connection, &self.revoked, self.at)
    }
}

/// One step of a purge, through the feed in its order. Times need not be in it: clocks of processes
/// differ. Returns where the next step begins, if there is one.
struct PurgeFeed {
    after: i64,
    before: Timestamp,
}

impl Write for PurgeFeed {
    type Written = Option<i64>;
    const DOING: &'static str = "purge the feed of what was revoked";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<Option<i64>> {
        let last: Option<i64> = connection
            .prepare_cached(
                "SELECT seq FROM revocation WHERE seq > ?1 ORDER BY seq LIMIT 1 OFFSET ?2",
            )?
            .query_row(params![self.after, PURGE_ENTRIES_MAX - 1], |row| row.get(0))
            .optional()?;
        connection
            .prepare_cached(
                "DELETE FROM revocation WHERE seq > ?1 AND seq <= ?2 AND at < ?3 AND kind <> ?4",
            )?
            .execute(params![
                self.after,
                last.unwrap_or(i64::MAX),
                Column(self.before),
                Kind::Key.name()
            ])?;
        Ok(last)
    }
}
