//! Revoking tokens (RFC 7009).

use super::tokens::{decoded, encoded, rebuilt};
use crate::common::{ACCESS_TTL, ALICE, App, BOB, FOREIGN, MINUTE, SPA};
use hallpass_core::audit::EventKind;
use serde_json::json;

const PATH: &str = "/auth/revoke";

/// Revokes as a client without a secret does; the answer is always the same.
async fn revoke(app: &App, token: &str) {
    let answer = app.post(PATH).form(&[("token", token)]).send().await;
    assert_eq!((answer.status, answer.text()), (200, String::new()));
    assert_eq!(answer.cookies(), []);
}

#[tokio::test]
async fn os_01_a_refresh_token_ends_its_session_and_no_other() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let mut other = app.signed_in(ALICE).await;
    let by_body = app.signed_in_by_body(ALICE).await;
    let held = by_body["access_token"].as_str().unwrap();
    revoke(&app, by_body["refresh_token"].as_str().unwrap()).await;
    let answer = app.get("/auth/me").bearer(held).send().await;
    answer.expect(401, "session_ended");
    let body = json!({ "refresh_token": by_body["refresh_token"] });
    let answer = app.post("/auth/refresh").json(&body).send().await;
    answer.expect(401, "session_ended");
    // One that travels in a cookie just as well.
    revoke(&app, &alice.refresh_token()).await;
    assert_eq!(alice.me().await, (401, "session_ended".into()));
    assert_eq!(other.me().await.0, 200);
    assert_eq!(app.audit.of(EventKind::SessionRevoked).len(), 2);
    // Twice is no error, and no event.
    revoke(&app, &alice.refresh_token()).await;
    assert_eq!(app.audit.of(EventKind::SessionRevoked).len(), 2);
}

#[tokio::test]
async fn os_01_an_access_token_ends_its_session() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let mut other = app.signed_in(ALICE).await;
    revoke(&app, &alice.access()).await;
    assert_eq!(alice.me().await, (401, "session_ended".into()));
    let csrf = alice.csrf();
    let answer = alice.post("/auth/refresh").csrf(&csrf).send().await;
    answer.expect(401, "session_ended");
    assert_eq!(other.me().await.0, 200);
    // A refresh token that was used is as good as the one after it: it names the session.
    let used = other.refresh_token();
    other.refresh().await;
    revoke(&app, &used).await;
    assert_eq!(other.me().await.0, 401);
}

#[tokio::test]
async fn os_01_what_is_no_token_of_ours_is_revoked_already() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let (access, refresh) = (alice.access(), alice.refresh_token());
    let forged = rebuilt(&access, |[_, payload, _]| {
        let mut changed = decoded(payload);
        changed["jti"] = "x".into();
        *payload = encoded(&changed);
    });
    let elsewhere = App::start_with(|settings, _| settings.issuer = "https://other.test".into());
    let elsewhere = elsewhere.await.signed_up(ALICE).await.access();
    let before = app.database();
    for other in [
        "",
        "junk",
        &forged,
        &elsewhere,
        &refresh[..refresh.len() - 1],
        &refresh.replacen("hpr_", "hps_", 1),
        &alice.csrf(),
        &alice.session_id().await,
    ] {
        revoke(&app, other).await;
    }
    assert_eq!(app.database(), before);
    assert_eq!(alice.me().await.0, 200);
    // One that has expired is no use to anybody; the refresh token is the one to revoke.
    app.advance(ACCESS_TTL + MINUTE);
    revoke(&app, &access).await;
    alice.refresh().await;
}

#[tokio::test]
async fn os_01_get_is_not_allowed() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    let path = format!("{PATH}?token={}", alice.refresh_token());
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let answer = app.request(method, &path).send().await;
        let answer = answer.expect(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some("POST"));
    }
    // Nor is a token taken from an address.
    let answer = app.post(&path).form(&[]).send().await;
    answer.expect(422, "validation_failed");
    assert_eq!(alice.clone().me().await.0, 200);
}

#[tokio::test]
async fn os_01_credentials_may_be_missing_and_may_not_be_wrong() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let token = alice.access();
    let form = [("token", token.as_str())];
    for (name, secret) in [("orders", "hps_x"), ("", ""), ("bills", "")] {
        let request = app.post(PATH).basic(name, secret).form(&form);
        request.send().await.expect(401, "invalid_client");
    }
    // A user's token is no service's secret.
    let request = app.post(PATH).bearer(&token).form(&form);
    request.send().await.expect(401, "invalid_client");
    assert_eq!(app.audit.of(EventKind::ServiceRefused).len(), 4);
    assert_eq!(alice.me().await.0, 200);
    let answer = app.post(PATH).service().form(&form).send().await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(alice.me().await.0, 401);
}

#[tokio::test]
async fn os_01_a_cookie_is_no_token_to_revoke() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let bob = app.signed_up(BOB).await;
    // A page of anybody's makes Alice's browser send a form: only what the form says counts.
    let request = alice.bare("POST", PATH).header("origin", FOREIGN);
    let answer = request.form(&[("token", &bob.access())]).send().await;
    assert_eq!((answer.status, answer.cookies().len()), (200, 0));
    assert_eq!(alice.me().await.0, 200);
    assert_eq!(bob.clone().me().await.0, 401);
    let answer = alice.bare("POST", PATH).form(&[]).send().await;
    answer.expect(422, "validation_failed");
    assert_eq!(alice.me().await.0, 200);
}

#[tokio::test]
async fn a_page_of_a_trusted_origin_may_revoke_what_it_holds() {
    let app = App::start().await;
    let request = app.post(PATH).header("origin", SPA);
    let answer = request.json(&json!({ "token": "x" })).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(SPA));
}
