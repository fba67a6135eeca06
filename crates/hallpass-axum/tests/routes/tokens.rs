//! Access tokens over HTTP: which are taken, and what is said about the others.

use crate::common::{
    ACCESS, ACCESS_TTL, ALICE, Answer, App, BOB, FOREIGN, MINUTE, REFRESH, SECOND,
};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderMap;
use serde_json::{Value, json};

/// JW-28: a fixed problem, and nothing of the token or of the library.
#[track_caller]
pub(super) fn assert_says_no_more_than_it_must(headers: &HeaderMap, text: &str, token: &str) {
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["cache-control"], "no-store");
    let challenge = r#"Bearer realm="hallpass", error="invalid_token""#;
    assert_eq!(headers["www-authenticate"], challenge);
    let problem: Value = serde_json::from_str(text).unwrap();
    let code = problem["code"].as_str().unwrap();
    let known = [
        "token_malformed",
        "token_invalid",
        "token_expired",
        "session_ended",
    ];
    assert!(known.contains(&code), "{code}");
    let fixed = hallpass_verify::problem::Code::ALL
        .iter()
        .find(|known| known.as_str() == code)
        .unwrap();
    assert_eq!(problem["detail"], fixed.detail());
    assert_eq!(problem.as_object().unwrap().len(), 5);
    assert!(token.len() < 3 || !text.contains(token));
}

/// Tries a token in both places; returns the code of the refusal.
async fn refused(app: &App, token: &str) -> String {
    let header = app.get("/auth/me").bearer(token).send().await;
    let cookie = app.get("/auth/me").cookie(ACCESS, token).send().await;
    for answer in [&header, &cookie] {
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_says_no_more_than_it_must(&answer.headers, &answer.text(), token);
        assert_eq!(answer.cookies(), []);
    }
    assert_eq!(header.code(), cookie.code());
    header.code()
}

/// The three parts of a token, with another header, payload or signature.
pub(super) fn rebuilt(token: &str, change: impl FnOnce(&mut [String; 3])) -> String {
    let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    let mut parts = <[String; 3]>::try_from(parts).unwrap();
    change(&mut parts);
    parts.join(".")
}

pub(super) fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

pub(super) fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn jw_03_a_token_without_an_algorithm_is_refused_however_it_is_spelt() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await.access();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        for keep_signature in [false, true] {
            let token = rebuilt(&alice, |[header, _, signature]| {
                let mut changed = decoded(header);
                changed["alg"] = alg.into();
                *header = encoded(&changed);
                if !keep_signature {
                    signature.clear();
                }
            });
            let code = refused(&app, &token).await;
            assert!(
                ["token_malformed", "token_invalid"].contains(&code.as_str()),
                "{alg}"
            );
        }
    }
}

#[tokio::test]
async fn jw_04_the_public_key_is_no_secret_to_sign_with() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await.access();
    let jwks = app.get("/.well-known/jwks.json").send().await;
    let key = jwks.json()["keys"][0].clone();
    let raw = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
    // RFC 8410 §4: what stands before the 32 bytes in a SubjectPublicKeyInfo.
    let mut der = STANDARD.decode("MCowBQYDK2VwAyEA").unwrap();
    der.extend_from_slice(&raw);
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        STANDARD.encode(&der)
    );
    let secrets = [
        jwks.body.clone(),
        key.to_string().into_bytes(),
        pem.clone().into_bytes(),
        format!("{pem}\n").into_bytes(),
        der,
        raw,
        Vec::new(),
    ];
    for secret in &secrets {
        for alg in ["HS256", "HS512"] {
            let token = rebuilt(&alice, |[header, payload, signature]| {
                let mut changed = decoded(header);
                changed["alg"] = alg.into();
                *header = encoded(&changed);
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                let tag = hmac::sign(&key, format!("{header}.{payload}").as_bytes());
                *signature = URL_SAFE_NO_PAD.encode(tag);
            });
            refused(&app, &token).await;
        }
    }
    let good = app.get("/auth/me").bearer(&alice).send().await;
    assert_eq!(good.status, 200);
}

#[tokio::test]
async fn jw_05_a_token_without_its_signature_is_refused() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await.access();
    let (message, signature) = alice.rsplit_once('.').unwrap();
    for token in [
        format!("{message}."),
        message.to_owned(),
        format!("{message}.{}", &signature[..signature.len() - 1]),
        format!("{message}.{}", "A".repeat(86)),
        format!("{alice}."),
        format!("{alice}.{signature}"),
        format!("{alice}="),
    ] {
        refused(&app, &token).await;
    }
}

#[tokio::test]
async fn jw_06_a_changed_payload_is_refused() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await.access();
    let bob = app.signed_up(BOB).await.access();
    let bob_id = decoded(bob.split('.').nth(1).unwrap())["sub"].clone();
    for (claim, value) in [
        ("sub", bob_id),
        ("roles", json!(["admin"])),
        ("exp", json!(4_000_000_000_u64)),
        ("sid", "AAAAAAAAAAAAAAAAAAAAAA".into()),
    ] {
        let token = rebuilt(&alice, |[_, payload, _]| {
            let mut changed = decoded(payload);
            changed[claim] = value;
            *payload = encoded(&changed);
        });
        refused(&app, &token).await;
    }
    // The payload of one under the signature of the other.
    let token = rebuilt(&alice, |parts| {
        parts[1] = bob.split('.').nth(1).unwrap().into();
    });
    refused(&app, &token).await;
}

#[tokio::test]
async fn jw_08_and_jw_10_no_other_token_passes_for_an_access_token() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let by_body = app.signed_in_by_body(ALICE).await;
    let session = alice.session_id().await;
    for other in [
        alice.refresh_token().as_str(),
        by_body["refresh_token"].as_str().unwrap(),
        &alice.csrf(),
        &session,
        &URL_SAFE_NO_PAD.encode(ALICE),
    ] {
        assert_eq!(refused(&app, other).await, "token_malformed");
    }
}

#[tokio::test]
async fn jw_09_an_access_token_refreshes_nothing() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let request = app.post("/auth/refresh").cookie(REFRESH, &alice.access());
    let answer = request.csrf(&alice.csrf()).send().await;
    assert_eq!(answer.expect(401, "token_invalid").cookies(), []);
    let body = json!({ "refresh_token": alice.access() });
    let answer = app.post("/auth/refresh").json(&body).send().await;
    assert_eq!(answer.expect(401, "token_invalid").cookies(), []);
    // A bearer token is no refresh token, whatever is good about it.
    let answer = app
        .post("/auth/refresh")
        .bearer(&alice.access())
        .send()
        .await;
    assert_eq!(answer.expect(401, "not_authenticated").cookies(), []);
    alice.refresh().await;
}

#[tokio::test]
async fn jw_12_and_jw_13_an_expired_token_is_refused_after_the_leeway_and_ever_after() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await.access();
    let leeway = app.mount.hallpass().settings().leeway;
    app.advance(ACCESS_TTL + leeway);
    let answer = app.get("/auth/me").bearer(&alice).send().await;
    assert_eq!(answer.status, 200);
    for wait in [SECOND, MINUTE, 5 * MINUTE, 24 * 60 * MINUTE] {
        app.advance(wait);
        assert_eq!(refused(&app, &alice).await, "token_expired");
    }
}

/// Who acts, or the code of the refusal.
fn actor(answer: &Answer) -> String {
    answer.code_or("user")
}

#[tokio::test]
async fn jw_14_and_jw_15_the_header_counts_and_the_cookie_is_not_looked_at() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    let bob = app.signed_up(BOB).await;
    let id = |token: &str| {
        let payload = decoded(token.split('.').nth(1).unwrap());
        payload["sub"].as_str().unwrap().to_owned()
    };
    // The same user, then another: without a CSRF token, from a page of anybody's.
    for bearer in [alice.access(), bob.access()] {
        let mut riding = alice.clone();
        let request = riding.bare("POST", "/echo").bearer(&bearer);
        let answer = request.header("origin", FOREIGN).send().await;
        assert_eq!(actor(&answer), id(&bearer));
        assert_eq!(answer.json()["location"], "Header");
    }
    // A header that does not do is no way to the cookie.
    app.advance(MINUTE);
    let mut riding = alice.clone();
    let csrf = alice.csrf();
    for header in ["Bearer junk", "Bearer ", "Bearer", "Bearer a b", ""] {
        let request = riding
            .post("/echo")
            .csrf(&csrf)
            .header("authorization", header);
        let answer = request.send().await;
        assert_eq!(actor(&answer), "token_malformed", "{header}");
        let request = riding.post("/echo").header("authorization", header);
        assert_eq!(actor(&request.send().await), "token_malformed", "{header}");
    }
    // Another scheme is not ours: the cookie counts, and owes what it owes.
    let request = riding.post("/echo").header("authorization", "Basic YTpi");
    assert_eq!(actor(&request.send().await), "csrf_missing");
    let request = riding
        .post("/echo")
        .header("authorization", "Basic YTpi")
        .csrf(&csrf);
    assert_eq!(actor(&request.send().await), id(&alice.access()));
}

#[tokio::test]
async fn jw_18_the_case_of_the_scheme_does_not_matter() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await.access();
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let request = app
            .get("/auth/me")
            .header("authorization", &format!("{scheme} {alice}"));
        assert_eq!(request.send().await.status, 200, "{scheme}");
    }
}

#[tokio::test]
async fn jw_20_a_token_in_the_address_or_the_body_is_not_looked_at() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await.access();
    let path = format!("/auth/me?access_token={alice}");
    let answer = app.get(&path).send().await.expect(401, "not_authenticated");
    assert!(!format!("{answer:?}").contains(&alice));
    let request = app.post("/echo").body(format!("access_token={alice}"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.send().await.expect(401, "not_authenticated");
    let answer = app
        .post("/echo")
        .json(&json!({ "access_token": alice }))
        .send()
        .await;
    answer.expect(401, "not_authenticated");
}

#[tokio::test]
async fn jw_25_a_huge_token_is_refused_unseen() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await.access();
    for len in [20_000, 64_000, 1_000_000] {
        let padded = rebuilt(&alice, |[_, payload, _]| {
            let mut changed = decoded(payload);
            changed["pad"] = "x".repeat(len).into();
            *payload = encoded(&changed);
        });
        assert_eq!(refused(&app, &padded).await, "token_malformed");
        assert_eq!(refused(&app, &"a".repeat(len)).await, "token_malformed");
        assert_eq!(refused(&app, &".".repeat(len)).await, "token_malformed");
    }
}

#[tokio::test]
async fn a_token_of_another_deployment_is_refused() {
    let app = App::start().await;
    let other = App::start_with(|settings, _| settings.issuer = "https://other.test".into()).await;
    // Same keys, same secret, another issuer; then the same issuer for another audience.
    let token = other.signed_up(ALICE).await.access();
    assert_eq!(refused(&app, &token).await, "token_invalid");
    let other = App::start_with(|settings, _| settings.audience = Some("api".into())).await;
    let token = other.signed_up(ALICE).await.access();
    assert_eq!(refused(&app, &token).await, "token_invalid");
}
