//! What services are told about tokens (RFC 7662).

use super::tokens::{decoded, encoded, rebuilt};
use crate::common::{
    ACCESS, ACCESS_TTL, ALICE, Answer, App, BOB, NOW, OWN, SECOND, SERVICE, SERVICE_SECRET,
};
use hallpass_core::{Opening, OwnClaims, Proof, Scopes};
use hallpass_verify::UserId;
use serde_json::{Value, json};

const PATH: &str = "/auth/introspect";

async fn introspect(app: &App, token: &str) -> Value {
    let form = app.post(PATH).service().form(&[("token", token)]);
    let form = form.send().await;
    assert_eq!(form.status, 200, "{form:?}");
    let by_json = app.post(PATH).service().json(&json!({ "token": token }));
    let by_json = by_json.send().await;
    assert_eq!(by_json.body, form.body);
    assert_eq!(form.header("content-type"), Some("application/json"));
    form.json()
}

fn inactive() -> Value {
    json!({ "active": false })
}

#[tokio::test]
async fn os_02_without_a_services_credentials_nothing_is_said() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let token = alice.access();
    let form = [("token", token.as_str())];
    let refused = |answer: Answer| {
        let answer = answer.expect(401, "invalid_client");
        let challenge = Some(r#"Basic realm="hallpass""#);
        assert_eq!(answer.header("www-authenticate"), challenge);
        assert_eq!(answer.cookies(), []);
    };
    refused(app.post(PATH).form(&form).send().await);
    // Users are no services: neither their cookies nor their tokens.
    let csrf = alice.csrf();
    refused(alice.post(PATH).csrf(&csrf).form(&form).send().await);
    refused(app.post(PATH).bearer(&token).form(&form).send().await);
    let secret_in_body = [
        ("token", token.as_str()),
        ("client_id", SERVICE),
        ("client_secret", SERVICE_SECRET),
    ];
    refused(app.post(PATH).form(&secret_in_body).send().await);
}

#[tokio::test]
async fn os_02_a_live_token_is_described_as_it_is() {
    let app = App::start().await;
    app.add_user(ALICE, &["admin", "clerk"]).await;
    let mut alice = app.signed_in(ALICE).await;
    let token = alice.access();
    let claims = decoded(token.split('.').nth(1).unwrap());
    let told = introspect(&app, &token).await;
    let expected = json!({
        "active": true,
        "iss": OWN,
        "aud": OWN,
        "sub": claims["sub"],
        "sid": alice.session_id().await,
        "jti": claims["jti"],
        "iat": NOW.as_seconds(),
        "exp": NOW.plus(ACCESS_TTL).as_seconds(),
        "auth_time": NOW.as_seconds(),
        "amr": ["pwd"],
        "roles": ["admin", "clerk"],
        "token_type": "Bearer",
    });
    assert_eq!(told, expected);
    // Nothing in it opens anything.
    let text = told.to_string();
    assert!(!text.contains(&token) && !text.contains("csh") && !text.contains(ALICE));
    // By either way to prove who asks, with a hint of any kind.
    for hint in ["access_token", "refresh_token", "x"] {
        let form = [("token_type_hint", hint), ("token", token.as_str())];
        let request = app.post(PATH).bearer(SERVICE_SECRET).form(&form);
        assert_eq!(request.send().await.json(), expected, "{hint}");
    }
}

#[tokio::test]
async fn os_02_about_any_other_token_nothing_is_said_but_that_it_is_not_active() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    let token = alice.access();
    let by_body = app.signed_in_by_body(ALICE).await;
    let elsewhere = App::start_with(|settings, _| settings.issuer = "https://other.test".into());
    let elsewhere = elsewhere.await.signed_up(ALICE).await.access();
    let for_others = App::start_with(|settings, _| settings.audience = Some("api".into())).await;
    let for_others = for_others.signed_up(ALICE).await.access();
    let changed = |claim: &str, value: Value| {
        rebuilt(&token, |[_, payload, _]| {
            let mut changed = decoded(payload);
            changed[claim] = value;
            *payload = encoded(&changed);
        })
    };
    let unknown_key = rebuilt(&token, |[header, _, _]| {
        let mut changed = decoded(header);
        changed["kid"] = "unknown".into();
        *header = encoded(&changed);
    });
    for other in [
        "",
        "junk",
        "a.b.c",
        " ",
        "\u{0}",
        &alice.refresh_token(),
        by_body["refresh_token"].as_str().unwrap(),
        &alice.csrf(),
        &elsewhere,
        &for_others,
        &changed("roles", json!(["admin"])),
        &changed("exp", json!(4_000_000_000_u64)),
        &unknown_key,
        &token[..token.len() - 1],
        &format!("{token} "),
        &format!("Bearer {token}"),
    ] {
        assert_eq!(introspect(&app, other).await, inactive(), "{other}");
    }
    // An expired one, and not a second before it is refused everywhere.
    app.advance(ACCESS_TTL + app.mount.hallpass().settings().leeway);
    assert_eq!(introspect(&app, &token).await["active"], true);
    app.advance(SECOND);
    assert_eq!(introspect(&app, &token).await, inactive());
}

#[tokio::test]
async fn os_02_a_cookie_is_not_looked_at() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let token = alice.access();
    let with_cookie = alice.bare("POST", PATH).service();
    let answer = with_cookie.form(&[("token", &token)]).send().await;
    assert_eq!(answer.json()["active"], true);
    // A broken one does no harm either, and no proof is owed.
    let request = app.post(PATH).service().cookie(ACCESS, "junk");
    let request = request.header("origin", "https://evil.test");
    let answer = request.form(&[("token", &token)]).send().await;
    assert_eq!(answer.json()["active"], true);
    // A token in the cookie alone is no parameter.
    let answer = alice.bare("POST", PATH).service().form(&[]).send().await;
    answer.expect(422, "validation_failed");
}

#[tokio::test]
async fn se_03_a_session_that_was_ended_elsewhere_is_not_active_at_any_process() {
    let one = App::start().await;
    let two = one.beside().await;
    let mut alice = one.signed_up(ALICE).await;
    let mut other = one.signed_in(ALICE).await;
    let token = other.access();
    assert_eq!(introspect(&two, &token).await["active"], true);
    let path = format!("/auth/sessions/{}", other.session_id().await);
    let csrf = alice.csrf();
    let ended = alice.request("DELETE", &path).csrf(&csrf).send().await;
    assert_eq!(ended.status, 204);
    // The store is asked: no process has to learn it before.
    for app in [&one, &two] {
        assert_eq!(introspect(app, &token).await, inactive());
        assert_eq!(introspect(app, &alice.access()).await["active"], true);
    }
}

#[tokio::test]
async fn se_04_after_signing_out_everywhere_no_token_is_active() {
    let app = App::start().await;
    let bob = app.signed_up(BOB).await;
    let mut alice = app.signed_up(ALICE).await;
    let others = [app.signed_in(ALICE).await, app.signed_in(ALICE).await];
    let (csrf, held) = (alice.csrf(), alice.jar.clone());
    let all = alice.request("DELETE", "/auth/sessions").csrf(&csrf);
    assert_eq!(all.send().await.json()["ended"], 3);
    alice.jar = held;
    for browser in [&alice, &others[0], &others[1]] {
        assert_eq!(introspect(&app, &browser.access()).await, inactive());
    }
    assert_eq!(introspect(&app, &bob.access()).await["active"], true);
}

#[tokio::test]
async fn a_session_that_is_over_in_the_store_is_not_active_whatever_the_token_says() {
    let app = App::start_with(|settings, _| {
        settings.transient.idle = ACCESS_TTL;
        settings.transient.absolute = ACCESS_TTL;
    })
    .await;
    app.add_user(ALICE, &[]).await;
    let mut body = crate::common::credentials(ALICE);
    body["remember"] = false.into();
    body["delivery"] = "body".into();
    let opened = app.post("/auth/login").json(&body).send().await.json();
    let token = opened["access_token"].as_str().unwrap();
    assert_eq!(introspect(&app, token).await["active"], true);
    // Within the leeway the token is still good by itself; its session is not.
    app.advance(ACCESS_TTL + SECOND);
    assert_eq!(app.get("/auth/me").bearer(token).send().await.status, 200);
    assert_eq!(introspect(&app, token).await, inactive());
}

#[tokio::test]
async fn os_02_what_the_app_says_in_a_token_is_said_of_it() {
    let app = App::start().await;
    let user = UserId::parse("u1").unwrap();
    let opening = Opening {
        scopes: Scopes::new(["orders:read", "users:*"]).unwrap(),
        claims: OwnClaims::default().with("tenant", "acme").unwrap(),
        ..Opening::default()
    };
    let proof = Proof::asserted_by_app(user, &["hwk"]);
    let issued = app
        .mount
        .hallpass()
        .open_session(proof, opening)
        .await
        .unwrap();
    let told = introspect(&app, issued.access.expose()).await;
    assert_eq!(told["scope"], "orders:read users:*");
    assert_eq!(told["tenant"], "acme");
    // Nothing of the answer but that is for the app to say: no member stands there twice.
    for name in told.as_object().unwrap().keys() {
        let is_free = OwnClaims::default().with(name.as_str(), 1).is_ok();
        assert_eq!(is_free, name == "tenant", "{name}");
    }
    assert_eq!(
        (&told["active"], &told["sub"]),
        (&json!(true), &json!("u1"))
    );
}
