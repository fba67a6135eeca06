//! What was revoked, as it is told to other services.

use crate::mount::Mount;
use crate::problem::Refused;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use hallpass_core::store::{Cursor, FeedEntry};
use hallpass_verify::problem::Code;
use hallpass_verify::{Revoked, Timestamp};
use http::HeaderValue;
use http::header::{CONTENT_TYPE, HeaderName};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until};

/// The most entries of a page.
pub(crate) const PAGE_ENTRIES_MAX: usize = 1_000;
/// The most entries of one event of a stream.
const EVENT_ENTRIES_MAX: usize = 500;
/// How many streams there may be at a time: each costs a connection.
pub(crate) const STREAMS_MAX: usize = 1_000;
/// How long a stream is silent at most.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How far two events of a stream are apart at least: what is revoked together is told together.
const EVENT_PAUSE: Duration = Duration::from_millis(20);

/// Proxies shall pass each event on at once.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Returns entries as they are told: what kind, which one, and when.
pub(crate) fn entries(entries: &[FeedEntry]) -> Value {
    entries.iter().map(entry).collect()
}

fn entry(entry: &FeedEntry) -> Value {
    match &entry.revoked {
        Revoked::Session(session) => json!(["s", session.to_string(), rounded_up(entry.at)]),
        // Tokens that were issued until then are refused, and no later ones.
        Revoked::User(user) => json!(["u", user.as_str(), entry.at.as_seconds()]),
        Revoked::Token(token_id) => json!(["t", token_id, rounded_up(entry.at)]),
        Revoked::Key(kid) => json!(["k", kid, rounded_up(entry.at)]),
    }
}

/// Whoever counts from here refuses no shorter than from the exact moment.
fn rounded_up(time: Timestamp) -> u64 {
    time.plus(Duration::from_millis(999)).as_seconds()
}

/// Answers with what was revoked after a place in the feed, and goes on as more is.
///
/// It ends when the client goes, when the client takes nothing for as long as the listener lets
/// it, or when the listener stops.
pub(crate) fn stream(mount: &Mount, after: Cursor) -> Result<Response, Refused> {
    let streams = Arc::clone(&mount.0.streams);
    let permit = streams.try_acquire_owned().map_err(|_| Code::Overloaded)?;
    let feed = mount.hallpass().feed();
    let told = Told {
        known: feed.latest(),
        appended: feed.watch(),
        mount: mount.clone(),
        cursor: after,
        phase: Phase::Hello,
        at: Instant::now(),
        permit,
    };
    let events = futures_util::stream::unfold(told, |told| async move {
        let (event, told) = told.next().await;
        Some((Ok::<_, Infallible>(Bytes::from(event)), told))
    });
    let mut response = Body::from_stream(events).into_response();
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static("text/event-stream");
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// How far one stream has come.
struct Told {
    mount: Mount,
    appended: watch::Receiver<Cursor>,
    /// Up to where everything was told.
    cursor: Cursor,
    /// What was known when the client came.
    known: Cursor,
    phase: Phase,
    /// When something was last said.
    at: Instant,
    #[expect(dead_code, reason = "given back when the stream ends")]
    permit: OwnedSemaphorePermit,
}

#[derive(Clone, Copy)]
enum Phase {
    Hello,
    CatchingUp,
    Live,
}

impl Told {
    /// Says the next thing, as soon as there is something to say.
    async fn next(mut self) -> (String, Self) {
        let event = match self.phase {
            Phase::Hello => {
                self.phase = Phase::CatchingUp;
                self.hello()
            }
            Phase::CatchingUp => self.catch_up(),
            Phase::Live => self.wait().await,
        };
        self.at = Instant::now();
        (event, self)
    }

    fn hello(&self) -> String {
        let data = json!({
            "kept_seconds": self.mount.kept_seconds(),
            "heartbeat_seconds": HEARTBEAT.as_secs(),
        });
        format!("event: hello\nid: {}\ndata: {data}\n\n", self.cursor.0)
    }

    /// Tells what was known when the client came, as fast as it takes it; then says so.
    fn catch_up(&mut self) -> String {
        let missed = (self.cursor < self.known).then(|| self.news()).flatten();
        missed.unwrap_or_else(|| {
            self.phase = Phase::Live;
            "event: live\ndata: {}\n\n".into()
        })
    }

    /// Waits for something to tell, and says in between that it still does.
    async fn wait(&mut self) -> String {
        loop {
            // Marked before it is looked at: what comes meanwhile wakes again.
            let latest = *self.appended.borrow_and_update();
            if latest > self.cursor {
                sleep_until(self.at + EVENT_PAUSE).await;
                if let Some(event) = self.news() {
                    return event;
                }
            }
            tokio::select! {
                // The sender is in the rules, which this holds.
                Ok(()) = self.appended.changed() => {}
                () = sleep_until(self.at + HEARTBEAT) => return ": \n\n".into(),
            }
        }
    }

    /// Returns the next entries as an event, unless they are forgotten already because they
    /// matter no more.
    fn news(&mut self) -> Option<String> {
        let feed = self.mount.hallpass().feed();
        let page = feed.since(self.cursor, EVENT_ENTRIES_MAX);
        self.cursor = page.cursor;
        let (id, data) = (page.cursor.0, entries(&page.entries));
        (!page.entries.is_empty()).then(|| format!("event: revoked\nid: {id}\ndata: {data}\n\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_verify::{SessionId, UserId};

    #[test]
    fn an_entry_says_what_which_and_when() {
        let told = |revoked: Revoked| {
            let at = Timestamp::from_millis(1_001);
            let cursor = Cursor(7);
            let entry = FeedEntry {
                cursor,
                revoked,
                at,
            };
            entries(&[entry]).to_string()
        };
        let session = SessionId::from_bytes([0; 16]);
        let user = UserId::parse("a\"\u{e9}").unwrap();
        for (revoked, expected) in [
            (
                Revoked::Session(session),
                r#"[["s","AAAAAAAAAAAAAAAAAAAAAA",2]]"#,
            ),
            (Revoked::User(user), "[[\"u\",\"a\\\"\u{e9}\",1]]"),
            (Revoked::Token("t1".into()), r#"[["t","t1",2]]"#),
            (Revoked::Key("k\n1".into()), r#"[["k","k\n1",2]]"#),
        ] {
            assert_eq!(told(revoked), expected);
        }
        assert_eq!(entries(&[]).to_string(), "[]");
    }

    #[test]
    fn a_moment_is_rounded_up_to_whole_seconds() {
        for (millis, seconds) in [(0, 0), (1, 1), (1_000, 1), (1_001, 2), (1_999, 2)] {
            assert_eq!(rounded_up(Timestamp::from_millis(millis)), seconds);
        }
    }
}
