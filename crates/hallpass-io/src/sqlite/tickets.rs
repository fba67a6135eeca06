//! One-time tickets, hashed by the core.

use super::SqliteStore;
use super::columns::Column;
use super::writer::{Statements, Write};
use async_trait::async_trait;
use hallpass_core::store::{StoreError, Ticket, TicketHash, TicketStore};
use hallpass_verify::{SessionId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

/// How many tickets go in a step of a purge. Between two steps other writes have their turn.
const PURGE_TICKETS_MAX: u32 = 1000;

#[async_trait]
impl TicketStore for SqliteStore {
    async fn insert_ticket(&self, ticket: Ticket) -> Result<(), StoreError> {
        self.writer.write(InsertTicket(ticket)).await
    }

    async fn take_ticket(
        &self,
        hash: &TicketHash,
        now: Timestamp,
    ) -> Result<Option<SessionId>, StoreError> {
        self.writer.write(TakeTicket { hash: *hash, now }).await
    }

    async fn purge_tickets(&self, before: Timestamp) -> Result<(), StoreError> {
        while self.writer.write(PurgeTickets { before }).await? == PURGE_TICKETS_MAX {}
        Ok(())
    }
}

struct InsertTicket(Ticket);

impl Write for InsertTicket {
    type Written = ();
    const DOING: &'static str = "insert a ticket";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let Ticket {
            hash,
            session,
            expires_at,
        } = &self.0;
        connection
            .prepare_cached(
                "INSERT INTO ticket (hash, session_id, expires_at) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![hash.0, Column(*session), Column(*expires_at)])
            .map(|_inserted| ())
    }
}

struct TakeTicket {
    hash: TicketHash,
    now: Timestamp,
}

impl Write for TakeTicket {
    type Written = Option<SessionId>;
    const DOING: &'static str = "take a ticket";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<Option<SessionId>> {
        let taken = connection
            .prepare_cached(
                "DELETE FROM ticket WHERE hash = ?1 RETURNING session_id, expires_at > ?2",
            )?
            .query_row(params![self.hash.0, Column(self.now)], |row| {
                Ok((row.get::<_, Column<_>>(0)?.0, row.get(1)?))
            })
            .optional()?;
        Ok(taken.and_then(|(session, is_good): (_, bool)| is_good.then_some(session)))
    }
}

/// One step of a purge. The index has what expired in front, so a step finds its rows at once.
struct PurgeTickets {
    before: Timestamp,
}

impl Write for PurgeTickets {
    type Written = u32;
    const DOING: &'static str = "purge tickets";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<u32> {
        let purged = connection
            .prepare_cached(
                "DELETE FROM ticket WHERE hash IN \
                 (SELECT hash FROM ticket WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
            )?
            .execute(params![Column(self.before), PURGE_TICKETS_MAX])?;
        Ok(u32::try_from(purged).unwrap_or(u32::MAX))
    }
}
