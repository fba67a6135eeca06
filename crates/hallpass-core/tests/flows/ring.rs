//! Signing keys come and go, and no valid token is refused meanwhile.

use crate::common::*;
use hallpass_core::audit::EventKind;
use hallpass_core::key::{KeySettings, KeyState};
use hallpass_core::store::KeyStore as _;
use hallpass_core::{Hallpass, Issued, Settings};
use hallpass_verify::{Algorithm, KeySet, TokenError};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// Returns the `kid` of a token.
fn kid(issued: &Issued) -> String {
    let compact = hallpass_verify::jws::Compact::split(issued.access.expose()).unwrap();
    compact.header().unwrap().key_id.unwrap()
}

/// Returns what a verifier elsewhere gets.
fn published(hallpass: &Hallpass) -> Vec<String> {
    let jwks = hallpass.verifier().keys().current().to_jwks();
    let keys = KeySet::from_jwks(jwks.to_string().as_bytes()).unwrap();
    keys.iter().map(|key| key.kid().to_owned()).collect()
}

fn states(hallpass: &Hallpass) -> Vec<KeyState> {
    hallpass.keys().iter().map(|key| key.state).collect()
}

async fn pass(world: &World, hallpass: &Hallpass, span: Duration) {
    world.clock.advance(span);
    hallpass.keep_keys().await.unwrap();
    hallpass.sync().await.unwrap();
}

#[tokio::test]
async fn jk_03_a_new_key_signs_only_after_it_was_published_and_the_old_one_goes_on_verifying() {
    let (world, hallpass) = World::started().await;
    let first = kid(&open(&hallpass, "ada").await);
    let next = hallpass.rotate_key().await.unwrap();
    assert_eq!(next.state, KeyState::Next);
    assert_eq!(published(&hallpass), [first.clone(), next.kid.clone()]);
    pass(&world, &hallpass, 59 * MINUTE).await;
    let last_of_first = open(&hallpass, "ada").await;
    assert_eq!(kid(&last_of_first), first);
    pass(&world, &hallpass, MINUTE).await;
    let of_next = open(&hallpass, "ada").await;
    assert_eq!(kid(&of_next), next.kid);
    // The old key leaves when nothing that it signed can be unexpired, and not before.
    pass(&world, &hallpass, 14 * MINUTE + 9 * SECOND).await;
    verify(&hallpass, &last_of_first).unwrap();
    assert_eq!(states(&hallpass), [KeyState::Retired, KeyState::Active]);
    pass(&world, &hallpass, MINUTE + 12 * SECOND).await;
    assert_eq!(published(&hallpass), [next.kid]);
    assert_eq!(world.store.keys().await.unwrap().len(), 1);
    assert_eq!(world.audit.count(EventKind::KeyAnnounced), 1);
}

#[tokio::test]
async fn keys_rotate_by_themselves_and_no_unexpired_token_is_ever_refused() {
    let world = World::new();
    let settings = Settings {
        keys: KeySettings {
            rotate_every: 20 * MINUTE,
            announce: 10 * MINUTE,
            jwks_max_age: 5 * MINUTE,
        },
        ..cheap()
    };
    let one = world.process_with(settings.clone()).await;
    let two = world.process_with(settings).await;
    // A verifier that read the keys as long ago as it may.
    let mut elsewhere = [KeySet::default(), KeySet::default()];
    let mut tokens: Vec<Issued> = Vec::new();
    let mut kids = std::collections::BTreeSet::new();
    for minute in 0..240 {
        let (signs, reads) = if minute % 2 == 0 {
            (&one, &two)
        } else {
            (&two, &one)
        };
        if minute % 5 == 0 {
            let jwks = reads.verifier().keys().current().to_jwks().to_string();
            elsewhere.swap(0, 1);
            elsewhere[1] = KeySet::from_jwks(jwks.as_bytes()).unwrap();
        }
        let issued = open(signs, "ada").await;
        kids.insert(kid(&issued));
        tokens.push(issued);
        let first = tokens.len().saturating_sub(15);
        for token in &tokens[first..] {
            verify(&one, token).unwrap();
            verify(&two, token).unwrap();
        }
        if minute >= 10 {
            let newest = tokens.last().unwrap();
            hallpass_verify::jws::verify(newest.access.expose(), &elsewhere[0]).unwrap();
        }
        world.clock.advance(MINUTE);
        one.sync().await.unwrap();
        two.keep_keys().await.unwrap();
        one.keep_keys().await.unwrap();
        two.sync().await.unwrap();
    }
    assert_eq!(kids.len(), 12, "one key every twenty minutes");
    assert!(world.store.keys().await.unwrap().len() <= 4);
}

#[tokio::test]
async fn by_default_a_key_signs_for_ninety_days() {
    let (world, hallpass) = World::started().await;
    let first = kid(&open(&hallpass, "ada").await);
    pass(&world, &hallpass, 89 * DAY + 22 * HOUR + 59 * MINUTE).await;
    assert_eq!(published(&hallpass).len(), 1);
    pass(&world, &hallpass, MINUTE).await;
    assert_eq!(published(&hallpass).len(), 2);
    pass(&world, &hallpass, 59 * MINUTE).await;
    assert_eq!(kid(&open(&hallpass, "ada").await), first);
    pass(&world, &hallpass, MINUTE).await;
    assert_ne!(kid(&open(&hallpass, "ada").await), first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_processes_that_start_at_once_agree_on_exactly_one_active_key() {
    let world = Arc::new(World::new());
    let starts = (0..20).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.process().await })
    });
    let mut processes = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        processes.push(start.await.unwrap());
    }
    assert_eq!(world.store.keys().await.unwrap().len(), 1);
    for hallpass in &processes {
        let issued = open(hallpass, "ada").await;
        for other in &processes {
            verify(other, &issued).unwrap();
            let token = issued.refresh.expose();
            assert!(
                other
                    .open_refresh_token(token, hallpass_core::Carrier::Cookie)
                    .is_some()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_rotations_at_once_announce_exactly_one_key() {
    let world = Arc::new(World::new());
    let mut processes = Vec::new();
    for _ in 0..20 {
        processes.push(world.process().await);
    }
    let tasks = processes
        .into_iter()
        .map(|hallpass| tokio::spawn(async move { hallpass.rotate_key().await.unwrap().kid }));
    let mut kids = std::collections::BTreeSet::new();
    for task in tasks.collect::<Vec<_>>() {
        kids.insert(task.await.unwrap());
    }
    assert_eq!(kids.len(), 1);
    assert_eq!(world.store.keys().await.unwrap().len(), 2);
}

#[tokio::test]
async fn jk_04_a_revoked_key_verifies_nothing_at_once_and_nobody_is_signed_out() {
    let (world, one) = World::started().await;
    let two = world.process().await;
    let issued = open(&one, "ada").await;
    verify(&two, &issued).unwrap();
    one.revoke_key(&kid(&issued)).await.unwrap();
    assert_eq!(verify(&one, &issued).unwrap_err(), TokenError::UnknownKey);
    two.sync().await.unwrap();
    assert_eq!(verify(&two, &issued).unwrap_err(), TokenError::UnknownKey);
    assert!(!published(&two).contains(&kid(&issued)));
    let next = refresh(&two, issued.refresh.expose()).await.unwrap();
    assert_ne!(kid(&next), kid(&issued));
    verify(&one, &next).unwrap();
    verify(&two, &next).unwrap();
    // It stays revoked over a restart, and it is revoked once.
    let restarted = world.process().await;
    assert_eq!(
        verify(&restarted, &issued).unwrap_err(),
        TokenError::UnknownKey
    );
    expect(&one.revoke_key(&kid(&issued)).await, "not_found");
    expect(&one.revoke_key("no-such-key").await, "not_found");
    assert_eq!(world.audit.count(EventKind::KeyRevoked), 1);
}

#[tokio::test]
async fn when_the_key_that_signs_is_revoked_the_announced_one_takes_its_place() {
    let (_world, hallpass) = World::started().await;
    let next = hallpass.rotate_key().await.unwrap();
    let issued = open(&hallpass, "ada").await;
    hallpass.revoke_key(&kid(&issued)).await.unwrap();
    assert_eq!(kid(&open(&hallpass, "ada").await), next.kid);
    assert_eq!(published(&hallpass), [next.kid]);
}

#[tokio::test]
async fn a_key_that_does_not_sign_yet_can_be_revoked_and_the_active_one_signs_on() {
    let (world, hallpass) = World::started().await;
    let issued = open(&hallpass, "ada").await;
    let next = hallpass.rotate_key().await.unwrap();
    hallpass.revoke_key(&next.kid).await.unwrap();
    pass(&world, &hallpass, 2 * HOUR).await;
    assert_eq!(kid(&open(&hallpass, "ada").await), kid(&issued));
}

#[tokio::test]
async fn a_revoked_key_stays_in_the_feed_for_verifiers_that_come_back_late() {
    let (world, hallpass) = World::started().await;
    let issued = open(&hallpass, "ada").await;
    hallpass.revoke_key(&kid(&issued)).await.unwrap();
    world.clock.advance(30 * DAY);
    hallpass.purge().await.unwrap();
    hallpass.sync().await.unwrap();
    let page = hallpass
        .feed()
        .since(hallpass_core::store::Cursor::default(), 10);
    let revoked: Vec<_> = page.entries.iter().map(|entry| &entry.revoked).collect();
    assert_eq!(revoked, [&hallpass_verify::Revoked::Key(kid(&issued))]);
}

#[tokio::test]
async fn a_token_of_a_key_that_is_gone_has_expired_so_that_its_client_refreshes() {
    let (world, hallpass) = World::started().await;
    let issued = open(&hallpass, "ada").await;
    hallpass.rotate_key().await.unwrap();
    pass(&world, &hallpass, 2 * HOUR).await;
    assert_eq!(published(&hallpass).len(), 1);
    assert_eq!(verify(&hallpass, &issued).unwrap_err(), TokenError::Expired);
    refresh(&hallpass, issued.refresh.expose()).await.unwrap();
}

#[tokio::test]
async fn a_change_of_algorithm_is_announced_before_it_signs() {
    let world = World::new();
    let before = world.process().await;
    let old = open(&before, "ada").await;
    let after = world
        .process_with(Settings {
            algorithm: Algorithm::Rs256,
            ..cheap()
        })
        .await;
    assert_eq!(published(&after).len(), 2);
    assert_eq!(kid(&open(&after, "ada").await), kid(&old));
    pass(&world, &after, HOUR).await;
    before.sync().await.unwrap();
    let new = open(&after, "ada").await;
    let header = hallpass_verify::jws::Compact::split(new.access.expose()).unwrap();
    assert_eq!(header.header().unwrap().algorithm_name, "RS256");
    verify(&before, &new).unwrap();
}
