//! Sessions: one row each, changed in place.

use super::SqliteStore;
use super::columns::{Column, said};
use super::feed;
use super::writer::{Statements, Write};
use async_trait::async_trait;
use hallpass_core::session::{Device, EndReason, Session};
use hallpass_core::store::{Advance, Advanced, Changed, End, SessionStore, StoreError};
use hallpass_verify::{Revoked, SessionId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

/// How many rows a step of a purge looks at. Between two steps other writes have their turn: a
/// purge of a million sessions delays none of them by more than milliseconds.
const PURGE_ROWS_MAX: u32 = 1000;

/// All columns, in the order in which [`session`] reads them.
macro_rules! columns {
    () => {
        "id, user_id, delivery, persistence, methods, authenticated_at, created_at, rotated_at, \
         generation, rotation_key, idle_ttl_ms, idle_expires_at, expires_at, ended_at, \
         end_reason, ip, user_agent, scopes, claims"
    };
}

#[async_trait]
impl SessionStore for SqliteStore {
    async fn insert_session(&self, session: &Session) -> Result<(), StoreError> {
        self.writer.write(InsertSession(session.clone())).await
    }

    async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.readers
            .read("read a session", |connection| select(connection, *id))
    }

    async fn live_sessions(
        &self,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        self.readers
            .read("list the sessions of a user", |connection| {
                live(connection, user, now)
            })
    }

    async fn advance(&self, advance: &Advance) -> Result<Advanced, StoreError> {
        self.writer.write(advance.clone()).await
    }

    async fn end_session(&self, end: &End) -> Result<Changed, StoreError> {
        self.writer.write(end.clone()).await
    }

    async fn end_sessions(
        &self,
        user: &UserId,
        keep: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.writer
            .write(EndSessions {
                user: user.clone(),
                keep,
                reason,
                now,
            })
            .await
    }

    async fn purge_sessions(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut purged = 0;
        let mut next = Some(0);
        while let Some(after) = next {
            let (count, last) = self.writer.write(PurgeSessions { after, before }).await?;
            purged += count;
            next = last;
        }
        Ok(purged)
    }
}

fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    let ended_at: Option<Column<Timestamp>> = row.get(13)?;
    let end_reason: Option<Column<EndReason>> = row.get(14)?;
    Ok(Session {
        id: row.get::<_, Column<_>>(0)?.0,
        user: row.get::<_, Column<_>>(1)?.0,
        delivery: row.get::<_, Column<_>>(2)?.0,
        persistence: row.get::<_, Column<_>>(3)?.0,
        methods: row.get::<_, Column<_>>(4)?.0,
        authenticated_at: row.get::<_, Column<_>>(5)?.0,
        created_at: row.get::<_, Column<_>>(6)?.0,
        rotated_at: row.get::<_, Column<_>>(7)?.0,
        generation: row.get(8)?,
        rotation_key: row.get::<_, Option<Column<_>>>(9)?.map(|column| column.0),
        idle_ttl: row.get::<_, Column<_>>(10)?.0,
        idle_expires_at: row.get::<_, Column<_>>(11)?.0,
        expires_at: row.get::<_, Column<_>>(12)?.0,
        // The schema lets no row have one without the other.
        ended: ended_at
            .zip(end_reason)
            .map(|(at, reason)| (at.0, reason.0)),
        device: Device {
            ip: row.get::<_, Option<Column<_>>>(15)?.map(|column| column.0),
            user_agent: row.get(16)?,
        },
        scopes: said(row, 17)?,
        claims: said(row, 18)?,
    })
}

fn select(connection: &Connection, id: SessionId) -> rusqlite::Result<Option<Session>> {
    connection
        .prepare_cached(concat!(
            "SELECT ",
            columns!(),
            " FROM session WHERE id = ?1"
        ))?
        .query_row([Column(id)], session)
        .optional()
}

fn live(connection: &Connection, user: &UserId, now: Timestamp) -> rusqlite::Result<Vec<Session>> {
    let mut statement = connection.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM session WHERE user_id = ?1 AND ended_at IS NULL AND idle_expires_at > ?2 \
         AND expires_at > ?2 ORDER BY rotated_at DESC, id"
    ))?;
    statement
        .query_map(params![user.as_str(), Column(now)], session)?
        .collect()
}

struct InsertSession(Session);

impl Write for InsertSession {
    type Written = ();
    const DOING: &'static str = "insert a session";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let row = &self.0;
        connection
            .prepare_cached(concat!(
                "INSERT INTO session (",
                columns!(),
                ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, \
                 ?18, ?19)"
            ))?
            .execute(params![
                Column(row.id),
                row.user.as_str(),
                row.delivery.name(),
                Column(row.persistence),
                Column(row.methods.as_slice()),
                Column(row.authenticated_at),
                Column(row.created_at),
                Column(row.rotated_at),
                row.generation,
                row.rotation_key.map(Column),
                Column(row.idle_ttl),
                Column(row.idle_expires_at),
                Column(row.expires_at),
                row.ended.map(|(at, _)| Column(at)),
                row.ended.map(|(_, reason)| reason.name()),
                row.device.ip.map(|ip| ip.to_string()),
                row.device.user_agent,
                (!row.scopes.is_empty()).then(|| row.scopes.as_str()),
                (!row.claims.is_empty()).then_some(Column(&row.claims)),
            ])
            .map(|_inserted| ())
    }
}

impl Write for Advance {
    type Written = Advanced;
    const DOING: &'static str = "advance a session";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<Advanced> {
        let moved = connection
            .prepare_cached(concat!(
                "UPDATE session SET generation = :to, rotated_at = :now, rotation_key = :key, \
                 idle_expires_at = min(:now + idle_ttl_ms, expires_at) \
                 WHERE id = :id AND generation = :from AND ended_at IS NULL \
                 AND idle_expires_at > :now AND expires_at > :now RETURNING ",
                columns!()
            ))?
            .query_row(
                named_params! {
                    ":id": Column(self.session),
                    ":from": self.from,
                    ":to": self.to,
                    ":now": Column(self.now),
                    ":key": self.key.map(Column),
                },
                session,
            )
            .optional()?;
        match moved {
            Some(session) => Ok(Advanced::Moved(session)),
            None => select(connection, self.session).map(Advanced::Stayed),
        }
    }
}

impl Write for End {
    type Written = Changed;
    const DOING: &'static str = "end a session";
    const STATEMENTS: Statements = Statements::Several;

    fn write(&self, connection: &Connection) -> rusqlite::Result<Changed> {
        let ended = connection
            .prepare_cached(
                "UPDATE session SET ended_at = :now, end_reason = :reason \
                 WHERE id = :id AND ended_at IS NULL AND (:owner IS NULL OR user_id = :owner)",
            )?
            .execute(named_params! {
                ":id": Column(self.session),
                ":owner": self.owner.as_ref().map(UserId::as_str),
                ":reason": self.reason.name(),
                ":now": Column(self.now),
            })?;
        if ended == 0 {
            return Ok(Changed::Unchanged);
        }
        feed::append(connection, &Revoked::Session(self.session), self.now)?;
        Ok(Changed::Changed)
    }
}

struct EndSessions {
    user: UserId,
    keep: Option<SessionId>,
    reason: EndReason,
    now: Timestamp,
}

impl Write for EndSessions {
    type Written = Vec<SessionId>;
    const DOING: &'static str = "end the sessions of a user";
    const STATEMENTS: Statements = Statements::Several;

    fn write(&self, connection: &Connection) -> rusqlite::Result<Vec<SessionId>> {
        let mut statement = connection.prepare_cached(
            "UPDATE session SET ended_at = :now, end_reason = :reason \
             WHERE user_id = :user AND ended_at IS NULL AND id IS NOT :keep \
             RETURNING id, idle_expires_at > :now AND expires_at > :now",
        )?;
        let ended = statement.query_map(
            named_params! {
                ":user": self.user.as_str(),
                ":keep": self.keep.map(Column),
                ":reason": self.reason.name(),
                ":now": Column(self.now),
            },
            |row| {
                Ok((
                    row.get::<_, Column<SessionId>>(0)?.0,
                    row.get::<_, bool>(1)?,
                ))
            },
        )?;
        let ended: Vec<_> = ended.collect::<rusqlite::Result<_>>()?;
        for (id, _) in &ended {
            feed::append(connection, &Revoked::Session(*id), self.now)?;
        }
        Ok(ended
            .into_iter()
            .filter_map(|(id, live)| live.then_some(id))
            .collect())
    }
}

/// One step of a purge, through the table in its own order: it needs no index, which every sign-in
/// or every rotation would pay for. Returns how many rows went, and where the next step begins, if
/// there is one.
struct PurgeSessions {
    after: i64,
    before: Timestamp,
}

impl Write for PurgeSessions {
    type Written = (u64, Option<i64>);
    const DOING: &'static str = "purge sessions";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<Self::Written> {
        let last: Option<i64> = connection
            .prepare_cached(
                "SELECT rowid FROM session WHERE rowid > ?1 ORDER BY rowid LIMIT 1 OFFSET ?2",
            )?
            .query_row(params![self.after, PURGE_ROWS_MAX - 1], |row| row.get(0))
            .optional()?;
        let purged = connection
            .prepare_cached(
                "DELETE FROM session WHERE rowid > ?1 AND rowid <= ?2 \
                 AND min(idle_expires_at, expires_at) < ?3",
            )?
            .execute(params![
                self.after,
                last.unwrap_or(i64::MAX),
                Column(self.before)
            ])?;
        Ok((u64::try_from(purged).unwrap_or(u64::MAX), last))
    }
}
