//! Several processes on one store, and a process that starts again.

use crate::common::*;
use hallpass_core::Settings;
use hallpass_core::audit::EventKind;
use hallpass_verify::TokenError;
use std::time::Duration;

#[tokio::test]
async fn what_one_process_issues_every_other_one_takes() {
    let (world, one) = World::started().await;
    let two = world.process().await;
    let issued = open(&one, "ada").await;
    verify(&two, &issued).unwrap();
    let next = refresh(&two, issued.refresh.expose()).await.unwrap();
    verify(&one, &next).unwrap();
    assert_eq!(
        one.csrf_hash(issued.session.id),
        two.csrf_hash(issued.session.id)
    );
    refresh(&one, next.refresh.expose()).await.unwrap();
}

#[tokio::test]
async fn a_session_ended_by_one_process_is_refused_by_the_other_once_it_has_looked() {
    let (world, one) = World::started().await;
    let two = world.process().await;
    let issued = open(&one, "ada").await;
    let other = open(&one, "bob").await;
    one.sign_out(issued.session.id, &device(1)).await.unwrap();
    // A refresh asks the store, so it is refused before anybody has looked.
    let refused = refresh(&two, issued.refresh.expose()).await;
    expect(&refused, "session_ended");
    two.sync().await.unwrap();
    assert_eq!(verify(&two, &issued).unwrap_err(), TokenError::SessionEnded);
    verify(&two, &other).unwrap();
}

#[tokio::test]
async fn every_way_to_end_a_session_reaches_the_other_process() {
    let (world, one) = World::started().await;
    let two = world.process().await;
    let ada = user_id("ada");
    let (first, second, third) = (
        open(&one, "ada").await,
        open(&one, "ada").await,
        open(&one, "ada").await,
    );
    one.end_own_session(&ada, first.session.id, &device(1))
        .await
        .unwrap();
    refresh(&one, second.refresh.expose()).await.unwrap();
    world.clock.advance(11 * SECOND);
    let reused = refresh(&one, second.refresh.expose()).await;
    expect(&reused, "refresh_reused");
    one.end_sessions(&ada, None, &device(1)).await.unwrap();
    for issued in [&first, &second, &third] {
        verify(&two, issued).unwrap();
    }
    two.sync().await.unwrap();
    for issued in [&first, &second, &third] {
        assert_eq!(verify(&two, issued).unwrap_err(), TokenError::SessionEnded);
    }
}

#[tokio::test]
async fn se_18_what_was_ended_stays_so_over_a_restart() {
    let (world, before) = World::started().await;
    let ended = open(&before, "ada").await;
    let kept = open(&before, "ada").await;
    before.sign_out(ended.session.id, &device(1)).await.unwrap();
    drop(before);
    let after = world.process().await;
    assert_eq!(
        verify(&after, &ended).unwrap_err(),
        TokenError::SessionEnded
    );
    let refused = refresh(&after, ended.refresh.expose()).await;
    expect(&refused, "session_ended");
    verify(&after, &kept).unwrap();
    refresh(&after, kept.refresh.expose()).await.unwrap();
}

#[tokio::test]
async fn a_retry_may_reach_another_process_or_the_next_one() {
    let (world, before) = World::started().await;
    let issued = open(&before, "ada").await;
    let token = issued.refresh.expose();
    let lost = refresh_keyed(&before, token, Some(KEY)).await.unwrap();
    drop(before);
    world.clock.advance(HOUR);
    let after = world.process().await;
    let again = refresh_keyed(&after, token, Some(KEY)).await.unwrap();
    assert_eq!(again.refresh.expose(), lost.refresh.expose());
    assert_eq!(world.audit.count(EventKind::RefreshReused), 0);
}

#[tokio::test]
async fn an_ended_session_is_remembered_until_its_last_access_token_is_over() {
    let (world, hallpass) = World::started().await;
    let Settings {
        access_ttl, leeway, ..
    } = hallpass.settings().clone();
    let issued = open(&hallpass, "ada").await;
    hallpass
        .sign_out(issued.session.id, &device(1))
        .await
        .unwrap();
    // To the last millisecond in which the token is not expired yet, leeway included.
    world.clock.advance(access_ttl + leeway);
    hallpass.purge().await.unwrap();
    hallpass.sync().await.unwrap();
    assert_eq!(
        verify(&hallpass, &issued).unwrap_err(),
        TokenError::SessionEnded
    );
    let restarted = world.process().await;
    assert_eq!(
        verify(&restarted, &issued).unwrap_err(),
        TokenError::SessionEnded
    );
    world.clock.advance(leeway + Duration::from_millis(1));
    hallpass.sync().await.unwrap();
    assert_eq!(verify(&hallpass, &issued).unwrap_err(), TokenError::Expired);
    assert!(hallpass.verifier().revocations().is_empty());
}

#[tokio::test]
async fn a_process_with_another_master_secret_takes_no_token_of_ours() {
    let (world, hallpass) = World::started().await;
    let issued = open(&hallpass, "ada").await;
    // On a store of its own, with our session in it, as if the database had been copied.
    let theirs = World::new();
    let row = world.row(issued.session.id).await;
    hallpass_core::store::SessionStore::insert_session(theirs.store.as_ref(), &row)
        .await
        .unwrap();
    let parts = hallpass_core::Parts::new(theirs.store.clone(), secret(1));
    let parts = parts.clock(world.clock.clone());
    let other = hallpass_core::Hallpass::start(cheap(), parts)
        .await
        .unwrap();
    let token = issued.refresh.expose();
    for carrier in [hallpass_core::Carrier::Cookie, hallpass_core::Carrier::Body] {
        assert!(other.open_refresh_token(token, carrier).is_none());
    }
    assert_eq!(verify(&other, &issued).unwrap_err(), TokenError::UnknownKey);
    assert_ne!(
        other.csrf_hash(issued.session.id),
        hallpass.csrf_hash(issued.session.id)
    );
}
