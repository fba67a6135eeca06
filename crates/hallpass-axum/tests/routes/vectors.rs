//! The public vectors of access tokens, sent to a resource service.

use super::tokens::assert_says_no_more_than_it_must;
use crate::common::ACCESS;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::get;
use hallpass_verify::axum::{GateLayer, MaybeCaller};
use hallpass_verify::{
    Cookie, CookieSettings, Gate, GateSettings, KeySet, Keys, ManualClock, Origin, OriginPolicy,
    SessionClaim, Timestamp, Verifier, VerifierSettings,
};
use http::{HeaderMap, Request};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;

/// Where the standards leave a choice, ours is to accept these, and to refuse the others.
const POLICY_ACCEPTED: [&str; 2] = ["J161", "J200"];

fn vectors() -> Value {
    let text = include_str!("../../../hallpass-verify/tests/data/jwt-access-token.json");
    serde_json::from_str(text).unwrap()
}

/// A resource service, configured as the vectors say.
fn service(vectors: &Value) -> Router {
    let config = &vectors["verifier_config"];
    let seconds = |name: &str| config[name].as_u64().unwrap();
    let text = |name: &str| config[name].as_str().unwrap();
    let mut settings = VerifierSettings::new(text("issuer"), text("audience"));
    settings.leeway = Duration::from_secs(seconds("leeway_s_max"));
    settings.lifetime_max = Duration::from_secs(seconds("max_lifetime_s"));
    settings.token_len_max = usize::try_from(seconds("max_token_bytes")).unwrap();
    // The vectors know no sessions.
    settings.session_claim = SessionClaim::Optional;
    let keys = KeySet::from_jwks(vectors["jwks"].to_string().as_bytes()).unwrap();
    let verifier = Verifier::new(settings, Arc::new(Keys::new(keys)), Arc::default()).unwrap();
    let clock = ManualClock::at(Timestamp::from_seconds(seconds("now")));
    let cookie = Cookie::checked(CookieSettings::new(ACCESS)).unwrap();
    let origins = OriginPolicy::new(Origin::parse("https://api.example.test").unwrap(), vec![]);
    let settings = GateSettings::new(cookie, origins);
    let gate = Gate::new(settings, Arc::new(verifier), Arc::new(clock));
    let me = async |MaybeCaller(caller): MaybeCaller| {
        caller.map_or("nobody".to_owned(), |caller| caller.subject().to_owned())
    };
    Router::new()
        .route("/me2", get(me))
        .layer(GateLayer::new(Arc::new(gate)))
}

async fn ask(service: &Router, name: &str, value: &str) -> (u16, HeaderMap, String) {
    let request = Request::get("/me2").header(name, value);
    let request = request.body(Body::empty()).unwrap();
    let response = service.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 16).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    (parts.status.as_u16(), parts.headers, text)
}

#[tokio::test]
async fn jw_01_and_jw_28_every_token_of_the_vectors_gets_its_verdict_and_no_more_over_http() {
    let vectors = vectors();
    let service = service(&vectors);
    let (mut accepted, mut refused) = (0, 0);
    for case in vectors["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let token = case["token"].as_str().unwrap();
        let expected = match case["expect"].as_str().unwrap() {
            "policy" => POLICY_ACCEPTED.contains(&id),
            verdict => verdict == "accept",
        };
        for (name, value) in [
            ("authorization", format!("Bearer {token}")),
            ("cookie", format!("{ACCESS}={token}")),
        ] {
            let (status, headers, text) = ask(&service, name, &value).await;
            // An empty cookie is none; an empty bearer token is a broken one.
            if id == "J194" && name == "cookie" {
                assert_eq!((status, text.as_str()), (200, "nobody"));
                continue;
            }
            assert_eq!(status, if expected { 200 } else { 401 }, "{id} {name}");
            if expected {
                assert_eq!(text, "user-1", "{id} {name}");
                accepted += 1;
            } else {
                assert_says_no_more_than_it_must(&headers, &text, token);
                refused += 1;
            }
        }
    }
    assert_eq!((accepted, refused), (2 * 9, 2 * 96 - 1));
}

#[tokio::test]
async fn jw_22_and_jw_23_duplicate_claims_and_unknown_extensions_are_refused() {
    let vectors = vectors();
    let service = service(&vectors);
    for id in ["J165", "J167", "J077", "J081", "J162", "J163"] {
        let cases = vectors["cases"].as_array().unwrap();
        let case = cases.iter().find(|case| case["id"] == id).unwrap();
        let bearer = format!("Bearer {}", case["token"].as_str().unwrap());
        let (status, _, text) = ask(&service, "authorization", &bearer).await;
        assert_eq!(status, 401, "{id}");
        assert!(text.contains("token_"), "{id}: {text}");
    }
}
