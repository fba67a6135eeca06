//! The layer and the extractors, in an axum router.

use crate::support::{ALICE, FOREIGN, cookies, gate};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::get;
use hallpass_verify::axum::{GateLayer, MaybeCaller};
use hallpass_verify::{Caller, Location, Locations};
use http::Request;
use serde_json::Value;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tower::ServiceExt as _;

/// Drives a future that waits for nothing.
pub(crate) fn finished<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

async fn me(caller: Caller) -> String {
    caller.subject().to_owned()
}

async fn maybe(MaybeCaller(caller): MaybeCaller) -> String {
    caller.map_or("nobody".into(), |caller| caller.subject().to_owned())
}

async fn open() -> &'static str {
    "open"
}

fn routes() -> Router {
    Router::new()
        .route("/me", get(me).post(me))
        .route("/maybe", get(maybe).post(maybe))
        .route("/open", get(open).post(open))
}

fn app() -> Router {
    routes().layer(GateLayer::new(Arc::new(gate())))
}

/// The status, and the code of a problem or else the text.
fn answer(app: Router, request: &str, lines: &[(&str, &str)]) -> (u16, String) {
    let (method, path) = request.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    finished(async {
        let response = app
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let status = response.status();
        let is_problem = response
            .headers()
            .get("content-type")
            .is_some_and(|media_type| media_type == "application/problem+json");
        let has_challenge = response.headers().contains_key("www-authenticate");
        assert_eq!(has_challenge, status == 401, "{lines:?}");
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        if !is_problem {
            return (status.as_u16(), text);
        }
        let problem: Value = serde_json::from_str(&text).unwrap();
        (
            status.as_u16(),
            problem["code"].as_str().unwrap().to_owned(),
        )
    })
}

#[track_caller]
fn check(request: &str, lines: &[(&str, &str)], status: u16, text: &str) {
    assert_eq!(
        answer(app(), request, lines),
        (status, text.into()),
        "{request} {lines:?}"
    );
}

#[test]
fn a_caller_is_who_the_token_says() {
    let bearer = format!("Bearer {}", ALICE.token());
    let cookie = cookies(&[&ALICE.token()]);
    let csrf = ALICE.csrf();
    check("GET /me", &[("authorization", &bearer)], 200, "alice");
    check("POST /me", &[("authorization", &bearer)], 200, "alice");
    check("GET /me", &[("cookie", &cookie)], 200, "alice");
    check(
        "POST /me",
        &[("cookie", &cookie), ("x-csrf-token", &csrf)],
        200,
        "alice",
    );
    check("GET /maybe", &[("cookie", &cookie)], 200, "alice");
}

#[test]
fn somebody_without_a_credential_is_nobody_and_not_a_caller() {
    check("GET /me", &[], 401, "not_authenticated");
    check(
        "POST /me",
        &[("authorization", "Basic eA==")],
        401,
        "not_authenticated",
    );
    check("GET /maybe", &[], 200, "nobody");
    check("GET /open", &[], 200, "open");
}

#[test]
fn broken_is_not_absent() {
    let expired = format!("Bearer {}", ALICE.expired_token());
    for path in ["/me", "/maybe"] {
        let get = format!("GET {path}");
        check(
            &get,
            &[("authorization", "Bearer junk")],
            401,
            "token_malformed",
        );
        check(&get, &[("authorization", &expired)], 401, "token_expired");
        check(
            &get,
            &[("cookie", &cookies(&["junk"]))],
            401,
            "token_malformed",
        );
    }
}

#[test]
fn a_route_for_everybody_stays_open_to_somebody_with_a_bad_token() {
    check(
        "GET /open",
        &[("authorization", "Bearer junk")],
        200,
        "open",
    );
    check(
        "GET /open",
        &[("cookie", &cookies(&[&ALICE.expired_token()]))],
        200,
        "open",
    );
}

#[test]
fn a_forged_request_ends_at_the_layer_whatever_the_route_asks_for() {
    let cookie = cookies(&[&ALICE.token()]);
    for path in ["/me", "/maybe", "/open"] {
        let post = format!("POST {path}");
        check(&post, &[("cookie", &cookie)], 403, "csrf_missing");
        let wrong = [("cookie", cookie.as_str()), ("x-csrf-token", "x")];
        check(&post, &wrong, 403, "csrf_invalid");
        let foreign = [("cookie", cookie.as_str()), ("origin", FOREIGN)];
        check(&post, &foreign, 403, "origin_denied");
    }
}

#[test]
fn a_layer_can_narrow_the_locations() {
    let layer = GateLayer::new(Arc::new(gate())).locations(Locations::HEADER_ONLY);
    let cookie = cookies(&[&ALICE.token()]);
    let narrow = |request| {
        answer(
            routes().layer(layer.clone()),
            request,
            &[("cookie", &cookie)],
        )
    };
    assert_eq!(narrow("GET /me"), (401, "not_authenticated".into()));
    assert_eq!(narrow("POST /open"), (200, "open".into()));
}

#[test]
fn a_route_without_the_layer_is_a_fault_of_ours_and_lets_nobody_in() {
    let bearer = format!("Bearer {}", ALICE.token());
    let lines = [("authorization", bearer.as_str())];
    assert_eq!(
        answer(routes(), "GET /me", &lines),
        (500, "internal".into())
    );
    assert_eq!(
        answer(routes(), "GET /maybe", &lines),
        (500, "internal".into())
    );
}

#[test]
fn an_answer_to_a_caller_gets_no_headers_from_the_layer() {
    let request = Request::builder()
        .uri("/open")
        .header("cookie", cookies(&[&ALICE.token()]));
    let response = finished(app().oneshot(request.body(Body::empty()).unwrap())).unwrap();
    let mut names: Vec<_> = response
        .headers()
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "content-type"]);
}

#[test]
fn one_route_can_be_exempted_from_the_proof_and_no_other_is() {
    let layer = GateLayer::new(Arc::new(gate()));
    let open_to_forgery = Router::new()
        .route("/counter", get(me).post(me))
        .layer(layer.clone().danger_without_csrf());
    let app = routes().layer(layer).merge(open_to_forgery);
    let cookie = cookies(&[&ALICE.token()]);
    let post = |path: &str, more: &[(&str, &str)]| {
        let lines: Vec<_> = [("cookie", cookie.as_str())]
            .iter()
            .chain(more)
            .copied()
            .collect();
        answer(app.clone(), &format!("POST {path}"), &lines)
    };
    assert_eq!(post("/counter", &[]), (200, "alice".into()));
    assert_eq!(
        post("/counter", &[("origin", FOREIGN)]),
        (200, "alice".into())
    );
    assert_eq!(post("/me", &[]), (403, "csrf_missing".into()));
    // A handshake that rides on a cookie is still refused to other sites, and a bad token is bad.
    let handshake = [("origin", FOREIGN), ("upgrade", "websocket")];
    assert_eq!(post("/counter", &handshake), (403, "origin_denied".into()));
    let expired = cookies(&[&ALICE.expired_token()]);
    let refused = answer(app.clone(), "POST /counter", &[("cookie", &expired)]);
    assert_eq!(refused, (401, "token_expired".into()));
    assert_eq!(
        answer(app.clone(), "POST /counter", &[]),
        (401, "not_authenticated".into())
    );
}

#[test]
fn an_answer_to_a_token_in_the_address_stays_in_no_cache() {
    let locations = Locations::new(&[Location::Header, Location::Query]).unwrap();
    let layer = GateLayer::new(Arc::new(gate())).locations(locations);
    let own = async || ([("cache-control", "private, max-age=60")], "own");
    let app = routes().route("/own", get(own)).layer(layer);
    let caching = |path: &str, by_query: bool| {
        let token = ALICE.token();
        let request = if by_query {
            Request::get(format!("{path}?access_token={token}"))
        } else {
            Request::get(path).header("authorization", format!("Bearer {token}"))
        };
        let request = request.body(Body::empty()).unwrap();
        let answer = finished(app.clone().oneshot(request)).unwrap();
        assert_eq!(answer.status(), 200);
        let caching = answer.headers().get("cache-control");
        caching.map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(caching("/me", true).as_deref(), Some("no-store"));
    assert_eq!(caching("/me", false), None);
    assert_eq!(
        caching("/own", true).as_deref(),
        Some("private, max-age=60")
    );
}
