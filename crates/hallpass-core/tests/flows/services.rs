//! What services ask: introspection, revocation, tickets, the feed.

use crate::common::*;
use hallpass_core::audit::EventKind;
use hallpass_core::service::{Service, ServiceSecret};
use hallpass_core::store::Cursor;
use hallpass_core::{SeededRandom, Settings, TICKET_TTL};
use hallpass_verify::{Location, Revoked, TokenError};

#[tokio::test]
async fn os_02_a_token_is_active_while_its_session_is_and_says_the_roles_of_now() {
    let (world, one) = World::started().await;
    let two = world.process().await;
    let issued = sign_up(&one, "ada").await;
    let active = one
        .introspect(issued.access.expose())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(active.caller.subject(), issued.session.user.as_str());
    assert!(active.roles.is_empty());
    // Ended by another process, which this one has not heard of yet: the store decides.
    two.sign_out(issued.session.id, &device(1)).await.unwrap();
    assert!(
        one.introspect(issued.access.expose())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn os_02_what_is_not_a_good_access_token_is_not_active() {
    let (world, hallpass) = World::started().await;
    let issued = open(&hallpass, "ada").await;
    for token in [
        "",
        "x",
        "a.b.c",
        issued.refresh.expose(),
        issued.csrf.expose(),
    ] {
        assert!(
            hallpass.introspect(token).await.unwrap().is_none(),
            "{token}"
        );
    }
    world.clock.advance(HOUR);
    assert!(
        hallpass
            .introspect(issued.access.expose())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn os_01_either_token_ends_its_session_and_an_unknown_one_changes_nothing() {
    let (world, hallpass) = World::started().await;
    let (by_access, by_refresh, other) = (
        open(&hallpass, "ada").await,
        open(&hallpass, "ada").await,
        open(&hallpass, "ada").await,
    );
    for token in [
        by_access.access.expose(),
        by_refresh.refresh.expose(),
        "unknown",
        "hpr_AAAA",
        "",
    ] {
        hallpass.revoke_token(token, &device(1)).await.unwrap();
    }
    for ended in [&by_access, &by_refresh] {
        assert_eq!(
            verify(&hallpass, ended).unwrap_err(),
            TokenError::SessionEnded
        );
        let refreshed = refresh(&hallpass, ended.refresh.expose()).await;
        expect(&refreshed, "session_ended");
    }
    verify(&hallpass, &other).unwrap();
    assert_eq!(world.audit.count(EventKind::SessionRevoked), 2);
}

#[tokio::test]
async fn a_ticket_opens_one_connection_of_its_session_and_no_second() {
    let (world, hallpass) = World::started().await;
    let issued = open(&hallpass, "ada").await;
    let session = issued.session.id;
    let ticket = hallpass.issue_ticket(session).await.unwrap();
    let elsewhere = world.process().await;
    let (access, expires_in) = elsewhere.redeem_ticket(ticket.expose()).await.unwrap();
    assert_eq!(expires_in, hallpass.settings().access_ttl);
    let verifier = hallpass.verifier();
    let caller = verifier.verify(access.expose(), Location::Header, world.now());
    assert_eq!(caller.unwrap().session(), Some(session));
    expect(
        &hallpass.redeem_ticket(ticket.expose()).await,
        "invalid_ticket",
    );
    for wrong in ["", "hpt_", issued.refresh.expose(), issued.access.expose()] {
        expect(&hallpass.redeem_ticket(wrong).await, "invalid_ticket");
    }
}

#[tokio::test]
async fn a_ticket_is_good_for_thirty_seconds_and_never_after_the_session() {
    let (world, hallpass) = World::started().await;
    let issued = open(&hallpass, "ada").await;
    let late = hallpass.issue_ticket(issued.session.id).await.unwrap();
    world.clock.advance(TICKET_TTL);
    expect(
        &hallpass.redeem_ticket(late.expose()).await,
        "invalid_ticket",
    );
    let ended = hallpass.issue_ticket(issued.session.id).await.unwrap();
    hallpass
        .sign_out(issued.session.id, &device(1))
        .await
        .unwrap();
    expect(
        &hallpass.redeem_ticket(ended.expose()).await,
        "session_ended",
    );
    expect(
        &hallpass.issue_ticket(issued.session.id).await,
        "session_ended",
    );
}

#[tokio::test]
async fn everything_that_was_revoked_stands_in_the_feed_in_order() {
    let (world, hallpass) = World::started().await;
    let (first, second) = (open(&hallpass, "ada").await, open(&hallpass, "ada").await);
    hallpass
        .sign_out(first.session.id, &device(1))
        .await
        .unwrap();
    hallpass.sync().await.unwrap();
    let seen = hallpass.feed().latest();
    hallpass
        .end_sessions(&user_id("ada"), None, &device(1))
        .await
        .unwrap();
    hallpass.appended().await;
    hallpass.sync().await.unwrap();
    let told = |cursor| {
        let page = hallpass.feed().since(cursor, 10);
        page.entries
            .into_iter()
            .map(|entry| entry.revoked)
            .collect::<Vec<_>>()
    };
    let rest = told(seen);
    assert_eq!(rest.len(), 2);
    assert!(rest.contains(&Revoked::Session(second.session.id)));
    assert!(rest.contains(&Revoked::User(user_id("ada"))));
    assert_eq!(told(Cursor::default()).len(), 3);
    // A process that starts now knows them too, and forgets them when they matter no more.
    let restarted = world.process().await;
    assert_eq!(
        restarted.feed().since(Cursor::default(), 10).entries.len(),
        3
    );
    world.clock.advance(HOUR);
    restarted.purge().await.unwrap();
    restarted.sync().await.unwrap();
    assert!(
        restarted
            .feed()
            .since(Cursor::default(), 10)
            .entries
            .is_empty()
    );
}

#[tokio::test]
async fn a_service_is_known_by_the_secret_whose_hash_is_configured() {
    let secret = ServiceSecret::draw(&SeededRandom::new(3)).unwrap();
    let line = format!("orders:{}", secret.hash().to_hex());
    let settings = Settings {
        services: vec![Service::parse(&line).unwrap()],
        ..cheap()
    };
    let hallpass = World::new().process_with(settings).await;
    assert_eq!(
        hallpass.service(Some("orders"), secret.expose()),
        Some("orders")
    );
    assert_eq!(hallpass.service(None, secret.expose()), Some("orders"));
    assert_eq!(hallpass.service(Some("mail"), secret.expose()), None);
    assert_eq!(hallpass.service(Some("orders"), "hps_wrong"), None);
    assert!(!format!("{:?}", hallpass.settings()).contains(secret.expose()));
}
