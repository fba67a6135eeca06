//! A database of schema 2 is brought up to date: its sessions go on, and say nothing they did not
//! say before.

use crate::feed::feed;
use crate::{FAST, file};
use hallpass_core::key::MasterSecret;
use hallpass_core::session::{Device, EndReason};
use hallpass_core::store::{Cursor, FeedEntry, KeyStore as _, SessionStore as _};
use hallpass_core::{
    Carrier, Hallpass, IdempotencyKey, Opening, OwnClaims, Parts, Proof, Scopes, Settings,
};
use hallpass_io::SqliteStore;
use hallpass_verify::{Location, ManualClock, Revoked, SessionId, Timestamp};
use rusqlite::Connection;
use std::sync::Arc;
use tempfile::TempDir;

/// A database that Hallpass kept while its schema was at version 2.
const SCHEMA_2: &str = include_str!("../data/schema-2.sql");
const SECRET: &[u8] = b"0123456789abcdefghijklmnopqrstuv";
const ADAS: &str = "-Ttr7o-JziDj53Bs3csuTg";
const GRACES: &str = "0lkfpo5D54hzdmJKpBWQ_A";
const GRACE: &str = "HhdEzMoG9ES3k31NKp6y_A";
/// What Ada's client holds.
const REFRESH: &str = "hpr_Afk7a-6Pic4g4-dwbN3LLk4AAAABeJmfqFREJLM2YnZr12fppeLLJ4gdYw27tclBasefg7k";
const ACCESS: &str = "eyJhbGciOiJFZERTQSIsImtpZCI6Ikx6TU0wcmJpOXIwUyIsInR5cCI6ImF0K2p3dCJ9.eyJpc3MiOiJodHRwczovL2F1dGguZXhhbXBsZS50ZXN0IiwiYXVkIjoiaHR0cHM6Ly9hdXRoLmV4YW1wbGUudGVzdCIsInN1YiI6ImtEN08xdEhMcFB3QnF1YzVLZ1JFVEEiLCJzaWQiOiItVHRyN28tSnppRGo1M0JzM2NzdVRnIiwianRpIjoibTdGQUkzaXJQemdKU05vSVNWWEdZQSIsImlhdCI6MTgwMzQ1NjAyMCwiZXhwIjoxODAzNDU2OTIwLCJhdXRoX3RpbWUiOjE4MDM0NTYwMDAsImFtciI6WyJwd2QiXSwicm9sZXMiOlsic3RhZmYiXSwiY3NoIjoiX0gtQ0RpVmZTYm1Rd1JmUFV5Z0ZVUXZ0QlJuZzRncy1tQ3ZQQ2poeDJ0ZyJ9.iOlyYr-7vkXPv6tphUz7Il4PiNvxAnVUwhCOgnIvTceOYnPyPCZ37VsSEKF8oqEkUFGOvxmfZZY1n92nemCjAA";

fn restored() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let database = Connection::open(file(&directory)).unwrap();
    database.execute_batch(SCHEMA_2).unwrap();
    directory
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(1_803_456_000 + seconds)
}

async fn started(directory: &TempDir) -> Hallpass {
    let store = SqliteStore::open(&file(directory), FAST).unwrap();
    let secret = MasterSecret::from_bytes(SECRET.to_vec()).unwrap();
    let parts = Parts::new(Arc::new(store), secret).clock(Arc::new(ManualClock::at(at(60))));
    let settings = Settings::new("https://auth.example.test");
    Hallpass::start(settings, parts).await.unwrap()
}

#[tokio::test]
async fn the_sessions_of_schema_2_are_there_and_say_nothing_more() {
    let directory = restored();
    let store = SqliteStore::open(&file(&directory), FAST).unwrap();
    for (id, generation, ended) in [
        (ADAS, 1, None),
        (GRACES, 0, Some((at(30), EndReason::Revoked))),
    ] {
        let id = SessionId::parse(id).unwrap();
        let row = store.session(&id).await.unwrap().unwrap();
        assert_eq!((row.generation, row.ended), (generation, ended), "{id}");
        assert_eq!((row.scopes, row.claims), Default::default(), "{id}");
        assert_eq!(row.device.user_agent.as_deref(), Some("Browser/1"));
    }
    let revoked = [
        Revoked::Session(SessionId::parse(GRACES).unwrap()),
        Revoked::User(hallpass_verify::UserId::parse(GRACE).unwrap()),
        Revoked::Token("t1".into()),
    ];
    let expected = (1..).zip(revoked).map(|(cursor, revoked)| FeedEntry {
        cursor: Cursor(cursor),
        revoked,
        at: at(30),
    });
    assert_eq!(feed(&store).await, expected.collect::<Vec<_>>());
    assert_eq!(store.keys().await.unwrap().len(), 2);
    let version: u32 = Connection::open(file(&directory))
        .unwrap()
        .query_row("SELECT max(version) FROM schema_version", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(version, 3);
}

#[tokio::test]
async fn what_clients_hold_since_schema_2_goes_on_working() {
    let directory = restored();
    let hallpass = started(&directory).await;
    let verified = |token: &str| hallpass.verifier().verify(token, Location::Header, at(60));
    assert_eq!(
        verified(ACCESS).unwrap().session().unwrap().to_string(),
        ADAS
    );
    let key = IdempotencyKey::parse("one-attempt-to-refresh-0002").unwrap();
    let token = hallpass.open_refresh_token(REFRESH, Carrier::Body).unwrap();
    let issued = hallpass.refresh(token, Some(key), &Device::default()).await;
    let issued = issued.unwrap();
    assert_eq!(issued.session.generation, 2);
    let caller = verified(issued.access.expose()).unwrap();
    assert_eq!(caller.roles(), ["staff"]);
    assert_eq!(
        (caller.scopes().len(), caller.claims().others.len()),
        (0, 0)
    );
}

#[tokio::test]
async fn a_session_that_says_more_comes_back_after_a_restart() {
    let directory = restored();
    let opening = Opening {
        scopes: Scopes::new(["orders:read", "users:*"]).unwrap(),
        claims: OwnClaims::default().with("tenant", "acme").unwrap(),
        ..Opening::default()
    };
    let proof = Proof::asserted_by_app(hallpass_verify::UserId::parse("eve").unwrap(), &["pwd"]);
    let issued = started(&directory).await.open_session(proof, opening).await;
    let issued = issued.unwrap();
    let restarted = started(&directory).await;
    let token = restarted.open_refresh_token(issued.refresh.expose(), Carrier::Cookie);
    let refreshed = restarted
        .refresh(token.unwrap(), None, &Device::default())
        .await
        .unwrap();
    assert_eq!(refreshed.session.scopes, issued.session.scopes);
    assert_eq!(refreshed.session.claims, issued.session.claims);
}
