//! The wire of profile `authfort`, as far as tokens, keys and introspection go.

use super::tokens::decoded;
use crate::common::{ACCESS_TTL, ALICE, Answer, App, NOW, OWN, SERVICE_SECRET};
use hallpass_axum::{Mount, TrustedProxies};
use hallpass_core::session::Device;
use hallpass_core::{Profile, Web, WebSettings};
use hallpass_verify::UserId;
use serde_json::{Value, json};

async fn start() -> App {
    App::of_profile(Profile::AuthFort, |_| {}).await
}

/// An error as `AuthFort` says it.
#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) {
    let told = (answer.status, answer.json()["detail"]["error"].clone());
    assert_eq!(told, (status, json!(error)), "{answer:?}");
}

/// Asks as `authfort-service` asks.
async fn introspect(app: &App, token: &str) -> Value {
    let request = app.post("/auth/introspect").bearer(SERVICE_SECRET);
    let answer = request.json(&json!({ "token": token })).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

fn inactive() -> Value {
    json!({
        "active": false, "sub": null, "email": null, "name": null, "roles": null,
        "token_version": null, "exp": null, "iat": null, "iss": null,
    })
}

#[tokio::test]
async fn os_02_introspection_has_the_shape_that_authfort_service_reads() {
    let app = start().await;
    let mut alice = app.signed_up(ALICE).await;
    let me = alice.get("/auth/me").send().await.json();
    let expected = json!({
        "active": true,
        "sub": me["id"],
        "email": ALICE,
        "name": me.get("name").cloned().unwrap_or_default(),
        "roles": [],
        "token_version": 0,
        "exp": NOW.plus(ACCESS_TTL).as_seconds(),
        "iat": NOW.as_seconds(),
        "iss": OWN,
    });
    assert_eq!(introspect(&app, &alice.access()).await, expected);
    for other in ["", "junk", "a.b.c", &alice.refresh_token()] {
        assert_eq!(introspect(&app, other).await, inactive(), "{other}");
    }
}

#[tokio::test]
async fn os_02_a_token_stays_active_over_a_refresh_and_follows_roles_and_sign_out() {
    let app = start().await;
    let mut alice = app.signed_up(ALICE).await;
    alice.refresh().await;
    let token = alice.access();
    let told = introspect(&app, &token).await;
    assert_eq!(
        (&told["active"], &told["roles"]),
        (&json!(true), &json!([]))
    );
    let user = UserId::parse(told["sub"].as_str().unwrap()).unwrap();
    let rules = app.mount.hallpass();
    let admin = ["admin".to_owned()];
    rules
        .set_roles(&user, &admin, &Device::default())
        .await
        .unwrap();
    assert_eq!(introspect(&app, &token).await["roles"], json!(["admin"]));
    rules
        .end_sessions(&user, None, &Device::default())
        .await
        .unwrap();
    assert_eq!(introspect(&app, &token).await, inactive());
}

#[tokio::test]
async fn os_02_whoever_is_no_service_is_told_nothing() {
    let app = start().await;
    let token = app.signed_up(ALICE).await.access();
    let body = json!({ "token": token });
    let asked = || app.post("/auth/introspect").json(&body);
    let unreadable = format!("Bearer {}", "\u{e9}".repeat(47));
    for request in [
        asked(),
        asked().bearer("hps_x"),
        asked().raw_header("authorization", unreadable.as_bytes()),
    ] {
        refused(&request.send().await, 401, "unauthorized");
    }
}

#[tokio::test]
async fn our_own_routes_take_the_tokens_of_the_profile() {
    let app = start().await;
    let mut alice = app.signed_up(ALICE).await;
    let token = alice.access();
    let header = decoded(token.split('.').next().unwrap());
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("RS256"), &json!("at+jwt"))
    );
    assert_eq!(alice.me().await.0, 200);
    assert_eq!(app.get("/auth/me").bearer(&token).send().await.status, 200);
    assert_eq!(app.get("/me2").bearer(&token).send().await.status, 200);
    // No CSRF token is asked for, so a request has to say that it comes from our own page.
    for origin in ["cross-site", "same-site"] {
        let forged = alice
            .bare("POST", "/auth/logout")
            .header("sec-fetch-site", origin);
        refused(&forged.send().await, 403, "origin_denied");
    }
    let silent = alice.bare("POST", "/auth/logout").send().await;
    refused(&silent, 403, "origin_denied");
    assert_eq!(alice.me().await.0, 200);
    assert_eq!(alice.post("/auth/logout").send().await.status, 204);
    let answer = app.get("/auth/me").bearer(&token).send().await;
    refused(&answer, 401, "token_version_mismatch");
}

#[tokio::test]
async fn the_key_set_is_where_it_always_is_and_holds_an_rsa_key() {
    let app = start().await;
    let answer = app.get("/.well-known/jwks.json").send().await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let set = answer.json();
    let [key] = set["keys"].as_array().unwrap().as_slice() else {
        panic!("{set}");
    };
    for (member, value) in [
        ("kty", "RSA"),
        ("use", "sig"),
        ("alg", "RS256"),
        ("e", "AQAB"),
    ] {
        assert_eq!(key[member], value);
    }
}

#[tokio::test]
async fn a_mount_cannot_promise_what_the_tokens_do_not_say() {
    let mount = |app: &App, profile| {
        let web = WebSettings {
            profile,
            ..WebSettings::new(OWN)
        };
        let web = Web::checked(web).unwrap();
        Mount::new(app.mount.hallpass().clone(), web, TrustedProxies::default())
    };
    let (native, authfort) = (App::start().await, start().await);
    let refused = mount(&native, Profile::AuthFort).unwrap_err();
    assert_eq!(refused.0[0].setting, "profile");
    for (app, profile) in [
        (&native, Profile::Native),
        (&authfort, Profile::Native),
        (&authfort, Profile::AuthFort),
    ] {
        assert!(mount(app, profile).is_ok());
    }
}
