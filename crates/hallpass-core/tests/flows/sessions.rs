//! Listing sessions and ending them.

use crate::common::wrapped::{Mode, Wrapped};
use crate::common::*;
use hallpass_core::audit::EventKind;
use hallpass_core::session::EndReason;
use hallpass_core::{Error, Hallpass, Issued, Opening, Proof};
use hallpass_verify::{SessionId, TokenError};
use std::sync::Arc;

/// Nothing that was issued for a session that is over works.
async fn is_out(hallpass: &Hallpass, issued: &Issued) {
    let token = issued.refresh.expose();
    expect(&refresh(hallpass, token).await, "session_ended");
    let refused = verify(hallpass, issued).unwrap_err();
    assert_eq!(refused, TokenError::SessionEnded);
    expect(
        &hallpass.expect_live(issued.session.id).await,
        "session_ended",
    );
}

async fn is_in(hallpass: &Hallpass, issued: &Issued) {
    verify(hallpass, issued).unwrap();
    hallpass.expect_live(issued.session.id).await.unwrap();
    refresh(hallpass, issued.refresh.expose()).await.unwrap();
}

#[tokio::test]
async fn a_user_sees_their_live_sessions_the_last_used_first() {
    let (world, hallpass) = World::started().await;
    let one = open(&hallpass, "ada").await;
    world.clock.advance(SECOND);
    let two = open(&hallpass, "ada").await;
    open(&hallpass, "bob").await;
    let listed = async || {
        let sessions = hallpass.sessions(&user_id("ada")).await.unwrap();
        sessions.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [two.session.id, one.session.id]);
    world.clock.advance(SECOND);
    refresh(&hallpass, one.refresh.expose()).await.unwrap();
    assert_eq!(listed().await, [one.session.id, two.session.id]);
    hallpass.sign_out(one.session.id, &device(1)).await.unwrap();
    assert_eq!(listed().await, [two.session.id]);
}

#[tokio::test]
async fn se_02_nobody_ends_a_session_of_someone_else() {
    let (_world, hallpass) = World::started().await;
    let (ada, bob) = (user_id("ada"), user_id("bob"));
    let issued = open(&hallpass, "ada").await;
    let unknown = SessionId::from_bytes([7; 16]);
    let end = async |user, session| hallpass.end_own_session(user, session, &device(3)).await;
    expect(&end(&bob, issued.session.id).await, "not_found");
    expect(&end(&bob, unknown).await, "not_found");
    is_in(&hallpass, &issued).await;
    expect(&end(&ada, issued.session.id).await, "ok");
    is_out(&hallpass, &issued).await;
    expect(&end(&ada, issued.session.id).await, "not_found");
}

#[tokio::test]
async fn se_03_a_session_ended_from_another_one_is_out_at_once() {
    let (_world, hallpass) = World::started().await;
    let (mine, other) = (open(&hallpass, "ada").await, open(&hallpass, "ada").await);
    verify(&hallpass, &other).unwrap();
    hallpass
        .end_own_session(&user_id("ada"), other.session.id, &device(1))
        .await
        .unwrap();
    is_out(&hallpass, &other).await;
    is_in(&hallpass, &mine).await;
}

#[tokio::test]
async fn se_04_all_sessions_but_one_or_all_end_in_one_step() {
    let (world, hallpass) = World::started().await;
    let ada = user_id("ada");
    let end_all_but = async |keep| {
        let ended = hallpass.end_sessions(&ada, keep, &device(1)).await;
        ended.unwrap()
    };
    let mut sessions = Vec::new();
    for _ in 0..4 {
        sessions.push(open(&hallpass, "ada").await);
    }
    let bobs = open(&hallpass, "bob").await;
    let keep = sessions.pop().unwrap();
    assert_eq!(end_all_but(Some(keep.session.id)).await, 3);
    for issued in &sessions {
        is_out(&hallpass, issued).await;
        assert_eq!(
            world.row(issued.session.id).await.ended,
            Some((world.now(), EndReason::Revoked))
        );
    }
    is_in(&hallpass, &keep).await;
    assert_eq!(end_all_but(None).await, 1);
    is_out(&hallpass, &keep).await;
    is_in(&hallpass, &bobs).await;
    assert_eq!(world.audit.count(EventKind::SessionRevoked), 4);
    assert_eq!(end_all_but(None).await, 0);
}

#[tokio::test]
async fn se_06_signing_in_gives_every_id_anew_and_ends_what_the_browser_had() {
    let (world, hallpass) = World::started().await;
    let former = sign_up(&hallpass, "ada").await;
    let opening = Opening {
        replaces: Some(former.session.id),
        ..opening()
    };
    let issued = sign_in(&hallpass, "ada", PASSWORD, opening).await.unwrap();
    assert_ne!(issued.session.id, former.session.id);
    assert_ne!(issued.refresh.expose(), former.refresh.expose());
    assert_ne!(
        hallpass.csrf_hash(issued.session.id),
        hallpass.csrf_hash(former.session.id)
    );
    let ids = [&issued, &former].map(|issued| {
        let caller = verify(&hallpass, issued);
        caller.map(|caller| caller.token_id().to_owned())
    });
    assert!(ids[0].is_ok());
    assert_eq!(ids[1], Err(TokenError::SessionEnded));
    is_out(&hallpass, &former).await;
    let ended = world.row(former.session.id).await.ended.unwrap();
    assert_eq!(ended.1, EndReason::Replaced);
}

#[tokio::test]
async fn se_06_a_sign_in_that_fails_ends_nothing() {
    let (_world, hallpass) = World::started().await;
    let former = sign_up(&hallpass, "ada").await;
    let opening = Opening {
        replaces: Some(former.session.id),
        ..opening()
    };
    let failed = sign_in(&hallpass, "ada", "another one", opening).await;
    expect(&failed, "invalid_credentials");
    is_in(&hallpass, &former).await;
}

#[tokio::test]
async fn se_22_signing_out_twice_is_no_error_and_is_told_once() {
    let (world, hallpass) = World::started().await;
    let issued = open(&hallpass, "ada").await;
    for _ in 0..2 {
        hallpass
            .sign_out(issued.session.id, &device(1))
            .await
            .unwrap();
    }
    let unknown = SessionId::from_bytes([7; 16]);
    hallpass.sign_out(unknown, &device(1)).await.unwrap();
    assert_eq!(world.audit.count(EventKind::SignedOut), 1);
    is_out(&hallpass, &issued).await;
}

#[tokio::test]
async fn a_session_is_purged_once_nothing_of_it_can_be_presented() {
    let (world, hallpass) = World::started().await;
    let kept = open(&hallpass, "ada").await;
    let ended = open(&hallpass, "ada").await;
    hallpass
        .sign_out(ended.session.id, &device(1))
        .await
        .unwrap();
    assert_eq!(hallpass.purge().await.unwrap(), 0);
    is_out(&hallpass, &ended).await;
    world.clock.set(ended.session.idle_expires_at.minus(SECOND));
    refresh(&hallpass, kept.refresh.expose()).await.unwrap();
    world.clock.set(ended.session.idle_expires_at.plus(HOUR));
    assert_eq!(hallpass.purge().await.unwrap(), 1);
    let refused = refresh(&hallpass, ended.refresh.expose()).await;
    expect(&refused, "session_ended");
    hallpass.expect_live(kept.session.id).await.unwrap();
}

#[tokio::test]
async fn an_app_with_users_of_its_own_opens_sessions_for_them() {
    let (world, hallpass) = World::started().await;
    let proof = Proof::asserted_by_app(user_id("app|42"), &["otp", "hwk"]);
    let issued = hallpass.open_session(proof, opening()).await.unwrap();
    assert!(issued.user.is_none());
    let caller = verify(&hallpass, &issued).unwrap();
    assert_eq!(caller.subject(), "app|42");
    assert_eq!(caller.methods(), ["otp", "hwk"]);
    assert_eq!(caller.authenticated_at(), Some(NOW));
    world.clock.advance(HOUR);
    // A refresh proves nothing about the user: `auth_time` stays.
    let next = refresh(&hallpass, issued.refresh.expose()).await.unwrap();
    let caller = verify(&hallpass, &next).unwrap();
    assert_eq!(caller.authenticated_at(), Some(NOW));
}

#[tokio::test]
async fn cs_10_a_csrf_token_is_good_for_its_own_session_as_long_as_that_lives() {
    let (world, hallpass) = World::started().await;
    let (ada, bob) = (open(&hallpass, "ada").await, open(&hallpass, "bob").await);
    world.clock.advance(HOUR);
    let next = refresh(&hallpass, ada.refresh.expose()).await.unwrap();
    let again = hallpass.csrf_token(ada.session.id).unwrap();
    let caller = verify(&hallpass, &next).unwrap();
    let hash = hallpass.csrf_hash(ada.session.id);
    assert_eq!(caller.claims().csrf_hash, Some(*hash.as_bytes()));
    for token in [&ada.csrf, &next.csrf, &again] {
        assert!(hallpass_verify::csrf::check(token.expose(), &hash));
        let others = hallpass.csrf_hash(bob.session.id);
        assert!(!hallpass_verify::csrf::check(token.expose(), &others));
    }
    assert_ne!(ada.csrf.expose(), next.csrf.expose());
    assert_ne!(again.expose(), next.csrf.expose());
}

#[tokio::test]
async fn a_store_that_fails_ends_no_session_and_tells_no_client_why() {
    let (world, hallpass) = World::started().await;
    let issued = open(&hallpass, "ada").await;
    let store = Arc::new(Wrapped::around(&world.store));
    let failing = Hallpass::start(cheap(), world.parts(store.clone()))
        .await
        .unwrap();
    store.set(Mode::Fail);
    let fault = refresh(&failing, issued.refresh.expose())
        .await
        .unwrap_err();
    assert!(matches!(fault, Error::Internal(_)));
    assert_eq!(fault.to_string(), "internal error");
    let out = failing.sign_out(issued.session.id, &device(1)).await;
    expect(&out, "internal");
    assert!(failing.verifier().revocations().is_empty());
    is_in(&hallpass, &issued).await;
}
