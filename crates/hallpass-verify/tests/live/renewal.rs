//! How WebSockets go on.

use crate::issuer::{ALICE, BOB, NOW};
use crate::support::{TTL, app, fresh, token_at};
use hallpass_verify::live::{RenewFault, Renewal};
use hallpass_verify::problem::Code;
use hallpass_verify::{Clock as _, Location, Revoked};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const RENEWED: &str = r#"{"type":"hallpass.renewed","expires_in":900}"#;
/// A ticket takes a moment to be redeemed.
const RENEWED_BY_TICKET: &str = r#"{"type":"hallpass.renewed","expires_in":899}"#;
const NOT_YOURS: &str = "closed 4403 not_yours";

fn refused(code: &str) -> String {
    format!(r#"{{"type":"hallpass.refused","code":"{code}"}}"#)
}

#[tokio::test(start_paused = true)]
async fn a_renewed_socket_survives_the_expiry_of_its_first_token() {
    let app = app();
    let opened = Instant::now();
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    for _ in 0..3 {
        assert!(client.hear().await.contains("hallpass.expiring"));
        assert_eq!(client.renew(&fresh(ALICE, &app)).await, RENEWED);
    }
    assert_eq!(opened.elapsed().as_secs(), 3 * (TTL - 60));
    assert_eq!(client.ask("hello").await, "hello");
    // Each token is told of once.
    assert!(client.hear().await.contains("hallpass.expiring"));
    assert_eq!(client.hear().await, "closed 4401 token_expired");
    assert_eq!(opened.elapsed().as_secs(), 4 * TTL - 3 * 60 + 10);
}

#[tokio::test(start_paused = true)]
async fn a_renewed_socket_still_ends_with_its_session() {
    let app = app();
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    sleep(Duration::from_secs(100)).await;
    assert_eq!(client.renew(&fresh(ALICE, &app)).await, RENEWED);
    app.end(ALICE.session());
    assert_eq!(client.hear().await, "closed 4403 session_ended");
}

#[tokio::test(start_paused = true)]
async fn the_caller_is_whom_the_last_token_tells() {
    let app = app();
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    assert_eq!(client.ask("who").await, "t1");
    let next = ALICE.token_with(json!({ "jti": "t2", "exp": NOW + TTL }));
    assert_eq!(client.renew(&next).await, RENEWED);
    assert_eq!(client.ask("who").await, "t2");
}

#[tokio::test(start_paused = true)]
async fn a_renewed_socket_stands_on_its_last_token_and_not_on_those_before() {
    let app = app();
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    let next = ALICE.token_with(json!({ "jti": "t2", "exp": NOW + TTL }));
    assert_eq!(client.renew(&next).await, RENEWED);
    let revoke = |name: &str| {
        let now = app.clock.now();
        let until = now.plus(Duration::from_secs(TTL));
        let revoked = Revoked::Token(name.to_owned());
        app.verifier.learn(&revoked, now, until);
    };
    revoke("t1");
    sleep(Duration::from_secs(100)).await;
    assert_eq!(client.ask("hello").await, "hello");
    revoke("t2");
    assert_eq!(client.hear().await, "closed 4403 session_ended");
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_user_or_session_closes_the_socket() {
    let app = app();
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    assert_eq!(client.renew(&fresh(BOB, &app)).await, NOT_YOURS);
    let other_session = ALICE.token_with(json!({ "sid": BOB.session().to_string() }));
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    assert_eq!(client.renew(&other_session).await, NOT_YOURS);
    let other_user = ALICE.token_with(json!({ "sub": "bob" }));
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    assert_eq!(client.renew(&other_user).await, NOT_YOURS);
    let ticket = app.drawer.ticket_for(fresh(BOB, &app));
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    assert_eq!(client.renew_by_ticket(&ticket).await, NOT_YOURS);
}

#[tokio::test(start_paused = true)]
async fn a_bad_renewal_is_told_and_changes_nothing() {
    let app = app();
    let opened = Instant::now();
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    let forged = format!("{}x", fresh(ALICE, &app));
    assert_eq!(client.renew(&forged).await, refused("token_malformed"));
    assert_eq!(client.renew("no\nheader").await, refused("token_malformed"));
    assert_eq!(
        client.renew(&ALICE.expired_token()).await,
        refused("token_expired")
    );
    let for_another = ALICE.token_with(json!({ "aud": "other" }));
    assert_eq!(client.renew(&for_another).await, refused("token_invalid"));
    let broken = r#"{"type":"hallpass.renew"}"#;
    assert_eq!(client.ask(broken).await, refused("malformed_body"));
    assert_eq!(client.ask("who").await, "t1");
    assert!(client.hear().await.contains("hallpass.expiring"));
    assert_eq!(client.hear().await, "closed 4401 token_expired");
    assert_eq!(opened.elapsed().as_secs(), TTL + 10);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_renews_once() {
    let app = app();
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    let ticket = app.drawer.ticket_for(fresh(ALICE, &app));
    assert_eq!(client.renew_by_ticket(&ticket).await, RENEWED_BY_TICKET);
    assert_eq!(
        client.renew_by_ticket(&ticket).await,
        refused("token_invalid")
    );
    assert_eq!(
        client.renew_by_ticket("hpt_x").await,
        refused("token_malformed")
    );
    let mut other = app.open_with(&fresh(ALICE, &app)).await;
    assert_eq!(
        other.renew_by_ticket(&ticket).await,
        refused("token_invalid")
    );
    assert_eq!(client.ask("hello").await, "hello");
}

#[tokio::test(start_paused = true)]
async fn a_socket_whose_renewals_are_refused_again_and_again_is_closed() {
    let app = app();
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    for _ in 0..4 {
        assert_eq!(client.renew("junk").await, refused("token_malformed"));
    }
    // A good one starts the count again.
    assert_eq!(client.renew(&token_at(ALICE, NOW)).await, RENEWED);
    for _ in 0..5 {
        assert_eq!(client.renew("junk").await, refused("token_malformed"));
    }
    assert_eq!(client.renew("junk").await, "closed 1008 too_many_renewals");
}

#[tokio::test(start_paused = true)]
async fn an_end_does_not_wait_for_a_renewal_that_is_under_way() {
    let app = app();
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    let ticket = app.drawer.ticket_for(fresh(ALICE, &app));
    let renewal = json!({ "type": "hallpass.renew", "ticket": ticket });
    client.say_json(&renewal).await;
    sleep(Duration::from_millis(5)).await;
    let told = Instant::now();
    app.end(ALICE.session());
    assert_eq!(client.hear().await, "closed 4403 session_ended");
    assert!(
        told.elapsed() < Duration::from_millis(10),
        "{:?}",
        told.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn messages_go_their_way_around_a_renewal() {
    let app = app();
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    let ticket = app.drawer.ticket_for(fresh(ALICE, &app));
    client.say("one").await;
    client
        .say_json(&json!({ "type": "hallpass.renew", "ticket": ticket }))
        .await;
    client.say("two").await;
    let heard = [
        client.hear().await,
        client.hear().await,
        client.hear().await,
    ];
    assert_eq!(heard, ["one", RENEWED_BY_TICKET, "two"]);
}

#[tokio::test(start_paused = true)]
async fn a_guard_is_renewed_by_token_and_by_ticket() {
    let app = app();
    let caller = |token: &str| {
        app.verifier
            .verify(token, Location::Header, app.clock.now())
    };
    let mut guard = app.layer.guard(caller(&fresh(ALICE, &app)).unwrap());
    sleep(Duration::from_secs(500)).await;
    let by_token = |token: String| Renewal::AccessToken(token.into());
    let left = guard.renew(by_token(fresh(ALICE, &app))).await.unwrap();
    assert_eq!(left.as_secs(), TTL);
    let bobs = guard.renew(by_token(fresh(BOB, &app))).await;
    assert!(matches!(bobs, Err(RenewFault::NotYours(_))));
    let junk = guard.renew(by_token("junk".into())).await;
    assert_eq!(junk, Err(RenewFault::Refused(Code::TokenMalformed)));
    let ticket = hallpass_verify::live::Ticket::parse(&app.drawer.ticket_for(fresh(ALICE, &app)));
    sleep(Duration::from_secs(500)).await;
    assert!(guard.renew(Renewal::Ticket(ticket.unwrap())).await.is_ok());
    assert_eq!(guard.is_over(), None);
    assert_eq!(guard.caller().subject(), "alice");
}
