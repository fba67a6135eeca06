//! How values stand in columns.

use hallpass_core::session::{EndReason, Persistence, RotationKeyHash};
use hallpass_core::user::Email;
use hallpass_core::{Delivery, OwnClaims, Scopes};
use hallpass_verify::{Algorithm, SessionId, Timestamp, UserId};
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use std::net::IpAddr;
use std::time::Duration;

/// A value as it stands in a column. The types belong to other crates, the way to keep them does not.
pub(super) struct Column<T>(pub(super) T);

/// Tells that a column holds something that this program never wrote.
#[derive(Debug, thiserror::Error)]
#[error("expected {0} in this column")]
struct Unreadable(&'static str);

fn unreadable(expected: &'static str) -> FromSqlError {
    FromSqlError::Other(Box::new(Unreadable(expected)))
}

impl ToSql for Column<Timestamp> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        // What lies beyond the integers of SQLite (the year 292 million) is kept as the last of them.
        Ok(i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Column<Timestamp> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let millis = match value.as_i64()? {
            i64::MAX => u64::MAX,
            millis => u64::try_from(millis).map_err(|_| FromSqlError::OutOfRange(millis))?,
        };
        Ok(Self(Timestamp::from_millis(millis)))
    }
}

impl ToSql for Column<Duration> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Column<Duration> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let millis = value.as_i64()?;
        let millis = u64::try_from(millis).map_err(|_| FromSqlError::OutOfRange(millis))?;
        Ok(Self(Duration::from_millis(millis)))
    }
}

impl ToSql for Column<SessionId> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}

impl FromSql for Column<SessionId> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value
            .as_blob()?
            .try_into()
            .map_err(|_| unreadable("16 bytes"))?;
        Ok(Self(SessionId::from_bytes(bytes)))
    }
}

impl ToSql for Column<RotationKeyHash> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0.0)))
    }
}

impl FromSql for Column<RotationKeyHash> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value
            .as_blob()?
            .try_into()
            .map_err(|_| unreadable("16 bytes"))?;
        Ok(Self(RotationKeyHash(bytes)))
    }
}

impl FromSql for Column<UserId> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        UserId::parse(value.as_str()?)
            .map(Self)
            .map_err(|_| unreadable("a user id"))
    }
}

impl FromSql for Column<Email> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Email::parse(value.as_str()?)
            .map(Self)
            .map_err(|_| unreadable("an e-mail address"))
    }
}

impl FromSql for Column<Delivery> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Delivery::parse(value.as_str()?)
            .map(Self)
            .ok_or_else(|| unreadable("a delivery"))
    }
}

impl FromSql for Column<EndReason> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        let reason = EndReason::ALL
            .into_iter()
            .find(|reason| reason.name() == name);
        reason
            .map(Self)
            .ok_or_else(|| unreadable("a reason to end a session"))
    }
}

impl FromSql for Column<Algorithm> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Algorithm::parse(value.as_str()?)
            .map(Self)
            .ok_or_else(|| unreadable("an algorithm"))
    }
}

/// What an entry of the feed is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Session,
    User,
    Token,
    Key,
}

impl Kind {
    /// Its name in a column.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::User => "user",
            Self::Token => "token",
            Self::Key => "key",
        }
    }
}

impl FromSql for Column<Kind> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        [Kind::Session, Kind::User, Kind::Token, Kind::Key]
            .into_iter()
            .find(|kind| kind.name() == name)
            .map(Self)
            .ok_or_else(|| unreadable("a kind of revocation"))
    }
}

impl ToSql for Column<Persistence> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(persistence_name(self.0).into())
    }
}

impl FromSql for Column<Persistence> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        [Persistence::Remembered, Persistence::Transient]
            .into_iter()
            .find(|persistence| persistence_name(*persistence) == name)
            .map(Self)
            .ok_or_else(|| unreadable("a persistence"))
    }
}

const fn persistence_name(persistence: Persistence) -> &'static str {
    match persistence {
        Persistence::Remembered => "remembered",
        Persistence::Transient => "transient",
    }
}

impl FromSql for Column<IpAddr> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value
            .as_str()?
            .parse()
            .map(Self)
            .map_err(|_| unreadable("an IP address"))
    }
}

/// A list of words: a JSON array.
impl ToSql for Column<&[String]> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(self.0)
            .map(ToSqlOutput::from)
            .map_err(|fault| rusqlite::Error::ToSqlConversionFailure(Box::new(fault)))
    }
}

impl FromSql for Column<Vec<String>> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?)
            .map(Self)
            .map_err(|fault| FromSqlError::Other(Box::new(fault)))
    }
}

impl FromSql for Column<Scopes> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Scopes::parse(value.as_str()?)
            .map(Self)
            .map_err(|_| unreadable("scopes"))
    }
}

/// A JSON object.
impl ToSql for Column<&OwnClaims> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(self.0)
            .map(ToSqlOutput::from)
            .map_err(|fault| rusqlite::Error::ToSqlConversionFailure(Box::new(fault)))
    }
}

impl FromSql for Column<OwnClaims> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        OwnClaims::from_stored(value.as_str()?)
            .map(Self)
            .map_err(|_| unreadable("claims"))
    }
}

/// Reads a column in which null says nothing.
pub(super) fn said<T: Default>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    Column<T>: FromSql,
{
    let said: Option<Column<T>> = row.get(column)?;
    Ok(said.map_or_else(T::default, |said| said.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn a_time_comes_back_and_a_negative_one_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        for millis in [0, 1_767_225_600_000, u64::MAX] {
            let time = Timestamp::from_millis(millis);
            let back: Column<Timestamp> = connection
                .query_row("SELECT ?1", [Column(time)], |row| row.get(0))
                .unwrap();
            assert_eq!(back.0, time);
        }
        let negative =
            connection.query_row("SELECT -1", [], |row| row.get::<_, Column<Timestamp>>(0));
        assert!(negative.is_err());
    }

    #[test]
    fn what_this_program_never_wrote_is_an_error() {
        fn reads<T>(sql: &str) -> bool
        where
            Column<T>: FromSql,
        {
            let connection = Connection::open_in_memory().unwrap();
            connection
                .query_row(sql, [], |row| row.get::<_, Column<T>>(0))
                .is_ok()
        }
        assert!(reads::<Delivery>("SELECT 'cookie'") && !reads::<Delivery>("SELECT 'pigeon'"));
        assert!(reads::<Persistence>("SELECT 'transient'") && !reads::<Persistence>("SELECT ''"));
        assert!(reads::<EndReason>("SELECT 'revoked'") && !reads::<EndReason>("SELECT 'x'"));
        assert!(reads::<Algorithm>("SELECT 'EdDSA'") && !reads::<Algorithm>("SELECT 'none'"));
        assert!(reads::<Kind>("SELECT 'session'") && !reads::<Kind>("SELECT 'Session'"));
        assert!(reads::<IpAddr>("SELECT '::1'") && !reads::<IpAddr>("SELECT '1.2.3'"));
        assert!(reads::<SessionId>("SELECT zeroblob(16)") && !reads::<SessionId>("SELECT x'00'"));
        assert!(reads::<Vec<String>>("SELECT '[\"a\"]'") && !reads::<Vec<String>>("SELECT '{}'"));
        assert!(reads::<Scopes>("SELECT 'a b'") && !reads::<Scopes>("SELECT 'a  b'"));
        assert!(reads::<OwnClaims>("SELECT '{}'") && !reads::<OwnClaims>("SELECT '[]'"));
        assert!(reads::<UserId>("SELECT 'u'") && !reads::<UserId>("SELECT ''"));
        assert!(reads::<Email>("SELECT 'a@b.c'") && !reads::<Email>("SELECT 'a'"));
    }
}
