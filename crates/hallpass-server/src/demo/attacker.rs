//! The attacker's origin: a page, what it may know, and a thief with a server of his own.

use super::observer::{Observer, problem_code};
use super::pages;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use hallpass_axum::Refused;
use hallpass_verify::problem::Code;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt as _;

/// The longest answer that the thief looks into, in bytes.
const BODY_LEN_MAX: usize = 64 * 1024;

/// Returns everything on the attacker's origin. The thief sends what he has to `victim`.
pub(super) fn app(
    victim: Router,
    observer: &Observer,
    about: Arc<Value>,
    victim_origin: &str,
) -> Result<Router, http::header::InvalidHeaderValue> {
    let observer = observer.clone();
    let outcomes = async move || Json(json!({ "outcomes": observer.answers() }));
    Ok(Router::new()
        .route(
            "/demo/config",
            get(async move || Json(about.as_ref().clone())),
        )
        .route("/demo/outcomes", get(outcomes))
        .route("/demo/thief", post(replay))
        .with_state(victim)
        .merge(pages::attack(victim_origin)?)
        .fallback(async || Refused::from(Code::NotFound)))
}

/// Presents a stolen refresh token as a client without a browser would, and tells what came back.
async fn replay(
    State(victim): State<Router>,
    Json(loot): Json<Value>,
) -> Result<Json<Value>, Refused> {
    let token = loot
        .get("refresh_token")
        .and_then(Value::as_str)
        .ok_or(Code::MalformedBody)?;
    let body = json!({ "refresh_token": token }).to_string();
    let request = Request::builder()
        .method(Method::POST)
        .uri("/auth/refresh")
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .map_err(|_| Code::MalformedBody)?;
    let answer = match victim.oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    };
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), BODY_LEN_MAX)
        .await
        .unwrap_or_default();
    Ok(Json(
        json!({ "status": status, "code": problem_code(&body) }),
    ))
}
