//! A database of an older program is brought up to date, with everything in it.

use crate::feed::feed;
use crate::{FAST, file};
use hallpass_core::key::{MasterSecret, SealedKey};
use hallpass_core::session::{EndReason, Session};
use hallpass_core::store::{Changed, End, KeyStore as _};
use hallpass_core::store::{Cursor, FeedEntry, FeedStore as _, SessionStore as _, UserStore as _};
use hallpass_core::user::{Email, Password};
use hallpass_core::{Hallpass, Opening, Parts, Settings, SignIn};
use hallpass_io::SqliteStore;
use hallpass_verify::{Algorithm, ManualClock, Revoked, SessionId, Timestamp};
use rusqlite::Connection;
use std::sync::Arc;
use tempfile::TempDir;

/// A database that Hallpass kept while its schema was at version 1.
const SCHEMA_1: &str = include_str!("../data/schema-1.sql");
/// Its master secret, and the password of its users.
const SECRET: &[u8] = b"0123456789abcdefghijklmnopqrstuv";
const PASSWORD: &str = "a fox on the moon";

/// Its sessions, in the order in which they were opened: the first two are Ada's, and only the
/// first has not ended.
const SESSIONS: [&str; 4] = [
    "bSwHWmjirGUc4NxIL29hcA",
    "hix-YEnHoNwHKR6IQDxLtQ",
    "czA3ITIw2eR61e1hBBCm6Q",
    "r3rNmoWcZ5vMlMbInl_NJw",
];

fn restored() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let database = Connection::open(file(&directory)).unwrap();
    database.execute_batch(SCHEMA_1).unwrap();
    directory
}

fn id(number: usize) -> SessionId {
    SessionId::parse(SESSIONS[number]).unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(1_803_456_000 + seconds)
}

async fn row(store: &SqliteStore, number: usize) -> Session {
    store.session(&id(number)).await.unwrap().unwrap()
}

#[tokio::test]
async fn users_and_sessions_of_schema_1_are_there() {
    let directory = restored();
    let store = SqliteStore::open(&file(&directory), FAST).unwrap();
    let mut users = store.users(None, 10).await.unwrap();
    users.sort_by_key(|user| user.name.clone());
    let emails: Vec<_> = users.iter().map(|user| user.email.as_str()).collect();
    assert_eq!(emails, ["ada@example.test", "grace@example.test"]);
    let (ada, grace) = (&users[0].id, &users[1].id);
    let rows = [(0, ada), (1, ada), (2, grace), (3, grace)];
    let ended = [
        None,
        Some((at(40), EndReason::SignedOut)),
        Some((at(50), EndReason::Revoked)),
        Some((at(50), EndReason::Revoked)),
    ];
    for ((number, user), ended) in rows.into_iter().zip(ended) {
        let row = row(&store, number).await;
        assert_eq!((&row.user, row.ended), (user, ended), "{number}");
    }
    let live = store.live_sessions(ada, at(60)).await.unwrap();
    assert_eq!(live, [row(&store, 0).await]);
    assert_eq!((live[0].generation, live[0].rotated_at), (1, at(40)));
}

#[tokio::test]
async fn the_feed_of_schema_1_goes_on() {
    let directory = restored();
    let mut expected: Vec<_> = [(2, 1, 40), (3, 2, 50), (4, 3, 50)]
        .into_iter()
        .map(|(cursor, session, seconds)| FeedEntry {
            cursor: Cursor(cursor),
            revoked: Revoked::Session(id(session)),
            at: at(seconds),
        })
        .collect();
    let store = SqliteStore::open(&file(&directory), FAST).unwrap();
    assert_eq!(feed(&store).await, expected);
    let end = End {
        session: id(0),
        owner: None,
        reason: EndReason::SignedOut,
        now: at(70),
    };
    assert_eq!(store.end_session(&end).await.unwrap(), Changed::Changed);
    expected.push(FeedEntry {
        cursor: Cursor(5),
        revoked: Revoked::Session(id(0)),
        at: at(70),
    });
    assert_eq!(feed(&store).await, expected);
}

/// A reader of the feed may be at its end, which a purge has taken.
#[tokio::test]
async fn the_feed_of_schema_1_goes_on_when_it_is_empty() {
    let directory = restored();
    Connection::open(file(&directory))
        .unwrap()
        .execute("DELETE FROM ended_session", [])
        .unwrap();
    let store = SqliteStore::open(&file(&directory), FAST).unwrap();
    assert_eq!(feed(&store).await, []);
    let token = Revoked::Token("t1".into());
    store.revoke(&token, at(70)).await.unwrap();
    assert_eq!(feed(&store).await[0].cursor, Cursor(5));
}

#[tokio::test]
async fn the_keys_of_schema_1_have_signed_since_they_were_made() {
    let directory = restored();
    let store = SqliteStore::open(&file(&directory), FAST).unwrap();
    let keys = store.keys().await.unwrap();
    let made = Timestamp::from_seconds(1_800_000_000);
    let expected = [
        ("wVwCiewtCpFn", Algorithm::EdDsa, made, [0xa5, 0x3c]),
        ("zlaXHN41WJdC", Algorithm::Es256, at(60), [0x2f, 0x53]),
    ];
    assert_eq!(keys.len(), expected.len());
    for (key, (kid, algorithm, created_at, sealed)) in keys.iter().zip(expected) {
        assert_eq!((key.kid.as_str(), key.algorithm), (kid, algorithm));
        assert_eq!((key.created_at, key.signs_from), (created_at, created_at));
        assert_eq!((key.revoked_at, &key.sealed[..2]), (None, &sealed[..]));
    }
    let next = SealedKey {
        kid: "next".into(),
        ..keys[0].clone()
    };
    let added = store.add_key(next.clone(), Some("zlaXHN41WJdC")).await;
    assert_eq!(added.unwrap(), Changed::Changed);
    drop(store);
    // The next start changes nothing.
    let store = SqliteStore::open(&file(&directory), FAST).unwrap();
    assert_eq!(store.keys().await.unwrap(), [keys, vec![next]].concat());
    let integrity: String = Connection::open(file(&directory))
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(integrity, "ok");
}

#[tokio::test]
async fn hallpass_starts_on_schema_1_and_its_users_sign_in() {
    let directory = restored();
    let store = SqliteStore::open(&file(&directory), FAST).unwrap();
    let secret = MasterSecret::from_bytes(SECRET.to_vec()).unwrap();
    let parts = Parts::new(Arc::new(store), secret).clock(Arc::new(ManualClock::at(at(100))));
    let hallpass = Hallpass::start(Settings::new("https://auth.example.test"), parts)
        .await
        .unwrap();
    let verifying = hallpass.verifier().keys().current();
    for kid in ["wVwCiewtCpFn", "zlaXHN41WJdC"] {
        assert!(verifying.get(kid).is_some(), "{kid}");
    }
    let revocations = hallpass.verifier().revocations();
    let ended: Vec<_> = (0..4)
        .map(|number| revocations.has_session(&id(number)))
        .collect();
    assert_eq!(ended, [false, true, true, true]);
    let sign_in = SignIn {
        email: Email::parse("ada@example.test").unwrap(),
        password: Password::presented(PASSWORD).unwrap(),
    };
    let issued = hallpass.sign_in(sign_in, Opening::default()).await.unwrap();
    assert_eq!(
        hallpass.sessions(&issued.session.user).await.unwrap().len(),
        2
    );
}
