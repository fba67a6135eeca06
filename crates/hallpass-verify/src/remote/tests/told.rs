//! A verifier with service credentials: what was revoked, and what happens when that is not known.

use super::issuer::{INTROSPECT, Issuer, JWKS, REDEEM, REVOCATIONS};
use super::{Builder, NOW, Stage, Timestamp};
use crate::remote::{RedeemFault, ServiceSecret};
use crate::{AskFault, WhenStale};
use serde_json::json;
use std::time::Duration;

const SESSION: &str = "AAAAAAAAAAAAAAAAAAAAAA";

fn with_service(builder: Builder) -> Builder {
    builder.service("orders", ServiceSecret::new("hps_o".into()))
}

/// A verifier that knows the keys and what was revoked.
async fn told(change: impl FnOnce(Builder) -> Builder) -> Stage {
    let issuer = Issuer::with_keys(&["k1"]).await;
    let stage = Stage::cold(issuer, |builder| change(with_service(builder)));
    until_told(&stage).await;
    stage
}

async fn until_told(stage: &Stage) {
    let now = crate::Clock::now(&*stage.clock);
    let heard_now = |heard_at: Timestamp| heard_at >= now;
    stage
        .until(|status| {
            let told = status.revocations.as_ref().unwrap();
            told.heard_at.is_some_and(heard_now)
        })
        .await;
}

#[tokio::test]
async fn a_session_that_ends_at_the_issuer_ends_here_without_a_question() {
    let stage = told(|builder| builder).await;
    let token = stage.token("k1");
    assert_eq!(stage.verdict(&token).await, "alice");
    stage.issuer.revoke(json!(["s", SESSION, NOW]));
    stage
        .until(|_| !stage.remote.verifier().revocations().is_empty())
        .await;
    assert_eq!(stage.verdict(&token).await, "session_ended");
    assert_eq!(stage.issuer.requests(INTROSPECT).len(), 0);
}

#[tokio::test]
async fn jk_04_a_key_that_the_issuer_tells_of_is_refused_and_the_set_fetched_anew() {
    let stage = told(|builder| builder).await;
    let token = stage.token("k1");
    assert_eq!(stage.verdict(&token).await, "alice");
    // The cool-down runs, and the set is fresh for minutes.
    assert_eq!(
        stage.verdict(&stage.token("made-up")).await,
        "token_invalid"
    );
    let before = stage.issuer.requests(JWKS).len();
    stage.issuer.serve(&["k2"]);
    stage.issuer.revoke(json!(["k", "k1", NOW]));
    stage.until(|status| status.keys.keys == 0).await;
    assert_ne!(stage.verdict(&token).await, "alice");
    stage.fetch_after(Duration::from_secs(1)).await;
    assert_eq!(stage.issuer.requests(JWKS).len(), before + 1);
    assert_eq!(stage.verdict(&stage.token("k2")).await, "alice");
}

#[tokio::test]
async fn after_the_bound_without_the_issuer_a_route_goes_on_asks_or_refuses() {
    for (when_stale, verdict) in [
        (WhenStale::GoOn, "alice"),
        (WhenStale::Ask, "unavailable"),
        (WhenStale::Refuse, "unavailable"),
    ] {
        let stage = told(|builder| builder.when_stale(when_stale)).await;
        stage.issuer.down();
        stage.clock.advance(Duration::from_secs(29));
        assert_eq!(
            stage.verdict(&stage.token("k1")).await,
            "alice",
            "{when_stale:?}"
        );
        stage.clock.advance(Duration::from_secs(3));
        assert_eq!(
            stage.verdict(&stage.token("k1")).await,
            verdict,
            "{when_stale:?}"
        );
        stage.issuer.honest();
        until_told(&stage).await;
        assert_eq!(
            stage.verdict(&stage.token("k1")).await,
            "alice",
            "{when_stale:?}"
        );
    }
}

#[tokio::test]
async fn while_what_was_revoked_is_not_told_the_issuer_can_be_asked_about_each_token() {
    let stage = told(|builder| builder.when_stale(WhenStale::Ask)).await;
    stage.issuer.instead(
        REVOCATIONS,
        super::issuer::answer("500 Internal Server Error", "", b""),
    );
    stage.clock.advance(Duration::from_secs(40));
    let token = stage.token("k1");
    assert_eq!(stage.verdict(&token).await, "alice");
    assert_eq!(stage.verdict(&token).await, "alice");
    assert_eq!(stage.issuer.requests(INTROSPECT).len(), 2);
    stage.issuer.knows_no_token();
    assert_eq!(stage.verdict(&token).await, "session_ended");
}

#[tokio::test]
async fn before_the_issuer_has_told_a_route_that_must_know_is_unavailable() {
    let issuer = Issuer::with_keys(&["k1"]).await;
    issuer.instead(
        REVOCATIONS,
        super::issuer::answer("503 Service Unavailable", "", b""),
    );
    let stage = Stage::cold(issuer, |builder| {
        with_service(builder).when_stale(WhenStale::Refuse)
    });
    stage.remote.ready().await;
    assert_eq!(stage.verdict(&stage.token("k1")).await, "unavailable");
    stage.issuer.honest();
    until_told(&stage).await;
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
}

#[tokio::test]
async fn a_ticket_is_changed_at_the_issuer_into_a_token() {
    let stage = told(|builder| builder).await;
    let ticket = format!("hpt_{}", "A".repeat(43));
    let token = stage.remote.redeem(&ticket).await.unwrap();
    assert_eq!(token.expose(), "a.b.c");
    let requests = stage.issuer.requests(REDEEM);
    assert!(requests[0].starts_with("POST "), "{requests:?}");
    let bare = Stage::new().await;
    let refused = bare.remote.redeem(&ticket).await.unwrap_err();
    assert_eq!(refused, RedeemFault::Unavailable(AskFault::NotSetUp));
}

#[cfg(feature = "live")]
#[tokio::test]
async fn a_ticket_of_a_handshake_is_redeemed_at_the_issuer() {
    use crate::live::{Ticket, TicketFault, Tickets};
    let stage = told(|builder| builder).await;
    let ticket = Ticket::parse(&format!("hpt_{}", "A".repeat(43))).unwrap();
    let redeem = async || {
        let tickets: &dyn Tickets = &stage.remote;
        let token = tickets.redeem(&ticket).await;
        token.map(|token| token.expose().to_owned())
    };
    assert_eq!(redeem().await, Ok("a.b.c".into()));
    let used = r#"{"code":"token_invalid"}"#;
    let lines = "Content-Type: application/problem+json\r\n";
    let refusal = super::issuer::answer("401 Unauthorized", lines, used.as_bytes());
    stage.issuer.instead(REDEEM, refusal);
    assert_eq!(redeem().await, Err(TicketFault::Refused));
    stage.issuer.down();
    assert_eq!(redeem().await, Err(TicketFault::Unavailable));
}

#[tokio::test]
async fn credentials_go_to_the_issuer_and_not_with_what_is_public() {
    let stage = told(|builder| builder).await;
    for head in stage.issuer.requests(JWKS) {
        assert!(!head.contains("authorization"), "{head}");
    }
    let told = stage.issuer.requests(REVOCATIONS);
    assert!(
        told.iter()
            .all(|head| head.contains("authorization: Basic ")),
        "{told:?}"
    );
}

#[tokio::test]
async fn what_listens_in_the_background_ends_with_the_last_handle() {
    let stage = told(|builder| builder).await;
    let verifier = std::sync::Arc::downgrade(stage.remote.verifier());
    let Stage { remote, issuer, .. } = stage;
    drop(remote);
    while verifier.upgrade().is_some() {
        tokio::task::yield_now().await;
    }
    drop(issuer);
}
