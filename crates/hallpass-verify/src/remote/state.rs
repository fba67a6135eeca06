//! How current a verifier is about what was revoked.

use super::feed::Cursor;
use crate::{Revocations, Timestamp};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Stands for: nothing was heard yet.
const NEVER: u64 = u64::MAX;

/// How a verifier hears of what is revoked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Feed {
    /// It does not: there is no connection, or it is not complete yet.
    #[default]
    Down,
    /// As a stream, at once.
    Stream,
    /// By asking again and again: something between here and the issuer lets no stream through.
    Polling,
}

/// How current a verifier is about what was revoked.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct RevocationStatus {
    /// How it hears of what is revoked.
    pub feed: Feed,
    /// When the issuer was last heard of, everything before it being known.
    pub heard_at: Option<Timestamp>,
    /// How far it has come, as the issuer counts.
    pub cursor: Option<String>,
    /// How long after it was revoked the last entry was known here. The issuer tells whole
    /// seconds, so up to one second of it may be rounding.
    pub lag: Option<Duration>,
    /// How often a connection had to be made anew.
    pub reconnects: u64,
}

/// What the task that listens knows, for all who ask.
#[derive(Debug)]
pub(crate) struct RevocationState {
    bound_millis: u64,
    /// In milliseconds: asked with each request, so it does without the lock.
    heard_at: AtomicU64,
    details: Mutex<Details>,
}

#[derive(Debug, Default)]
struct Details {
    feed: Feed,
    cursor: Option<Cursor>,
    lag: Option<Duration>,
    reconnects: u64,
}

impl RevocationState {
    /// Takes for how long after the issuer was heard of a verifier counts as current.
    pub(crate) fn new(stream_bound: Duration) -> Self {
        Self {
            bound_millis: u64::try_from(stream_bound.as_millis()).unwrap_or(NEVER - 1),
            heard_at: AtomicU64::new(NEVER),
            details: Mutex::default(),
        }
    }

    /// Tells whether everything that was revoked is known, up to the stated bound.
    ///
    /// # Security
    /// A clock that was set back makes the last word come from the future. That is no longer
    /// current than the bound either: otherwise a broken stream would count as current until the
    /// clock has caught up.
    pub(crate) fn is_current(&self, now: Timestamp) -> bool {
        match self.heard_at.load(Ordering::Acquire) {
            NEVER => false,
            heard_at => heard_at.abs_diff(now.as_millis()) <= self.bound_millis,
        }
    }

    /// Returns what is known.
    pub(crate) fn status(&self) -> RevocationStatus {
        let details = self.details();
        RevocationStatus {
            feed: details.feed,
            heard_at: self.heard_at(),
            cursor: details.cursor.as_ref().map(|own| own.as_str().to_owned()),
            lag: details.lag,
            reconnects: details.reconnects,
        }
    }

    /// Takes down that at `now` everything known to the issuer was known here.
    pub(super) fn heard(&self, now: Timestamp) {
        self.heard_at.store(now.as_millis(), Ordering::Release);
    }

    pub(super) fn feeds(&self, feed: Feed) {
        self.details().feed = feed;
        metrics::gauge!("hallpass_verifier_stream_connected")
            .set(f64::from(u8::from(feed == Feed::Stream)));
    }

    pub(super) fn reconnects(&self) {
        self.details().reconnects += 1;
        metrics::counter!("hallpass_verifier_stream_reconnects_total").increment(1);
    }

    pub(super) fn cursor(&self) -> Option<Cursor> {
        self.details().cursor.clone()
    }

    pub(super) fn came_to(&self, cursor: Cursor) {
        self.details().cursor = Some(cursor);
    }

    /// Takes down that something revoked at `at` is known here at `now`. What was revoked before
    /// this verifier began to listen says nothing about how fast it hears.
    pub(super) fn learned(&self, at: Timestamp, now: Timestamp) {
        if self.heard_at().is_none() {
            return;
        }
        let lag = now.since(at);
        self.details().lag = Some(lag);
        metrics::histogram!("hallpass_verifier_revocation_lag_seconds").record(lag.as_secs_f64());
    }

    /// Shows what changes by itself.
    pub(super) fn show(&self, revocations: &Revocations, now: Timestamp) {
        let count = u32::try_from(revocations.len()).unwrap_or(u32::MAX);
        metrics::gauge!("hallpass_verifier_revocations").set(f64::from(count));
        if let Some(heard_at) = self.heard_at() {
            let silence = now.since(heard_at).as_secs_f64();
            metrics::gauge!("hallpass_verifier_stream_silence_seconds").set(silence);
        }
    }

    fn heard_at(&self) -> Option<Timestamp> {
        let heard_at = self.heard_at.load(Ordering::Acquire);
        (heard_at != NEVER).then(|| Timestamp::from_millis(heard_at))
    }

    fn details(&self) -> MutexGuard<'_, Details> {
        self.details.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
