//! What was revoked lately, in memory: what streams to other services read.

use crate::store::{Cursor, FeedEntry};
use hallpass_verify::{Revoked, Timestamp};
use std::collections::VecDeque;
use std::sync::{PoisonError, RwLock};
use tokio::sync::{Notify, watch};

/// The feed of the store as this process has read it, as far back as it matters.
///
/// However many streams read it, the store is asked once.
#[derive(Debug)]
pub struct Feed {
    entries: RwLock<VecDeque<FeedEntry>>,
    latest: watch::Sender<Cursor>,
    /// This process has appended to the feed of the store.
    pub(crate) appended: Notify,
}

/// A part of the feed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// The entries, in order.
    pub entries: Vec<FeedEntry>,
    /// Where the next part begins.
    pub cursor: Cursor,
    /// Whether there are more already.
    pub more: bool,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            entries: RwLock::default(),
            latest: watch::Sender::new(Cursor::default()),
            appended: Notify::new(),
        }
    }
}

impl Feed {
    /// Returns up to `limit` entries after `cursor`. A cursor from beyond the end belongs to a
    /// store that was put back: everything is told again.
    #[must_use]
    pub fn since(&self, cursor: Cursor, limit: usize) -> Page {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let latest = self.latest();
        let cursor = if cursor > latest {
            Cursor::default()
        } else {
            cursor
        };
        let first = entries.partition_point(|entry| entry.cursor <= cursor);
        let part: Vec<FeedEntry> = entries.range(first..).take(limit).cloned().collect();
        let more = first + part.len() < entries.len();
        Page {
            cursor: part
                .last()
                .filter(|_| more)
                .map_or(latest, |last| last.cursor),
            entries: part,
            more,
        }
    }

    /// Returns the end of the feed.
    #[must_use]
    pub fn latest(&self) -> Cursor {
        *self.latest.borrow()
    }

    /// Returns what tells when the feed has grown.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Cursor> {
        self.latest.subscribe()
    }

    /// Appends what was read from the store.
    pub(crate) fn append(&self, read: Vec<FeedEntry>) {
        let Some(latest) = read.last().map(|entry| entry.cursor) else {
            return;
        };
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.extend(read);
        // In the lock: whoever is woken finds the entries.
        self.latest.send_replace(latest);
    }

    /// Forgets entries older than `before`, but those about keys.
    pub(crate) fn forget(&self, before: Timestamp) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let is_old =
            |entry: &FeedEntry| entry.at < before && !matches!(entry.revoked, Revoked::Key(_));
        if entries.front().is_some_and(is_old) || entries.iter().take(64).any(is_old) {
            entries.retain(|entry| !is_old(entry));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_verify::SessionId;

    fn entry(number: u64) -> FeedEntry {
        FeedEntry {
            cursor: Cursor(number),
            revoked: Revoked::Session(SessionId::from_bytes([1; 16])),
            at: Timestamp::from_seconds(number),
        }
    }

    fn cursors(page: &Page) -> Vec<u64> {
        page.entries.iter().map(|entry| entry.cursor.0).collect()
    }

    #[test]
    fn whoever_reads_on_misses_nothing_and_reads_nothing_twice() {
        let feed = Feed::default();
        assert_eq!(cursors(&feed.since(Cursor(0), 10)), [0; 0]);
        feed.append(vec![entry(3), entry(4), entry(7)]);
        let first = feed.since(Cursor(0), 2);
        assert_eq!(
            (cursors(&first), first.cursor, first.more),
            (vec![3, 4], Cursor(4), true)
        );
        let rest = feed.since(first.cursor, 2);
        assert_eq!(
            (cursors(&rest), rest.cursor, rest.more),
            (vec![7], Cursor(7), false)
        );
        assert_eq!(cursors(&feed.since(rest.cursor, 2)), [0; 0]);
        assert_eq!(cursors(&feed.since(Cursor(5), 9)), [7]);
    }

    #[test]
    fn a_cursor_from_the_future_begins_anew() {
        let feed = Feed::default();
        feed.append(vec![entry(3)]);
        assert_eq!(cursors(&feed.since(Cursor(99), 10)), [3]);
    }

    #[test]
    fn old_entries_go_and_revoked_keys_stay() {
        let feed = Feed::default();
        let key = FeedEntry {
            revoked: Revoked::Key("k".into()),
            ..entry(1)
        };
        feed.append(vec![key, entry(2), entry(3)]);
        feed.forget(Timestamp::from_seconds(3));
        assert_eq!(cursors(&feed.since(Cursor(0), 10)), [1, 3]);
        assert_eq!(feed.latest(), Cursor(3));
    }

    #[test]
    fn a_reader_is_told_that_the_feed_has_grown() {
        let feed = Feed::default();
        let watch = feed.watch();
        assert!(!watch.has_changed().unwrap());
        feed.append(vec![entry(1)]);
        assert!(watch.has_changed().unwrap());
    }
}
