//! What the issuer tells of revocations, read strictly and within limits.

use crate::json::{self, Limits, Object, Value};
use crate::{KID_LEN_MAX, Revoked, SessionId, TOKEN_ID_LEN_MAX, Timestamp, UserId};
use std::fmt;
use std::time::Duration;

/// How many entries one event or page may hold.
pub(super) const ENTRIES_MAX: usize = 1_000;

/// The longest event or page, in bytes. One entry with the longest names takes about 550.
pub(super) const FEED_LEN_MAX: usize = 1_048_576;

/// The longest cursor, in characters.
const CURSOR_LEN_MAX: usize = 64;

/// The longest time an entry may be kept, in seconds: 7 days.
const KEPT_SECONDS_MAX: u64 = 7 * 24 * 3600;

/// The longest time between two heartbeats, in seconds.
const HEARTBEAT_SECONDS_MAX: u64 = 300;

/// The last moment an entry may name: the end of the year 9999, in seconds.
const AT_SECONDS_MAX: u64 = 253_402_300_799;

/// Why something was not understood. It never repeats what was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum FeedFault {
    #[error("expected JSON within the limits")]
    Json,
    #[error("expected the members of a page or of the first event")]
    Members,
    #[error("expected at most 1,000 entries")]
    TooMany,
    #[error("expected entries of their kinds")]
    Entry,
    #[error("expected a cursor of 1 to 64 visible characters")]
    Cursor,
}

/// How far a reader has come. It means something to the issuer alone.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Cursor(Box<str>);

impl Cursor {
    /// Takes 1 to 64 visible ASCII characters: fit for a header line and, encoded, for a URL.
    pub(super) fn parse(text: &str) -> Result<Self, FeedFault> {
        let fits = (1..=CURSOR_LEN_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.into()))
        } else {
            Err(FeedFault::Cursor)
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({})", self.0)
    }
}

/// Something that was revoked, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) revoked: Revoked,
    pub(super) at: Timestamp,
}

/// What a stream begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hello {
    /// For how long after it was revoked something has to be refused.
    pub(super) kept: Duration,
    /// How often something comes at least.
    pub(super) heartbeat: Duration,
}

/// Whether there is more to ask for at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum More {
    Yes,
    No,
}

/// One answer to a poll.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Page {
    pub(super) cursor: Cursor,
    pub(super) kept: Duration,
    pub(super) more: More,
    pub(super) entries: Vec<Entry>,
}

impl Hello {
    pub(super) fn read(text: &[u8]) -> Result<Self, FeedFault> {
        let members = object(text)?;
        let heartbeat = seconds(&members, "heartbeat_seconds", HEARTBEAT_SECONDS_MAX)?;
        let kept = kept(&members)?;
        Ok(Self { kept, heartbeat })
    }
}

impl Page {
    pub(super) fn read(text: &[u8]) -> Result<Self, FeedFault> {
        let members = object(text)?;
        let member = |name| members.get(name).ok_or(FeedFault::Members);
        let more = match member("more")?.as_bool() {
            Some(true) => More::Yes,
            Some(false) => More::No,
            None => return Err(FeedFault::Members),
        };
        let cursor = member("cursor")?.as_str().ok_or(FeedFault::Cursor)?;
        Ok(Self {
            cursor: Cursor::parse(cursor)?,
            kept: kept(&members)?,
            more,
            entries: listed(member("entries")?)?,
        })
    }
}

/// Reads the list of entries that an event of the stream holds.
pub(super) fn entries(text: &[u8]) -> Result<Vec<Entry>, FeedFault> {
    listed(&parsed(text)?)
}

fn parsed(text: &[u8]) -> Result<Value, FeedFault> {
    let limits = Limits {
        bytes_max: FEED_LEN_MAX,
        depth_max: 8,
    };
    json::parse(text, limits).map_err(|_| FeedFault::Json)
}

fn object(text: &[u8]) -> Result<Object, FeedFault> {
    match parsed(text)? {
        Value::Object(members) => Ok(members),
        _ => Err(FeedFault::Members),
    }
}

fn kept(members: &Object) -> Result<Duration, FeedFault> {
    seconds(members, "kept_seconds", KEPT_SECONDS_MAX)
}

fn seconds(members: &Object, name: &str, max: u64) -> Result<Duration, FeedFault> {
    let seconds = members.get(name).and_then(Value::as_u64);
    seconds
        .filter(|seconds| (1..=max).contains(seconds))
        .map(Duration::from_secs)
        .ok_or(FeedFault::Members)
}

fn listed(list: &Value) -> Result<Vec<Entry>, FeedFault> {
    let list = list.as_array().ok_or(FeedFault::Entry)?;
    if list.len() > ENTRIES_MAX {
        return Err(FeedFault::TooMany);
    }
    list.iter()
        .filter_map(|one| entry(one).transpose())
        .collect()
}

/// Reads one entry; `None` when it is of a kind that is not known here.
///
/// A broken entry of a known kind makes the whole list a fault: to pass over it would let a
/// revoked token through and tell nobody.
fn entry(value: &Value) -> Result<Option<Entry>, FeedFault> {
    let Some([Value::String(kind), rest @ ..]) = value.as_array() else {
        return Err(FeedFault::Entry);
    };
    if !["s", "u", "t", "k"].contains(&kind.as_str()) {
        return Ok(None);
    }
    let [Value::String(name), at] = rest else {
        return Err(FeedFault::Entry);
    };
    let revoked = match kind.as_str() {
        "s" => SessionId::parse(name).ok().map(Revoked::Session),
        "u" => UserId::parse(name).ok().map(Revoked::User),
        "t" => text(name, TOKEN_ID_LEN_MAX).map(Revoked::Token),
        _ => text(name, KID_LEN_MAX).map(Revoked::Key),
    };
    let at = at.as_u64().filter(|seconds| *seconds <= AT_SECONDS_MAX);
    let (Some(revoked), Some(at)) = (revoked, at) else {
        return Err(FeedFault::Entry);
    };
    Ok(Some(Entry {
        revoked,
        at: Timestamp::from_seconds(at),
    }))
}

fn text(name: &str, len_max: usize) -> Option<String> {
    (1..=len_max).contains(&name.len()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests;
