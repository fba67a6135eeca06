//! The feed: every reader gets everything, once and in order.

use super::{HOUR, NOW, at_once, end, session};
use crate::session::EndReason;
use crate::store::{Cursor, FeedEntry, Store};
use hallpass_verify::{Revoked, SessionId, Timestamp, UserId};
use std::sync::Arc;
use std::time::Duration;

pub(super) async fn check<S: Store + 'static>(make: impl Fn() -> Arc<S>) {
    it_tells_every_ended_session_once_and_in_order(make().as_ref()).await;
    every_kind_comes_back_as_it_went_in(make().as_ref()).await;
    it_is_read_page_by_page(make().as_ref()).await;
    a_reader_misses_nothing_while_others_write(make()).await;
    old_entries_are_purged_but_those_about_keys(make().as_ref()).await;
    a_cursor_never_comes_back(make().as_ref()).await;
}

const START: Cursor = Cursor(0);

pub(super) async fn all(store: &dyn Store) -> Vec<FeedEntry> {
    store.revoked_since(START, 10_000).await.unwrap()
}

fn token(text: &str) -> Revoked {
    Revoked::Token(text.into())
}

fn key(kid: &str) -> Revoked {
    Revoked::Key(kid.into())
}

async fn it_tells_every_ended_session_once_and_in_order(store: &dyn Store) {
    for number in 1..=3 {
        store.insert_session(&session(number, "u1")).await.unwrap();
    }
    assert_eq!(all(store).await, []);
    store.end_session(&end(2, None)).await.unwrap();
    store.end_session(&end(2, None)).await.unwrap();
    let first = all(store).await;
    assert_eq!(first.len(), 1);
    let second = SessionId::from_bytes([2; 16]);
    assert_eq!(
        (&first[0].revoked, first[0].at),
        (&Revoked::Session(second), NOW)
    );
    let user = UserId::parse("u1").unwrap();
    store
        .end_sessions(&user, None, EndReason::Revoked, NOW)
        .await
        .unwrap();
    let rest = store.revoked_since(first[0].cursor, 10).await.unwrap();
    assert_eq!(rest.len(), 2);
    assert!(rest.is_sorted_by(|one, next| one.cursor < next.cursor));
    let end = rest[1].cursor;
    assert_eq!(store.revoked_since(end, 10).await.unwrap(), []);
}

async fn every_kind_comes_back_as_it_went_in(store: &dyn Store) {
    let user = |text: &str| Revoked::User(UserId::parse(text).unwrap());
    let everything = [
        Revoked::Session(SessionId::from_bytes([0; 16])),
        Revoked::Session(SessionId::from_bytes([255; 16])),
        user("u1"),
        user(&"\u{1f98a}'\"".repeat(42)),
        token("007"),
        token("1e3"),
        token(" A-_'\";\u{1f98a}\u{0}b "),
        key("x'00'"),
        key("007"),
    ];
    for (revoked, seconds) in everything.iter().zip(0..) {
        let at = NOW.minus(Duration::from_millis(1001 * seconds));
        store.revoke(revoked, at).await.unwrap();
    }
    let entries = all(store).await;
    let revoked: Vec<_> = entries.iter().map(|entry| &entry.revoked).collect();
    assert_eq!(revoked, everything.iter().collect::<Vec<_>>());
    for (entry, seconds) in entries.iter().zip(0..) {
        let at = NOW.minus(Duration::from_millis(1001 * seconds));
        assert_eq!(entry.at, at, "{:?}", entry.revoked);
    }
    // Twice is twice: what it means is not for a store to know.
    store.revoke(&everything[0], NOW).await.unwrap();
    assert_eq!(all(store).await.len(), everything.len() + 1);
}

async fn it_is_read_page_by_page(store: &dyn Store) {
    for number in 0..7 {
        let revoked = token(&number.to_string());
        store.revoke(&revoked, NOW).await.unwrap();
    }
    let (mut cursor, mut pages, mut read) = (START, Vec::new(), Vec::new());
    loop {
        let page = store.revoked_since(cursor, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        cursor = last.cursor;
        pages.push(page.len());
        read.extend(page);
    }
    assert_eq!(pages, [3, 3, 1]);
    assert_eq!(read, all(store).await);
    for past in [Cursor(cursor.0 + 1), Cursor(u64::MAX)] {
        assert_eq!(store.revoked_since(past, 3).await.unwrap(), []);
    }
}

/// An entry that shows up behind the cursor of a reader would never be read.
async fn a_reader_misses_nothing_while_others_write<S: Store + 'static>(store: Arc<S>) {
    let writers = {
        let store = store.clone();
        tokio::spawn(at_once(20, move |writer| {
            let store = store.clone();
            async move {
                for number in 0..20 {
                    let revoked = token(&format!("{writer}-{number}"));
                    store.revoke(&revoked, NOW).await.unwrap();
                }
            }
        }))
    };
    let (mut cursor, mut read) = (START, Vec::new());
    loop {
        let is_over = writers.is_finished();
        let page = store.revoked_since(cursor, 7).await.unwrap();
        match page.last() {
            Some(last) => cursor = last.cursor,
            None if is_over => break,
            None => tokio::task::yield_now().await,
        }
        read.extend(page);
    }
    writers.await.unwrap();
    assert_eq!(read.len(), 400);
    assert!(read.is_sorted_by(|one, next| one.cursor < next.cursor));
    assert_eq!(read, all(store.as_ref()).await);
}

async fn old_entries_are_purged_but_those_about_keys(store: &dyn Store) {
    let user = UserId::parse("u1").unwrap();
    let old = NOW.minus(HOUR);
    let entries: [(Revoked, Timestamp); 7] = [
        (key("k1"), old),
        (token("old"), old),
        (Revoked::Session(SessionId::from_bytes([1; 16])), old),
        (token("now"), NOW),
        // The clock of another process may be slow.
        (Revoked::User(user), old),
        (key("k2"), old),
        (token("later"), NOW.plus(HOUR)),
    ];
    for (revoked, at) in &entries {
        store.revoke(revoked, *at).await.unwrap();
    }
    let before = all(store).await;
    store.purge_feed(old).await.unwrap();
    assert_eq!(all(store).await, before);
    store.purge_feed(NOW).await.unwrap();
    let kept = [0, 3, 5, 6].map(|number: usize| before[number].clone());
    assert_eq!(all(store).await, kept);
    store.purge_feed(NOW.plus(2 * HOUR)).await.unwrap();
    assert_eq!(all(store).await, [kept[0].clone(), kept[2].clone()]);
}

/// A reader is at the last entry when all are purged: it must see the next one.
async fn a_cursor_never_comes_back(store: &dyn Store) {
    for number in 1..=3 {
        store.insert_session(&session(number, "u1")).await.unwrap();
    }
    store.end_session(&end(1, None)).await.unwrap();
    store.end_session(&end(2, None)).await.unwrap();
    let last = all(store).await[1].cursor;
    store.purge_feed(NOW.plus(HOUR)).await.unwrap();
    assert_eq!(all(store).await, []);
    store.end_session(&end(3, None)).await.unwrap();
    store.revoke(&token("next"), NOW).await.unwrap();
    let next = store.revoked_since(last, 10).await.unwrap();
    assert_eq!(next.len(), 2);
    assert_eq!(next, all(store).await);
    // A session that is over is no reason to forget that it was ended, nor the other way round.
    assert_eq!(store.purge_sessions(NOW).await.unwrap(), 0);
}
