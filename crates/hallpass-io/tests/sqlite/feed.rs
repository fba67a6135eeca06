//! The feed and the tickets: purged in steps, read while others write.

use crate::{NOW, id, open};
use hallpass_core::store::{
    Cursor, FeedEntry, FeedStore as _, Ticket, TicketHash, TicketStore as _,
};
use hallpass_io::SqliteStore;
use hallpass_verify::Revoked;
use std::sync::Arc;
use std::time::Duration;

pub(crate) async fn feed(store: &SqliteStore) -> Vec<FeedEntry> {
    let start = Cursor::default();
    store.revoked_since(start, u32::MAX).await.unwrap()
}

#[tokio::test]
async fn a_purge_of_the_feed_takes_as_many_steps_as_it_needs_and_lets_others_write() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&directory));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..3500 {
        let revoked = match number % 1000 {
            0 => Revoked::Key(format!("k{number}")),
            _ => Revoked::Token(format!("t{number}")),
        };
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.revoke(&revoked, NOW).await.unwrap() });
    }
    tasks.join_all().await;
    assert_eq!(feed(&store).await.len(), 3500);
    let (before, later) = (store.commits(), NOW.plus(Duration::from_secs(1)));
    store.purge_feed(later).await.unwrap();
    assert_eq!(store.commits() - before, 4);
    let kept = feed(&store).await;
    assert_eq!(kept.len(), 4);
    let is_key = |entry: &FeedEntry| matches!(entry.revoked, Revoked::Key(_));
    assert!(kept.iter().all(is_key), "{kept:?}");
}

#[tokio::test]
async fn a_purge_of_tickets_takes_as_many_steps_as_it_needs() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&directory));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..2600 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.insert_ticket(ticket(number)).await.unwrap() });
    }
    tasks.join_all().await;
    let before = store.commits();
    let later = NOW.plus(Duration::from_millis(2500));
    store.purge_tickets(later).await.unwrap();
    assert_eq!(store.commits() - before, 3);
    for number in 2400..2600 {
        let taken = store.take_ticket(&ticket(number).hash, NOW).await.unwrap();
        assert_eq!(taken, (number >= 2500).then(|| id(number)), "{number}");
    }
}

/// Ticket `number`, which expires after that many milliseconds.
pub(crate) fn ticket(number: u64) -> Ticket {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&number.to_le_bytes());
    Ticket {
        hash: TicketHash(hash),
        session: id(number),
        expires_at: NOW.plus(Duration::from_millis(number)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_reader_of_one_store_misses_nothing_that_two_stores_write() {
    let directory = tempfile::tempdir().unwrap();
    let (here, there) = (Arc::new(open(&directory)), Arc::new(open(&directory)));
    let writers: Vec<_> = (0..8)
        .map(|task| {
            let store = Arc::clone(if task % 2 == 0 { &here } else { &there });
            tokio::spawn(async move {
                for number in 0..50 {
                    let revoked = Revoked::Token(format!("{task}-{number}"));
                    store.revoke(&revoked, NOW).await.unwrap();
                }
            })
        })
        .collect();
    let (mut cursor, mut read) = (Cursor::default(), Vec::new());
    loop {
        let is_over = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let page = here.revoked_since(cursor, 16).await.unwrap();
        match page.last() {
            Some(last) => cursor = last.cursor,
            None if is_over => break,
            None => tokio::task::yield_now().await,
        }
        read.extend(page);
    }
    assert_eq!(read.len(), 400);
    assert_eq!(read, feed(&there).await);
}
