//! Ending one token, and everything of a user.

use super::lone::{allowed, caller_of, issue, lone, started};
use crate::common::wrapped::{Mode, Wrapped};
use crate::common::*;
use hallpass_core::audit::EventKind;
use hallpass_core::store::{Cursor, FeedStore};
use hallpass_core::{AccessGrant, Hallpass, LoneToken};
use hallpass_verify::{ManualClock, Revoked, TokenError};
use std::sync::Arc;
use std::time::Duration;

const ENDED: Result<(), TokenError> = Err(TokenError::SessionEnded);

/// Tells whether a token is taken.
fn taken(hallpass: &Hallpass, lone: &LoneToken) -> Result<(), TokenError> {
    caller_of(hallpass, lone).map(drop)
}

#[tokio::test]
async fn a_token_that_is_ended_is_out_at_once_here_and_then_everywhere() {
    let (world, hallpass) = started().await;
    let other = world.process_with(allowed()).await;
    let (ended, kept) = (lone(&hallpass, "ada").await, lone(&hallpass, "ada").await);
    for process in [&hallpass, &other] {
        assert_eq!(taken(process, &ended), Ok(()));
    }
    let caller = caller_of(&hallpass, &ended).unwrap();
    hallpass.end_token(&caller, &device(2)).await.unwrap();
    assert_eq!(taken(&hallpass, &ended), ENDED);
    other.sync().await.unwrap();
    assert_eq!(taken(&other, &ended), ENDED);
    let restarted = world.process_with(allowed()).await;
    assert_eq!(taken(&restarted, &ended), ENDED);
    for process in [&hallpass, &other, &restarted] {
        assert_eq!(taken(process, &kept), Ok(()));
    }
    let event = world.audit.last(EventKind::TokenRevoked);
    assert_eq!((event.user, event.session), (Some(user_id("ada")), None));
    assert_eq!(event.device, device(2));
    assert_eq!(world.audit.count(EventKind::TokenRevoked), 1);
}

#[tokio::test]
async fn a_token_that_is_ended_stays_so_until_it_has_expired_everywhere() {
    let (world, hallpass) = started().await;
    let grant = AccessGrant {
        ttl: Some(HOUR),
        ..AccessGrant::default()
    };
    let ended = issue(&hallpass, "ada", grant).await.unwrap();
    let caller = caller_of(&hallpass, &ended).unwrap();
    hallpass.end_token(&caller, &device(1)).await.unwrap();
    // To the last moment of the slowest clock.
    world.clock.advance(HOUR + allowed().leeway);
    hallpass.purge().await.unwrap();
    hallpass.sync().await.unwrap();
    assert_eq!(taken(&hallpass, &ended), ENDED);
    let restarted = world.process_with(allowed()).await;
    assert_eq!(taken(&restarted, &ended), ENDED);
    world.clock.advance(allowed().leeway + SECOND);
    hallpass.purge().await.unwrap();
    hallpass.sync().await.unwrap();
    assert!(hallpass.verifier().revocations().is_empty());
    assert_eq!(taken(&hallpass, &ended), Err(TokenError::Expired));
}

#[tokio::test]
async fn the_other_tokens_of_its_session_go_on_and_its_client_is_told_to_refresh() {
    let (world, hallpass) = World::started().await;
    let issued = open(&hallpass, "ada").await;
    let caller = verify(&hallpass, &issued).unwrap();
    let session = Some(issued.session.id);
    hallpass.end_token(&caller, &device(1)).await.unwrap();
    let refused = verify(&hallpass, &issued).unwrap_err();
    assert_eq!(refused, TokenError::Invalid);
    let event = world.audit.last(EventKind::TokenRevoked);
    assert_eq!((event.user, event.session), (Some(user_id("ada")), session));
    hallpass.expect_live(issued.session.id).await.unwrap();
    let next = refresh(&hallpass, issued.refresh.expose()).await.unwrap();
    assert!(verify(&hallpass, &next).is_ok());
}

#[tokio::test]
async fn a_token_is_ended_by_the_name_that_the_app_wrote_down() {
    let (world, hallpass) = started().await;
    let ended = lone(&hallpass, "ada").await;
    let ada = user_id("ada");
    let end = async |name: &str| hallpass.end_token_id(name, Some(&ada), &device(1)).await;
    for none in ["", "x".repeat(256).as_str()] {
        expect(&end(none).await, "not_found");
    }
    assert_eq!(world.audit.count(EventKind::TokenRevoked), 0);
    // What nobody has is no error, and a name is exact.
    for other in ["x".repeat(255), ended.token_id.to_lowercase()] {
        expect(&end(&other).await, "ok");
    }
    assert_eq!(taken(&hallpass, &ended), Ok(()));
    expect(&end(&ended.token_id).await, "ok");
    assert_eq!(taken(&hallpass, &ended), ENDED);
    let event = world.audit.last(EventKind::TokenRevoked);
    assert_eq!((event.user, event.session), (Some(ada), None));
}

#[tokio::test]
async fn a_token_is_good_when_the_store_could_not_keep_that_it_ended() {
    let (world, _) = started().await;
    let store = Arc::new(Wrapped::around(&world.store));
    let parts = world.parts(store.clone());
    let hallpass = Hallpass::start(allowed(), parts).await.unwrap();
    let lone = lone(&hallpass, "ada").await;
    let caller = caller_of(&hallpass, &lone).unwrap();
    store.set(Mode::Fail);
    let failed = hallpass.end_token(&caller, &device(1)).await;
    expect(&failed, "internal");
    assert_eq!(taken(&hallpass, &lone), Ok(()));
    assert_eq!(world.audit.count(EventKind::TokenRevoked), 0);
}

#[tokio::test]
async fn everything_of_a_user_is_over_whatever_session_is_kept() {
    let (world, hallpass) = started().await;
    let other = world.process_with(allowed()).await;
    let kept = open(&hallpass, "ada").await;
    for keep in [Some(kept.session.id), None] {
        world.clock.advance(2 * SECOND);
        let (adas, bobs) = (lone(&other, "ada").await, lone(&other, "bob").await);
        let ada = user_id("ada");
        hallpass.end_sessions(&ada, keep, &device(1)).await.unwrap();
        assert_eq!(taken(&hallpass, &adas), ENDED, "{keep:?}");
        other.sync().await.unwrap();
        assert_eq!(taken(&other, &adas), ENDED, "{keep:?}");
        let restarted = world.process_with(allowed()).await;
        assert_eq!(taken(&restarted, &adas), ENDED, "{keep:?}");
        assert_eq!(taken(&hallpass, &bobs), Ok(()));
        assert_eq!(verify(&hallpass, &kept).is_ok(), keep.is_some());
    }
}

/// A password is changed: everything is over, and the one who changed it goes on.
#[tokio::test]
async fn what_is_issued_right_after_everything_was_over_is_good() {
    let (world, hallpass) = started().await;
    world.clock.advance(Duration::from_millis(250));
    let before = lone(&hallpass, "ada").await;
    world.clock.advance(Duration::from_millis(250));
    let ada = user_id("ada");
    hallpass.end_sessions(&ada, None, &device(1)).await.unwrap();
    let after = lone(&hallpass, "ada").await;
    assert_eq!(taken(&hallpass, &before), ENDED);
    let caller = caller_of(&hallpass, &after).unwrap();
    assert_eq!(caller.claims().issued_at, NOW.plus(SECOND));
    assert_eq!(caller.expires_at(), NOW.plus(allowed().access_ttl));
    let other = world.process_with(allowed()).await;
    assert_eq!(taken(&other, &before), ENDED);
    assert_eq!(taken(&other, &after), Ok(()));
    // And it is over the next time.
    world.clock.advance(SECOND);
    hallpass.end_sessions(&ada, None, &device(1)).await.unwrap();
    assert_eq!(taken(&hallpass, &after), ENDED);
}

#[tokio::test]
async fn what_is_issued_after_it_by_a_clock_that_is_behind_is_good() {
    let (world, hallpass) = started().await;
    let slow = Arc::new(ManualClock::at(NOW.minus(5 * SECOND)));
    let parts = world.parts(world.store.clone()).clock(slow);
    let behind = Hallpass::start(allowed(), parts).await.unwrap();
    let ada = user_id("ada");
    hallpass.end_sessions(&ada, None, &device(1)).await.unwrap();
    behind.sync().await.unwrap();
    let shortest = AccessGrant {
        ttl: Some(10 * SECOND),
        ..AccessGrant::default()
    };
    let after = issue(&behind, "ada", shortest).await.unwrap();
    for process in [&hallpass, &behind] {
        assert_eq!(taken(process, &after), Ok(()));
    }
}

#[tokio::test]
async fn os_02_introspection_knows_at_once_that_another_process_ended_a_token() {
    let (world, hallpass) = started().await;
    let other = world.process_with(allowed()).await;
    let user = sign_up(&hallpass, "ada").await.session.user;
    let roles = ["clerk".to_owned()];
    let name = user.as_str();
    let (one, two) = (lone(&hallpass, name).await, lone(&hallpass, name).await);
    let session = open(&hallpass, name).await;
    hallpass.set_roles(&user, &roles, &device(1)).await.unwrap();
    let roles_of = async |token: &str| {
        let found = other.introspect(token).await.unwrap();
        found.map(|found| found.roles)
    };
    assert_eq!(roles_of(one.token.expose()).await, Some(roles.to_vec()));
    let caller = caller_of(&hallpass, &one).unwrap();
    hallpass.end_token(&caller, &device(1)).await.unwrap();
    assert_eq!(roles_of(one.token.expose()).await, None);
    assert_eq!(roles_of(two.token.expose()).await, Some(roles.to_vec()));
    let keep = Some(session.session.id);
    hallpass
        .end_sessions(&user, keep, &device(1))
        .await
        .unwrap();
    assert_eq!(roles_of(two.token.expose()).await, None);
    let caller = verify(&hallpass, &session).unwrap();
    assert_eq!(
        roles_of(session.access.expose()).await,
        Some(roles.to_vec())
    );
    hallpass.end_token(&caller, &device(1)).await.unwrap();
    assert_eq!(roles_of(session.access.expose()).await, None);
}

#[tokio::test]
async fn os_01_whoever_holds_a_token_may_end_it_whomever_it_is_for() {
    let (world, hallpass) = started().await;
    let (ours, theirs) = (&[][..], &["orders".to_owned(), "mail".to_owned()][..]);
    for audiences in [ours, theirs] {
        let grant = AccessGrant {
            audiences: audiences.to_vec(),
            ..AccessGrant::default()
        };
        let lone = issue(&hallpass, "ada", grant).await.unwrap();
        let token = lone.token.expose();
        // Not by whoever knows what it says.
        let (said, _) = token.rsplit_once('.').unwrap();
        for forged in [said.to_owned(), format!("{said}."), format!("{token}=")] {
            hallpass.revoke_token(&forged, &device(1)).await.unwrap();
        }
        assert_eq!(world.audit.count(EventKind::TokenRevoked), 0);
        hallpass.revoke_token(token, &device(1)).await.unwrap();
        let event = world.audit.last(EventKind::TokenRevoked);
        assert_eq!(event.user, Some(user_id("ada")));
        let feed = FeedStore::revoked_since;
        let told = feed(world.store.as_ref(), Cursor::default(), 10)
            .await
            .unwrap();
        let named = Revoked::Token(lone.token_id.clone());
        assert!(told.iter().any(|entry| entry.revoked == named));
        world.audit.clear();
    }
}

/// Whoever has stolen a password signs in between.
#[tokio::test]
async fn se_04_what_is_issued_between_two_ends_of_everything_within_a_second_is_over_too() {
    let (world, hallpass) = started().await;
    let other = world.process_with(allowed()).await;
    let ada = user_id("ada");
    for _ in 0..3 {
        hallpass.end_sessions(&ada, None, &device(1)).await.unwrap();
        let between = lone(&hallpass, "ada").await;
        hallpass.end_sessions(&ada, None, &device(1)).await.unwrap();
        assert_eq!(taken(&hallpass, &between), ENDED);
        other.sync().await.unwrap();
        assert_eq!(taken(&other, &between), ENDED);
        let restarted = world.process_with(allowed()).await;
        assert_eq!(taken(&restarted, &between), ENDED);
        let after = lone(&hallpass, "ada").await;
        assert_eq!(taken(&hallpass, &after), Ok(()));
    }
}

#[tokio::test]
async fn os_02_a_token_for_others_alone_is_not_active_and_one_for_us_too_is() {
    let (_world, hallpass) = started().await;
    let active = async |audiences: &[&str]| {
        let grant = AccessGrant {
            audiences: audiences.iter().map(|&name| name.to_owned()).collect(),
            ..AccessGrant::default()
        };
        let lone = issue(&hallpass, "ada", grant).await.unwrap();
        let found = hallpass.introspect(lone.token.expose()).await.unwrap();
        found.is_some()
    };
    let us = hallpass.settings().audience().to_owned();
    assert!(!active(&["https://orders.example.test"]).await);
    assert!(active(&["https://orders.example.test", &us]).await);
    assert!(active(&[]).await);
}
