//! What every store must do, as tests that a store's own tests call.
//!
//! ```
//! use hallpass_core::store::{MemoryStore, contract};
//! use std::sync::Arc;
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! contract::check(|| Arc::new(MemoryStore::default())).await;
//! # });
//! ```
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod feed;
mod keys;
mod tickets;

use super::{Advance, Advanced, Changed, Cursor, End, Inserted, Store};
use crate::delivery::Delivery;
use crate::grant::{OwnClaims, Scopes};
use crate::session::{Device, EndReason, Persistence, RotationKeyHash, Session};
use crate::user::{Email, PasswordHash, User};
use hallpass_verify::{SessionId, Timestamp, UserId};
use std::sync::Arc;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const HOUR: Duration = Duration::from_hours(1);

/// Checks a store. `make` returns an empty one each time.
pub async fn check<S: Store + 'static>(make: impl Fn() -> Arc<S>) {
    a_user_is_found_by_id_and_by_email(make().as_ref()).await;
    a_second_sign_up_with_the_same_email_is_refused(make()).await;
    a_password_is_replaced_only_if_it_is_still_the_old_one(make().as_ref()).await;
    the_roles_of_one_user_are_replaced(make().as_ref()).await;
    users_are_listed_page_by_page(make().as_ref()).await;
    a_session_comes_back_as_it_went_in(make().as_ref()).await;
    a_session_moves_on_only_from_the_generation_it_is_at(make().as_ref()).await;
    the_idle_lifetime_slides_and_the_absolute_one_does_not(make().as_ref()).await;
    of_fifty_concurrent_refreshes_exactly_one_moves_the_session(make()).await;
    a_sign_out_wins_against_concurrent_refreshes(make()).await;
    a_session_is_ended_once_and_by_its_owner_only(make().as_ref()).await;
    all_sessions_but_one_are_ended_in_one_step(make().as_ref()).await;
    only_sessions_that_are_over_are_purged(make().as_ref()).await;
    feed::check(&make).await;
    keys::check(&make).await;
    tickets::check(&make).await;
}

/// Returns a user for tests.
#[must_use]
pub fn user(id: &str, email: &str) -> User {
    User {
        id: UserId::parse(id).unwrap(),
        email: Email::parse(email).unwrap(),
        name: Some("Ada \u{1f98a} Lovelace".into()),
        roles: vec!["admin".into(), "staff".into()],
        created_at: NOW,
    }
}

/// Returns a session for tests: number `number` of `user`, an hour idle, ten hours in all.
#[must_use]
pub fn session(number: u8, user: &str) -> Session {
    Session {
        id: SessionId::from_bytes([number; 16]),
        user: UserId::parse(user).unwrap(),
        delivery: Delivery::Split,
        persistence: Persistence::Transient,
        scopes: Scopes::new(["orders:read", "users:*"]).unwrap(),
        claims: OwnClaims::default()
            .with("tenant", "A\u{1f98a} \"quoted\"")
            .unwrap()
            .with(
                "plan",
                serde_json::json!({"seats": 12, "share": 0.1, "none": null}),
            )
            .unwrap(),
        methods: vec!["pwd".into()],
        authenticated_at: NOW.minus(HOUR),
        created_at: NOW,
        rotated_at: NOW,
        generation: 0,
        rotation_key: None,
        idle_ttl: HOUR,
        idle_expires_at: NOW.plus(HOUR),
        expires_at: NOW.plus(10 * HOUR),
        ended: None,
        device: Device {
            ip: Some("2001:db8::1".parse().unwrap()),
            user_agent: Some("curl/8 \"\u{1f98a}\"".into()),
        },
    }
}

fn step(number: u8, from: u32, now: Timestamp) -> Advance {
    Advance {
        session: SessionId::from_bytes([number; 16]),
        from,
        to: from + 1,
        now,
        key: Some(RotationKeyHash([from.to_be_bytes()[3]; 16])),
    }
}

/// Runs `call` with the numbers from 0 to `count` at once, and returns what came of each.
async fn at_once<T, F>(count: u8, call: impl Fn(u8) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..count)
        .map(|number| tokio::spawn(call(number)))
        .collect();
    let mut came = Vec::new();
    for task in tasks {
        came.push(task.await.unwrap());
    }
    came
}

fn end(number: u8, owner: Option<&str>) -> End {
    End {
        session: SessionId::from_bytes([number; 16]),
        owner: owner.map(|id| UserId::parse(id).unwrap()),
        reason: EndReason::SignedOut,
        now: NOW,
    }
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::new(text.into())
}

async fn a_user_is_found_by_id_and_by_email(store: &dyn Store) {
    let ada = user("u1", "Ada@Example.test");
    assert_eq!(
        store.insert_user(&ada, &hash("phc-1")).await.unwrap(),
        Inserted::Inserted
    );
    assert_eq!(store.user(&ada.id).await.unwrap(), Some(ada.clone()));
    let key = Email::parse("aDA@example.TEST").unwrap().key();
    let found = store.credentials(&key).await.unwrap().unwrap();
    assert_eq!(found.user, ada);
    assert_eq!(found.password.expose(), "phc-1");
    let nobody = Email::parse("bob@example.test").unwrap().key();
    assert!(store.credentials(&nobody).await.unwrap().is_none());
    assert_eq!(
        store.user(&UserId::parse("u2").unwrap()).await.unwrap(),
        None
    );
    let bare = User {
        name: None,
        roles: vec![],
        ..user("u3", "c@example.test")
    };
    store.insert_user(&bare, &hash("x")).await.unwrap();
    assert_eq!(store.user(&bare.id).await.unwrap(), Some(bare));
}

async fn a_second_sign_up_with_the_same_email_is_refused<S: Store + 'static>(store: Arc<S>) {
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let store = store.clone();
            let email = if number % 2 == 0 {
                "eve@example.test"
            } else {
                "EVE@Example.Test"
            };
            let user = user(&format!("u{number}"), email);
            tokio::spawn(async move { store.insert_user(&user, &hash("x")).await.unwrap() })
        })
        .collect();
    let mut inserted = 0;
    for task in tasks {
        inserted += usize::from(task.await.unwrap() == Inserted::Inserted);
    }
    assert_eq!(inserted, 1);
    assert_eq!(store.users(None, 100).await.unwrap().len(), 1);
}

async fn a_password_is_replaced_only_if_it_is_still_the_old_one(store: &dyn Store) {
    let ada = user("u1", "ada@example.test");
    store.insert_user(&ada, &hash("old")).await.unwrap();
    let replace = async |old, new| {
        store
            .replace_password(&ada.id, &hash(old), &hash(new))
            .await
            .unwrap()
    };
    assert_eq!(replace("old", "new").await, Changed::Changed);
    assert_eq!(replace("old", "other").await, Changed::Unchanged);
    let found = store.credentials(&ada.email.key()).await.unwrap().unwrap();
    assert_eq!(found.password.expose(), "new");
}

async fn the_roles_of_one_user_are_replaced(store: &dyn Store) {
    let (ada, bob) = (
        user("u1", "ada@example.test"),
        user("u2", "bob@example.test"),
    );
    for user in [&ada, &bob] {
        store.insert_user(user, &hash("x")).await.unwrap();
    }
    for roles in [vec!["admin".to_owned(), "a, \"b\"".to_owned()], vec![]] {
        let replaced = store.replace_roles(&ada.id, &roles).await.unwrap();
        assert_eq!(replaced, Changed::Changed);
        let found = store.user(&ada.id).await.unwrap().unwrap();
        assert_eq!(found.roles, roles);
        assert_eq!(store.user(&bob.id).await.unwrap().unwrap(), bob);
    }
    let nobody = UserId::parse("u3").unwrap();
    let replaced = store.replace_roles(&nobody, &[]).await.unwrap();
    assert_eq!(replaced, Changed::Unchanged);
}

async fn users_are_listed_page_by_page(store: &dyn Store) {
    for number in 0..5 {
        let user = user(&format!("u{number}"), &format!("u{number}@example.test"));
        store.insert_user(&user, &hash("x")).await.unwrap();
    }
    let ids = async |after: Option<&str>| -> Vec<String> {
        let after = after.map(|id| UserId::parse(id).unwrap());
        let users = store.users(after.as_ref(), 2).await.unwrap();
        users.iter().map(|user| user.id.to_string()).collect()
    };
    assert_eq!(ids(None).await, ["u0", "u1"]);
    assert_eq!(ids(Some("u1")).await, ["u2", "u3"]);
    assert_eq!(ids(Some("u3")).await, ["u4"]);
    assert!(ids(Some("u4")).await.is_empty());
}

async fn a_session_comes_back_as_it_went_in(store: &dyn Store) {
    let bare = Session {
        device: Device::default(),
        methods: vec![],
        scopes: Scopes::default(),
        claims: OwnClaims::default(),
        ..session(2, "u1")
    };
    for session in [session(1, "u1"), bare] {
        store.insert_session(&session).await.unwrap();
        assert_eq!(store.session(&session.id).await.unwrap(), Some(session));
    }
    assert_eq!(
        store
            .session(&SessionId::from_bytes([3; 16]))
            .await
            .unwrap(),
        None
    );
    let live = store
        .live_sessions(&UserId::parse("u1").unwrap(), NOW)
        .await
        .unwrap();
    assert_eq!(live.len(), 2);
    assert!(
        store
            .live_sessions(&UserId::parse("u2").unwrap(), NOW)
            .await
            .unwrap()
            .is_empty()
    );
    let over = NOW.plus(HOUR);
    assert!(
        store
            .live_sessions(&UserId::parse("u1").unwrap(), over)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn a_session_moves_on_only_from_the_generation_it_is_at(store: &dyn Store) {
    store.insert_session(&session(1, "u1")).await.unwrap();
    let later = NOW.plus(Duration::from_secs(5));
    let Advanced::Moved(moved) = store.advance(&step(1, 0, later)).await.unwrap() else {
        panic!("expected the session to move");
    };
    assert_eq!((moved.generation, moved.rotated_at), (1, later));
    assert_eq!(moved.rotation_key, Some(RotationKeyHash([0; 16])));
    let opened = session(1, "u1");
    assert_eq!(
        (&moved.scopes, &moved.claims),
        (&opened.scopes, &opened.claims)
    );
    assert_eq!(store.session(&moved.id).await.unwrap(), Some(moved.clone()));
    for from in [0, 2] {
        let Advanced::Stayed(Some(stayed)) = store.advance(&step(1, from, later)).await.unwrap()
        else {
            panic!("expected the session to stay");
        };
        assert_eq!(stayed, moved);
    }
    let nowhere = store.advance(&step(9, 0, later)).await.unwrap();
    assert!(matches!(nowhere, Advanced::Stayed(None)));
    let healed = Advance {
        from: 1,
        to: 8,
        key: None,
        ..step(1, 1, later)
    };
    let Advanced::Moved(healed) = store.advance(&healed).await.unwrap() else {
        panic!("expected the session to move");
    };
    assert_eq!((healed.generation, healed.rotation_key), (8, None));
}

async fn the_idle_lifetime_slides_and_the_absolute_one_does_not(store: &dyn Store) {
    store.insert_session(&session(1, "u1")).await.unwrap();
    let expires_at = NOW.plus(10 * HOUR);
    let mut now = NOW;
    for from in 0..12 {
        now = now.plus(HOUR / 2 + Duration::from_secs(1000));
        let Advanced::Moved(moved) = store.advance(&step(1, from, now)).await.unwrap() else {
            break;
        };
        assert_eq!(moved.idle_expires_at, now.plus(HOUR).min(expires_at));
        assert_eq!(moved.expires_at, expires_at);
    }
    let at_the_end = store.advance(&step(1, 12, expires_at)).await.unwrap();
    assert!(matches!(at_the_end, Advanced::Stayed(Some(_))));
    store.insert_session(&session(2, "u1")).await.unwrap();
    let idle_over = store.advance(&step(2, 0, NOW.plus(HOUR))).await.unwrap();
    assert!(matches!(idle_over, Advanced::Stayed(Some(row)) if row.generation == 0));
}

async fn of_fifty_concurrent_refreshes_exactly_one_moves_the_session<S: Store + 'static>(
    store: Arc<S>,
) {
    store.insert_session(&session(1, "u1")).await.unwrap();
    for generation in 0..20 {
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.advance(&step(1, generation, NOW)).await.unwrap() })
            })
            .collect();
        let mut moved = 0;
        for task in tasks {
            match task.await.unwrap() {
                Advanced::Moved(_) => moved += 1,
                Advanced::Stayed(Some(row)) => assert_eq!(row.generation, generation + 1),
                Advanced::Stayed(None) => panic!("the session is gone"),
            }
        }
        assert_eq!(moved, 1, "generation {generation}");
    }
}

async fn a_sign_out_wins_against_concurrent_refreshes<S: Store + 'static>(store: Arc<S>) {
    for number in 0..20 {
        store.insert_session(&session(number, "u1")).await.unwrap();
        let refreshes: Vec<_> = (0..10)
            .map(|from| {
                let store = store.clone();
                tokio::spawn(async move { store.advance(&step(number, from, NOW)).await })
            })
            .collect();
        let signing_out = store.clone();
        let sign_out =
            tokio::spawn(async move { signing_out.end_session(&end(number, None)).await });
        assert_eq!(sign_out.await.unwrap().unwrap(), Changed::Changed);
        // From here on nothing moves, whatever was in flight.
        let ended = store
            .session(&SessionId::from_bytes([number; 16]))
            .await
            .unwrap()
            .unwrap();
        assert!(ended.ended.is_some());
        for refresh in refreshes {
            refresh.await.unwrap().unwrap();
        }
        let after = store.session(&ended.id).await.unwrap().unwrap();
        assert_eq!(after, ended);
    }
}

async fn a_session_is_ended_once_and_by_its_owner_only(store: &dyn Store) {
    store.insert_session(&session(1, "u1")).await.unwrap();
    assert_eq!(
        store.end_session(&end(1, Some("u2"))).await.unwrap(),
        Changed::Unchanged
    );
    assert_eq!(
        store.end_session(&end(1, Some("u1"))).await.unwrap(),
        Changed::Changed
    );
    assert_eq!(
        store.end_session(&end(1, Some("u1"))).await.unwrap(),
        Changed::Unchanged
    );
    assert_eq!(
        store.end_session(&end(7, None)).await.unwrap(),
        Changed::Unchanged
    );
    let row = store
        .session(&SessionId::from_bytes([1; 16]))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.ended, Some((NOW, EndReason::SignedOut)));
    let stays = store.advance(&step(1, 0, NOW)).await.unwrap();
    assert!(matches!(stays, Advanced::Stayed(Some(row)) if row.generation == 0));
}

async fn all_sessions_but_one_are_ended_in_one_step(store: &dyn Store) {
    for number in 1..=4 {
        store.insert_session(&session(number, "u1")).await.unwrap();
    }
    let idle = Session {
        idle_expires_at: NOW,
        ..session(6, "u1")
    };
    store.insert_session(&idle).await.unwrap();
    store.insert_session(&session(5, "u2")).await.unwrap();
    store.end_session(&end(2, None)).await.unwrap();
    let mine = UserId::parse("u1").unwrap();
    let keep = Some(SessionId::from_bytes([1; 16]));
    let mut ended = store
        .end_sessions(&mine, keep, EndReason::Revoked, NOW)
        .await
        .unwrap();
    ended.sort();
    assert_eq!(
        ended,
        [
            SessionId::from_bytes([3; 16]),
            SessionId::from_bytes([4; 16])
        ]
    );
    let live = store.live_sessions(&mine, NOW).await.unwrap();
    assert_eq!(live.len(), 1);
    assert_eq!(Some(live[0].id), keep);
    let theirs = UserId::parse("u2").unwrap();
    assert_eq!(store.live_sessions(&theirs, NOW).await.unwrap().len(), 1);
    let rest = store
        .end_sessions(&mine, None, EndReason::Revoked, NOW)
        .await
        .unwrap();
    assert_eq!(rest.len(), 1);
}

async fn only_sessions_that_are_over_are_purged(store: &dyn Store) {
    for number in 1..=3 {
        store.insert_session(&session(number, "u1")).await.unwrap();
    }
    store.end_session(&end(3, None)).await.unwrap();
    store
        .advance(&step(2, 0, NOW.plus(HOUR / 2)))
        .await
        .unwrap();
    assert_eq!(store.purge_sessions(NOW).await.unwrap(), 0);
    let later = NOW.plus(HOUR + Duration::from_secs(1));
    assert_eq!(store.purge_sessions(later).await.unwrap(), 2);
    for (number, kept) in [(1, false), (2, true), (3, false)] {
        let row = store.session(&SessionId::from_bytes([number; 16])).await;
        assert_eq!(row.unwrap().is_some(), kept, "{number}");
    }
    // Who has not read the feed yet still finds it there.
    let feed = store.revoked_since(Cursor::default(), 10).await.unwrap();
    assert_eq!(feed.len(), 1);
}

#[cfg(test)]
mod tests {
    #[tokio::test(flavor = "multi_thread")]
    async fn the_memory_store_keeps_the_contract() {
        super::check(|| std::sync::Arc::new(crate::store::MemoryStore::default())).await;
    }
}
