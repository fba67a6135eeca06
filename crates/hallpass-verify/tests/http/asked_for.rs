//! What a handler asks of a caller: scopes, and that they proved who they are a short while ago.

use crate::axum_layer::finished;
use crate::support::{ALICE, NOW, gate, headers};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use hallpass_verify::axum::{Fresh, GateLayer};
use hallpass_verify::problem::{Code, Problem};
use hallpass_verify::{Admission, Caller, Timestamp};
use http::{Method, Request};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;

fn caller_with(claims: serde_json::Value) -> Caller {
    let bearer = format!("Bearer {}", ALICE.token_with(claims));
    match gate().admit((&Method::GET, &headers(&[("authorization", &bearer)]))) {
        Admission::Caller(caller) => caller,
        other => panic!("{other:?}"),
    }
}

/// The status that an answer to this has.
fn status(asked: Result<(), Problem>) -> u16 {
    asked.map_or_else(|problem| problem.response().status().as_u16(), |()| 200)
}

/// What other systems' tests have: a token's scopes against four requirements.
#[test]
fn scopes_are_asked_for_with_wildcards_all_of_them_or_any() {
    for (scopes, both, any, admin, users) in [
        ("", 403, 403, 403, 403),
        ("users:read", 403, 200, 403, 403),
        ("users:read posts:write", 200, 200, 403, 403),
        ("users:*", 403, 200, 403, 200),
        ("users:* posts:*", 200, 200, 403, 200),
        ("admin:*", 403, 403, 200, 403),
        ("admin admin:users * Users:Read", 403, 403, 403, 403),
    ] {
        let caller = caller_with(json!({ "scope": scopes }));
        let needed = ["users:read", "posts:write"];
        let asked = [
            caller.require_every_scope(&needed),
            caller.require_any_scope(&needed),
            caller.require_scope("admin:*"),
            caller.require_scope("users"),
        ];
        assert_eq!(asked.map(status), [both, any, admin, users], "{scopes}");
    }
}

#[test]
fn of_no_scopes_everybody_has_all_and_nobody_has_any() {
    for scopes in ["", "users:read"] {
        let caller = caller_with(json!({ "scope": scopes }));
        assert_eq!(status(caller.require_every_scope(&[])), 200);
        assert_eq!(status(caller.require_any_scope(&[])), 403);
    }
}

#[test]
fn a_caller_knows_when_the_token_was_verified() {
    let caller = caller_with(json!({ "auth_time": NOW - 300 }));
    assert_eq!(caller.verified_at(), Timestamp::from_seconds(NOW));
    assert_eq!(status(caller.require_fresh(Duration::from_mins(5))), 200);
    assert_eq!(status(caller.require_fresh(Duration::from_secs(299))), 401);
}

/// The status and the code of the problem of `GET /fresh`, which wants five minutes.
fn fresh_with(lines: &[(&str, &str)]) -> (u16, Option<Code>) {
    let handler = async |Fresh(caller): Fresh<300>| caller.subject().to_owned();
    let app = Router::new()
        .route("/fresh", get(handler))
        .layer(GateLayer::new(Arc::new(gate())));
    let mut request = Request::get("/fresh").body(Body::empty()).unwrap();
    *request.headers_mut() = headers(lines);
    let answer = finished(app.oneshot(request)).unwrap();
    let problem = answer.extensions().get::<Problem>();
    (
        answer.status().as_u16(),
        problem.map(|problem| problem.code),
    )
}

#[test]
fn a_fresh_caller_proved_it_within_the_time() {
    let with = |claims| {
        let bearer = format!("Bearer {}", ALICE.token_with(claims));
        fresh_with(&[("authorization", &bearer)])
    };
    let stale = (401, Some(Code::FreshRequired));
    assert_eq!(with(json!({ "auth_time": NOW })), (200, None));
    assert_eq!(with(json!({ "auth_time": NOW - 300 })), (200, None));
    assert_eq!(with(json!({ "auth_time": NOW - 301 })), stale);
    assert_eq!(with(json!({})), stale);
    let expired = json!({ "auth_time": NOW, "exp": NOW - 30 });
    assert_eq!(with(expired), (401, Some(Code::TokenExpired)));
    assert_eq!(fresh_with(&[]), (401, Some(Code::NotAuthenticated)));
}
