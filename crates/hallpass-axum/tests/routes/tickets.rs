//! One-time tickets for connections that cannot send a header.

use super::tokens::decoded;
use crate::common::{ALICE, Answer, App, BOB, FOREIGN, OWN, SECOND, SPA, short_of};
use futures_util::future::join_all;
use hallpass_core::TICKET_TTL;
use serde_json::json;

/// Draws a ticket with an access token in the header.
async fn draw(app: &App, access: &str) -> String {
    let answer = app.post("/auth/ticket").bearer(access).send().await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["expires_in"], 30);
    assert_eq!(body.as_object().unwrap().len(), 2);
    let ticket = body["ticket"].as_str().unwrap().to_owned();
    assert!(ticket.starts_with("hpt_") && ticket.len() == 47, "{ticket}");
    ticket
}

async fn redeem(app: &App, ticket: &str) -> Answer {
    let request = app.post("/auth/ticket/redeem").service();
    request.form(&[("ticket", ticket)]).send().await
}

#[tokio::test]
async fn a_ticket_is_good_once_for_a_token_of_its_session() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let ticket = draw(&app, &alice.access()).await;
    let answer = redeem(&app, &ticket).await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 900);
    assert_eq!(body.as_object().unwrap().len(), 3);
    let token = body["access_token"].as_str().unwrap();
    let claims = decoded(token.split('.').nth(1).unwrap());
    assert_eq!(claims["sid"], alice.session_id().await);
    let me = app.get("/auth/me").bearer(token).send().await;
    assert_eq!(me.json()["id"], alice.me().await.1);
    for _ in 0..2 {
        redeem(&app, &ticket).await.expect(401, "token_invalid");
    }
    // JSON does as well.
    let ticket = draw(&app, &alice.access()).await;
    let request = app.post("/auth/ticket/redeem").service();
    let answer = request.json(&json!({ "ticket": ticket })).send().await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn of_many_who_redeem_one_ticket_at_once_one_does() {
    let one = App::start().await;
    let two = one.beside().await;
    let alice = one.signed_up(ALICE).await;
    let ticket = draw(&one, &alice.access()).await;
    let all = (0..40).map(|at| redeem(if at % 2 == 0 { &one } else { &two }, &ticket));
    let mut statuses: Vec<_> = join_all(all).await.iter().map(|one| one.status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[401; 39][..]));
}

#[tokio::test]
async fn a_ticket_is_of_the_session_that_drew_it_and_of_no_other() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let mut bob = app.signed_up(BOB).await;
    let (hers, his) = (
        draw(&app, &alice.access()).await,
        draw(&app, &bob.access()).await,
    );
    for (ticket, browser) in [(&his, &mut bob), (&hers, &mut alice)] {
        let body = redeem(&app, ticket).await.json();
        let token = body["access_token"].as_str().unwrap();
        let me = app.get("/auth/me").bearer(token).send().await;
        assert_eq!(me.json()["id"], browser.me().await.1);
    }
}

#[tokio::test]
async fn a_ticket_expires_after_half_a_minute() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    let (early, late) = (
        draw(&app, &alice.access()).await,
        draw(&app, &alice.access()).await,
    );
    app.advance(short_of(TICKET_TTL));
    assert_eq!(redeem(&app, &early).await.status, 200);
    app.advance(SECOND);
    redeem(&app, &late).await.expect(401, "token_invalid");
}

#[tokio::test]
async fn a_ticket_is_worth_nothing_once_its_session_has_ended() {
    let one = App::start().await;
    let two = one.beside().await;
    let mut alice = one.signed_up(ALICE).await;
    let ticket = draw(&one, &alice.access()).await;
    let held = alice.access();
    let csrf = alice.csrf();
    alice.post("/auth/logout").csrf(&csrf).send().await;
    // At a process that has not heard of it, too.
    redeem(&two, &ticket).await.expect(401, "token_invalid");
    redeem(&one, &ticket).await.expect(401, "token_invalid");
    let answer = one.post("/auth/ticket").bearer(&held).send().await;
    answer.expect(401, "session_ended");
    let answer = two.post("/auth/ticket").bearer(&held).send().await;
    answer.expect(401, "session_ended");
}

#[tokio::test]
async fn what_is_no_ticket_is_refused() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    let ticket = draw(&app, &alice.access()).await;
    for other in [
        "",
        "hpt_",
        "junk",
        &ticket[..46],
        &format!("{ticket}A"),
        &format!(" {ticket}"),
        &ticket.to_lowercase(),
        &ticket.replacen("hpt_", "hps_", 1),
        &alice.access(),
        &alice.refresh_token(),
    ] {
        redeem(&app, other).await.expect(401, "token_invalid");
    }
    // And a ticket is nothing else.
    let answer = app.get("/auth/me").bearer(&ticket).send().await;
    answer.expect(401, "token_malformed");
    let request = app.post("/auth/introspect").service();
    let answer = request.form(&[("token", &ticket)]).send().await;
    assert_eq!(answer.json(), json!({ "active": false }));
    let request = app.post("/auth/ticket/redeem").bearer(&ticket);
    let answer = request.form(&[("ticket", &ticket)]).send().await;
    answer.expect(401, "invalid_client");
    // None of it used it up.
    assert_eq!(redeem(&app, &ticket).await.status, 200);
}

#[tokio::test]
async fn a_stolen_database_has_no_ticket_in_it() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    let ticket = draw(&app, &alice.access()).await;
    let before = app.database();
    assert!(before.contains("TicketHash"), "a ticket is kept");
    assert!(!before.contains(&ticket[4..]), "as a hash");
}

#[tokio::test]
async fn cs_01_a_ticket_that_rides_on_a_cookie_owes_the_proof() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let bob = app.signed_up(BOB).await;
    let before = app.database();
    let answer = alice.post("/auth/ticket").send().await;
    answer.expect(403, "csrf_missing");
    for csrf in ["junk", &bob.csrf()] {
        let answer = alice.post("/auth/ticket").csrf(csrf).send().await;
        answer.expect(403, "csrf_invalid");
    }
    let csrf = alice.csrf();
    for origin in [FOREIGN, "null"] {
        let request = alice.bare("POST", "/auth/ticket").csrf(&csrf);
        let answer = request.header("origin", origin).send().await;
        answer.expect(403, "origin_denied");
    }
    assert_eq!(app.database(), before);
    for origin in [OWN, SPA] {
        let request = alice.bare("POST", "/auth/ticket").csrf(&csrf);
        let answer = request.header("origin", origin).send().await;
        assert_eq!(answer.status, 201);
        assert_eq!(answer.cookies(), []);
    }
    // Nobody gets none, and the refresh cookie alone is no access credential.
    let answer = app.post("/auth/ticket").send().await;
    answer.expect(401, "not_authenticated");
    let request = app.post("/auth/ticket").csrf(&csrf);
    let request = request.cookie(crate::common::REFRESH, &alice.refresh_token());
    request.send().await.expect(401, "not_authenticated");
    // A junk header is no way to the cookie.
    let request = alice.post("/auth/ticket").csrf(&csrf).bearer("junk");
    request.send().await.expect(401, "token_malformed");
}
