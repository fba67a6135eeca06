//! Tokens in other places and under other names: our own routes and the app's obey alike.

use crate::common::{App, MINUTE, SPA};
use hallpass_core::{Delivery, WebSettings};
use hallpass_verify::{Location, Locations, TokenHeader};
use serde_json::Value;

async fn app(change: impl FnOnce(&mut WebSettings)) -> App {
    App::start_with(|_, web| change(web)).await
}

/// The access token of a new session whose tokens travel in bodies.
async fn access(app: &App, email: &str) -> String {
    app.add_user(email, &[]).await;
    let answer = app.signed_in_by_body(email).await;
    answer["access_token"].as_str().unwrap().to_owned()
}

fn order(locations: &[Location]) -> Locations {
    Locations::new(locations).unwrap()
}

#[tokio::test]
async fn a_renamed_header_carries_the_token_everywhere() {
    let app = app(|web| web.token_header = TokenHeader::bare("x-token").unwrap()).await;
    let token = access(&app, "alice@example.test").await;
    for path in ["/auth/me", "/auth/sessions", "/me2"] {
        let answer = app.get(path).header("x-token", &token).send().await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let answer = app.get("/auth/me").bearer(&token).send().await;
    assert_eq!(
        (answer.status, answer.code()),
        (401, "not_authenticated".into())
    );
    let preflight = app.request("OPTIONS", "/auth/me");
    let preflight = preflight.header("access-control-request-method", "GET");
    let preflight = preflight.header("origin", SPA).send().await;
    let allowed = preflight.headers["access-control-allow-headers"].to_str();
    let allowed = allowed.unwrap();
    assert!(allowed.starts_with("x-token, "), "{allowed}");
    // Signing out needs no live token.
    app.advance(20 * MINUTE);
    let answer = app.post("/auth/logout").header("x-token", &token).send();
    assert_eq!(answer.await.status, 204);
    assert_eq!(app.mount.hallpass().verifier().revocations().len(), 1);
}

#[tokio::test]
async fn a_token_in_the_address_is_good_where_the_app_says_so() {
    let locations = [Location::Query, Location::Header, Location::Cookie];
    let app = app(|web| web.locations = Some(order(&locations))).await;
    let token = access(&app, "alice@example.test").await;
    for path in ["/auth/me", "/me2", "/protected"] {
        let answer = app
            .get(&format!("{path}?access_token={token}"))
            .send()
            .await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
        let answer = app
            .get(&format!("{path}?access_token=x"))
            .bearer(&token)
            .send();
        assert_eq!(answer.await.code(), "token_malformed", "{path}");
    }
    let answer = app.post(&format!("/auth/logout?access_token={token}"));
    assert_eq!(answer.send().await.status, 204);
    let answer = app.get(&format!("/me2?access_token={token}")).send().await;
    assert_eq!(answer.code(), "session_ended");
}

#[tokio::test]
async fn by_default_a_token_in_the_address_is_none() {
    let app = App::start().await;
    let token = access(&app, "alice@example.test").await;
    let answer = app
        .get(&format!("/auth/me?access_token={token}"))
        .send()
        .await;
    assert_eq!(answer.code(), "not_authenticated");
}

#[tokio::test]
async fn no_cookie_is_looked_at_where_the_locations_do_not_name_it() {
    let app = app(|web| {
        web.deliveries = vec![Delivery::Split];
        web.delivery = Delivery::Split;
        web.locations = Some(order(&[Location::Header]));
    })
    .await;
    let mut alice = app.signed_up("alice@example.test").await;
    let opened = alice.sign_in("alice@example.test").await;
    let token = opened["access_token"].as_str().unwrap().to_owned();
    let cookie = app
        .get("/me2")
        .cookie("__Host-hp_access", &token)
        .send()
        .await;
    assert_eq!(cookie.json()["user"], Value::Null);
    let refreshed = alice.refresh().await;
    assert_eq!(refreshed["token_type"], "Bearer");
}

#[tokio::test]
async fn cs_21_where_even_a_get_owes_the_proof_a_page_still_gets_one() {
    let app = app(|web| web.csrf_also = vec!["GET".into()]).await;
    let mut alice = app.signed_up("alice@example.test").await;
    for path in ["/auth/me", "/me2"] {
        let answer = alice.get(path).send().await;
        assert_eq!((answer.status, answer.code()), (403, "csrf_missing".into()));
    }
    let csrf = alice.get("/auth/csrf").send().await.json();
    let csrf = csrf["csrf_token"].as_str().unwrap().to_owned();
    for path in ["/auth/me", "/me2"] {
        let answer = alice.get(path).csrf(&csrf).send().await;
        assert_eq!(answer.status, 200, "{path}");
        let foreign = alice.bare("GET", path).csrf(&csrf);
        let foreign = foreign.header("origin", "https://evil.test").send().await;
        assert_eq!(foreign.code(), "origin_denied", "{path}");
    }
    // HEAD owes nothing, and neither does a bearer token.
    let answer = alice.request("HEAD", "/me2").send().await;
    assert_eq!(answer.status, 200);
    let bearer = alice.access();
    let answer = app.get("/me2").bearer(&bearer).send().await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_renamed_csrf_header_is_the_only_one() {
    let app = app(|web| web.csrf_header = "x-own-csrf".into()).await;
    let mut alice = app.signed_up("alice@example.test").await;
    let csrf = alice.csrf();
    let answer = alice.post("/echo").csrf(&csrf).send().await;
    assert_eq!(answer.code(), "csrf_missing");
    let answer = alice.post("/echo").header("x-own-csrf", &csrf).send().await;
    assert_eq!(answer.status, 200);
}
