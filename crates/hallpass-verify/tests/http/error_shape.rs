//! Error answers in the app's own shape.

use crate::axum_layer::finished;
use crate::support::{ALICE, cookies, gate, headers};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::get;
use hallpass_verify::Caller;
use hallpass_verify::axum::{ErrorShape, GateLayer};
use hallpass_verify::problem::{Code, Problem};
use http::{Request, StatusCode, header};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;

/// An answer of nobody else's: a teapot that says the code.
fn teapot() -> ErrorShape {
    ErrorShape::new(|problem| {
        let more = AppendHeaders([
            (header::SET_COOKIE, "theme=dark"),
            (header::WWW_AUTHENTICATE, "Digest"),
            (header::CACHE_CONTROL, "public"),
        ]);
        (StatusCode::IM_A_TEAPOT, more, problem.code.as_str())
    })
}

async fn me(caller: Caller) -> String {
    caller.subject().to_owned()
}

/// Refuses, deletes a cookie, and says which methods there are.
async fn busy() -> Response {
    let problem = Problem::new(Code::RateLimited).retry_after(Duration::from_secs(7));
    let more = AppendHeaders([
        (header::SET_COOKIE, "a=; Max-Age=0"),
        (header::ALLOW, "PUT"),
        (header::CONTENT_LANGUAGE, "en"),
    ]);
    (more, problem).into_response()
}

async fn own() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "no such thing")
}

fn routes() -> Router {
    Router::new()
        .route("/me", get(me).post(me))
        .route("/busy", get(busy))
        .route("/own", get(own))
        .layer(GateLayer::new(Arc::new(gate())))
}

fn answer(app: Router, request: &str, lines: &[(&str, &str)]) -> Response {
    let (method, path) = request.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    *request.headers_mut().unwrap() = headers(lines);
    finished(app.oneshot(request.body(Body::empty()).unwrap())).unwrap()
}

fn text(response: Response) -> String {
    let body = finished(to_bytes(response.into_body(), 10_000)).unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

/// The values of a header, in order.
fn values<'r>(response: &'r Response, name: &str) -> Vec<&'r str> {
    let lines = response.headers().get_all(name).iter();
    lines.map(|line| line.to_str().unwrap()).collect()
}

#[test]
fn every_refusal_is_said_so_wherever_it_comes_from() {
    let app = routes().layer(teapot());
    let cookie = cookies(&[&ALICE.token()]);
    for (request, lines, code) in [
        // The extractor, the layer, the handler.
        ("GET /me", &[][..], "not_authenticated"),
        (
            "GET /me",
            &[("authorization", "Bearer x")],
            "token_malformed",
        ),
        ("POST /me", &[("cookie", cookie.as_str())], "csrf_missing"),
        ("GET /busy", &[], "rate_limited"),
    ] {
        let answer = answer(app.clone(), request, lines);
        assert_eq!(answer.status(), StatusCode::IM_A_TEAPOT);
        assert_eq!(
            values(&answer, "content-type"),
            ["text/plain; charset=utf-8"]
        );
        let len = code.len().to_string();
        assert_eq!(values(&answer, "content-length"), [len.as_str()]);
        assert_eq!(text(answer), code, "{request}");
    }
}

#[test]
fn what_clients_and_browsers_act_on_stays() {
    let app = routes().layer(teapot());
    let refused = answer(app.clone(), "GET /me", &[]);
    assert_eq!(
        values(&refused, "www-authenticate"),
        [r#"Bearer realm="hallpass""#]
    );
    assert_eq!(values(&refused, "cache-control"), ["no-store"]);
    let busy = answer(app, "GET /busy", &[]);
    assert_eq!(values(&busy, "retry-after"), ["7"]);
    assert_eq!(values(&busy, "allow"), ["PUT"]);
    assert_eq!(values(&busy, "set-cookie"), ["theme=dark", "a=; Max-Age=0"]);
    assert_eq!(values(&busy, "content-language"), [""; 0]);
}

#[test]
fn what_is_no_problem_of_ours_is_left_alone() {
    let bearer = format!("Bearer {}", ALICE.token());
    for (request, lines, status, said) in [
        (
            "GET /me",
            &[("authorization", bearer.as_str())][..],
            200,
            "alice",
        ),
        ("GET /own", &[], 404, "no such thing"),
        ("GET /nowhere", &[], 404, ""),
    ] {
        let answer = answer(routes().layer(teapot()), request, lines);
        assert_eq!(answer.status(), status);
        assert_eq!(values(&answer, "set-cookie"), [""; 0]);
        assert_eq!(text(answer), said);
    }
}

#[test]
fn of_two_shapes_the_inner_one_speaks() {
    let outer = ErrorShape::new(|_| "the outer one");
    let app = routes().layer(teapot()).layer(outer.clone());
    assert_eq!(text(answer(app, "GET /me", &[])), "not_authenticated");
    // One that hands the problem on lets the outer one speak.
    let same = ErrorShape::new(Problem::clone);
    let app = routes().layer(same).layer(outer);
    assert_eq!(text(answer(app, "GET /me", &[])), "the outer one");
}
